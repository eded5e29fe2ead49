/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip_case - a model with a session that is ready to run: its operands lie in shared memory, its
 * own memory is poisoned
 */
#ifndef TESTS_FUZZ_FLIP_CASE_H
#define TESTS_FUZZ_FLIP_CASE_H

#include "client/golden/golden_case.h"
#include "engine/model/model.h"
#include "engine/plan/plan_cache.h"
#include "engine/run/session.h"
#include "tests/fuzz/flip/flip_memory.h"
#include "tests/fuzz/opened.h"

#define FLIP_MAX_OPERANDS 1100

struct flip_case {
	struct golden_case *golden; /* NULL where no case.txt stands beside the model */
	struct model *model;
	struct opened opened;
	struct plan_cache plans;
	struct session *session;
	uint32_t n_operands; /* inputs of subgraph 0, with the constants that became inputs */
	struct flip_operand {
		uint8_t type; /* enum dtype; strings are copied when they are bound */
		struct flip_shared shared;
		uint8_t *benign; /* what the case has */
	} operands[FLIP_MAX_OPERANDS];
};

/*
 * @path: a folder with a case.txt, or a model's file. False where there is nothing to run that way:
 * the model is refused, or has nothing to open. Inputs are those of the case's first step, or small
 * numbers.
 */
bool flip_case_open(
	struct flip_case *c, const char *path, enum opening opening, enum flip_placement placement);
void flip_case_close(struct flip_case *c); /* a zeroed one is fine */

#define FLIP_OPS 1200 /* above all numbers of operators */

/*
 * Marks in @used, of 2 * FLIP_OPS entries, the operators of the model; those of a model with strings
 * are marked FLIP_OPS further on. Returns what the case costs: bytes of its file and of its inputs, far
 * more where the inputs are next to nothing. 0 for a model that is refused or a case that must fail.
 */
uint64_t flip_case_cost(const char *path, bool *used);

#endif
