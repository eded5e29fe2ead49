/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost_trial - looks for the shapes and values with which the nodes of a graph take the most CPU time for
 * each operation that their rules declare
 *
 * Every input, alone and with the others, grows along every dimension and along all, until a run takes
 * trial_plan.cap_ns or a limit refuses it. So do the values of short constants that became inputs: they are
 * sizes of results. The worst shape of each is then run with other values.
 *
 * Then each grows on until it is refused. The longest time between two looks at the control is measured in
 * the largest shape that runs, and in the one before a run takes that long. The two shapes that were worst
 * by it are cancelled early, in the middle and late.
 */
#ifndef TESTS_FUZZ_COST_TRIAL_H
#define TESTS_FUZZ_COST_TRIAL_H

#include "tests/fuzz/opened.h"

#define TRIAL_FLOOR_NS 100000ull /* what takes less is no finding */

struct trial_plan {
	uint64_t cap_ns; /* a run is cancelled after it */
	uint32_t repetitions; /* of a run, of which the fastest counts */
};

/* The worst of one operator. */
struct finding {
	uint16_t op;
	uint16_t type; /* enum dtype of its first operand */
	bool denormal; /* floats were: x86 takes some 50 ns for an instruction on them */
	int result; /* of the run: 0, or -ECANCELED for one that was cut off */
	uint64_t macs, ns;
	uint64_t late_ns; /* the longest that it went on once it was cancelled, 0 for none */
	uint64_t blind_ns; /* the longest between two looks at the control, 0: not measured */
	char shape[80]; /* of the inputs, and how they were filled */
};

/* Nanoseconds for one declared operation. */
double finding_rate(const struct finding *finding);

/* The longest that it can go on once it is cancelled, as far as is known. */
uint64_t finding_stop_ns(const struct finding *finding);

/* Gives each finding to @found, several for one operator. */
void trial_graph(const struct trial_plan *plan, const struct opened *o,
	void (*found)(void *context, const struct finding *finding), void *context);

#endif
