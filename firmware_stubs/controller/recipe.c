#include "controller/recipe.h"

#include <stddef.h>

#include "modbus/crc.h"

/* the claims' limits, in the units of the recipe */
enum {
    HOT_AT_LEAST_BELOW_MELTING = 100,
    HOT_AT_MOST_BELOW_MELTING = 300,
    COLD_AT_MOST = 400,
    COEFFICIENT_AT_LEAST = 5,
};

bool recipe_is_sound(const struct recipe *recipe) {
    return recipe->magic == RECIPE_MAGIC && recipe->version == RECIPE_VERSION &&
           recipe->crc == modbus_crc((const uint8_t *)recipe, offsetof(struct recipe, crc)) && recipe->clearance > 0 &&
           recipe->speed > 0;
}

unsigned recipe_fails_claim(const struct recipe *recipe) {
    int32_t below = recipe->melting_point - recipe->hot;
    if (below < HOT_AT_LEAST_BELOW_MELTING || below > HOT_AT_MOST_BELOW_MELTING || recipe->cold > COLD_AT_MOST) {
        return 5;
    }
    /* at best the sheet stays at the clearance all the way */
    int64_t thickness_by_length = (int64_t)recipe->sheet_thickness * recipe->pressing_mm;
    if (thickness_by_length < (int64_t)COEFFICIENT_AT_LEAST * recipe->clearance * recipe->speed) {
        return 2;
    }
    return 0;
}
