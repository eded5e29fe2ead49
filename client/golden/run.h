/* SPDX-License-Identifier: Apache-2.0 */
/* run - a golden case on the engine, on each set of kernel variants, by one thread or several */
#ifndef CLIENT_GOLDEN_RUN_H
#define CLIENT_GOLDEN_RUN_H

#include "client/golden/case.h"

enum golden_verdict {
	GOLDEN_PASSED,
	GOLDEN_DIFFERS,
	GOLDEN_MISSING, /* an operator or type is not there */
	/* The outputs differ, but the case has a scalar of strings among its inputs: LiteRT's
	 * Python interpreter stores a pointer for one (observed of 2.3.0 with an array of objects),
	 * so what was recorded is the answer to other bytes. */
	GOLDEN_LEFT_OUT,
};

struct golden_result {
	uint8_t verdict;
	char text[512]; /* why it did not pass */
};

/*
 * @masks: sets of CPU features, narrow to wide; a set with which the model picks the same kernels
 * as with the one before is not run again. @n_threads run the case at once, each in a session of
 * its own, on one loaded model; all must be right. @team: so many threads work together on each run,
 * also where that does not pay. @without: rewrites that are left out (edge_options).
 */
void golden_run(const struct golden_case *c, const uint64_t *masks, uint32_t n_masks,
	uint32_t n_threads, uint32_t team, uint32_t without, struct golden_result *ret_result);

#endif
