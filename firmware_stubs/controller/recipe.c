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

/* What fits into registers, and lengths of a press with which no product below leaves 32 bits. */
enum { LONGEST_PRESS_MM = 30000, LONGEST_SHEET_MM = 1 << 30 };

static bool is_from_to(int32_t value, int32_t lowest, int32_t highest) {
    return lowest <= value && value <= highest;
}

static bool is_in_range(const struct recipe *recipe) {
    const int32_t temperatures[] = {recipe->melting_point, recipe->hot, recipe->cold};
    const int32_t counts[] = {
        recipe->sheet_thickness, recipe->entry_clearance, recipe->clearance,   recipe->speed,      recipe->tension,
        recipe->open_clearance,  recipe->coolant_flow,    recipe->creep_speed, recipe->cool_speed,
    };
    const int32_t places[] = {recipe->taper_end_mm, recipe->heat_end_mm, recipe->pressing_mm, recipe->path_mm};
    bool right = is_from_to(recipe->sheet_mm, 1, LONGEST_SHEET_MM);
    for (unsigned i = 0; i < sizeof temperatures / sizeof *temperatures; i++) {
        right = right && is_from_to(temperatures[i], INT16_MIN, INT16_MAX);
    }
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
        right = right && is_from_to(counts[i], 1, UINT16_MAX);
    }
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        right = right && is_from_to(places[i], i > 0 ? places[i - 1] : 1, LONGEST_PRESS_MM);
    }
    return right;
}

bool recipe_is_sound(const struct recipe *recipe) {
    return recipe->magic == RECIPE_MAGIC && recipe->version == RECIPE_VERSION &&
           recipe->crc == modbus_crc((const uint8_t *)recipe, offsetof(struct recipe, crc)) && is_in_range(recipe);
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
