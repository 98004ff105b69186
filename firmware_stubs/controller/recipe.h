/*
 * What to make, and on which press: a block of flash that is written beside the program, so that one program runs every
 * recipe. All numbers are as the press's registers show them (0.1 °C, 0.1 µm, mm/min, 0.01 kN/m, 0.1 l/min), lengths
 * are in mm of belt. Little endian; rig/embedded/recipe_block.py makes it.
 *
 * On a board it is loaded like the program (firmware_stubs/README.md), to where the linker script keeps room for it.
 */
#ifndef CONTROLLER_RECIPE_H
#define CONTROLLER_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#define RECIPE_MAGIC 0x50434552u /* "RECP" */

enum { RECIPE_VERSION = 1, RECIPE_KEEPS_CLAIMS = 1 };

struct recipe {
    uint32_t magic;
    uint32_t version;
    uint32_t flags; /* RECIPE_KEEPS_CLAIMS: a recipe that cannot meet the claims is not started */
    /* the sheet */
    int32_t sheet_thickness;
    int32_t sheet_mm;
    int32_t melting_point;
    /* the press's settings */
    int32_t hot;
    int32_t cold;
    int32_t entry_clearance;
    int32_t clearance;
    int32_t speed;
    int32_t tension;
    /* the press */
    int32_t open_clearance;
    int32_t coolant_flow;
    int32_t creep_speed;
    int32_t cool_speed;
    int32_t taper_end_mm;  /* where the clearance is smallest, from the entry */
    int32_t heat_end_mm;   /* where the cold section begins */
    int32_t pressing_mm;   /* the exit */
    int32_t path_mm;       /* the last gauge, and a little more */
    uint32_t crc;          /* of all before: Modbus's CRC, in the lower half */
};

/* Is this a recipe, whole, of this version, and with numbers that can be? */
bool recipe_is_sound(const struct recipe *recipe);

/* The claims that it cannot meet: 2 or 5; 0 if there are none. */
unsigned recipe_fails_claim(const struct recipe *recipe);

#endif
