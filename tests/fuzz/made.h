/* SPDX-License-Identifier: Apache-2.0 */
/* made - graphs of one operator that the files of the golden corpus do not have alone, in shapes and with
 * options and constants that cost much */
#ifndef TESTS_FUZZ_MADE_H
#define TESTS_FUZZ_MADE_H

#include "tests/fuzz/cost_trial.h"

#define MADE_GRAPHS 24 /* 12 graphs, each with its constants as they are, and as inputs */

/* As trial_graph() for graph @index. */
void made_try(uint32_t index, const struct trial_plan *plan,
	void (*found)(void *context, const struct finding *finding), void *context);

#endif
