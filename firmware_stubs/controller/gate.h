/*
 * The quality gate: is the sheet under the last gauge product?
 *
 * It is if the whole way from the entry to the gauge has been as it should since before that sheet went in, and if the
 * gauge shows that it has not recovered too much and was rolled long enough. The gate only looks at what makes sheet
 * bad and errs on the safe side: it takes the clearance without the rollers' spring-back for the smallest thickness.
 */
#ifndef CONTROLLER_GATE_H
#define CONTROLLER_GATE_H

#include "controller/inputs.h"
#include "controller/recipe.h"

struct gate {
    bool has_front;      /* sheet has gone in since the gate was closed */
    int32_t front_mm;    /* belt position when the sheet's front went in */
    int32_t tail_mm;     /* the same of the last sheet seen there */
    int32_t good_since_mm; /* belt position since which nothing was wrong */
};

/* Close the gate: nothing that is in the press now is product. */
void gate_close(struct gate *gate, int32_t position_mm);

/* One scan. Returns whether the sheet under the gauge is product. */
bool gate_lets_pass(struct gate *gate, const struct recipe *recipe, const struct inputs *inputs, int32_t position_mm);

#endif
