/* SPDX-License-Identifier: Apache-2.0 */
/* golden_run - runs a golden case on each set of kernel variants, with one or more threads */
#ifndef CLIENT_GOLDEN_GOLDEN_RUN_H
#define CLIENT_GOLDEN_GOLDEN_RUN_H

#include "client/golden/golden_case.h"

enum golden_verdict {
	GOLDEN_PASSED,
	GOLDEN_DIFFERS,
	GOLDEN_MISSING, /* an operator or type is not supported */
	/* The outputs differ, but the case has a scalar string as input: LiteRT's Python
	 * interpreter stores a pointer for it (seen in 2.3.0 with an array of objects), so the
	 * recorded outputs belong to other input bytes. */
	GOLDEN_LEFT_OUT,
};

struct golden_result {
	uint8_t verdict;
	char text[512]; /* why the case did not pass */
};

/*
 * Runs @c on each set of CPU features in @masks.
 *
 * @masks:     narrow to wide; a set that selects the same kernels as the set before is skipped
 * @n_threads: threads that run the case at once, each in its own session of one model; all must
 * pass
 * @team:      threads that share each run, also where this does not pay
 * @without:   rewrites to disable (edge_options)
 */
void golden_run(const struct golden_case *c, const uint64_t *masks, uint32_t n_masks,
	uint32_t n_threads, uint32_t team, uint32_t disabled_rewrites,
	struct golden_result *ret_result);

/*
 * Like golden_run() with one thread, twice, in sessions that have run before. Before each step the
 * session's memory is filled with a pattern, a different one the second time. Both outputs must be
 * correct and equal: no output depends on memory that the run did not write.
 */
void golden_run_poisoned(const struct golden_case *c, const uint64_t *masks, uint32_t n_masks,
	uint32_t disabled_rewrites, struct golden_result *ret_result);

#endif
