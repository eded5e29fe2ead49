/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_backend - a backend that a test can watch and command
 *
 * ADD of float32 or int32 tensors of one shape (a second operand that is a variable is increased by
 * the first, and the sum is its new value), RESHAPE, MUL as ADD but multiplying, and DEQUANTIZE of
 * int8 with scale 1. One instance; a test sets the knobs and reads the counters, several threads
 * may run programs at once.
 */
#ifndef TESTS_FAKES_FAKE_BACKEND_H
#define TESTS_FAKES_FAKE_BACKEND_H

#include "engine/backend.h"

struct fake_backend {
	/* Knobs: */
	int refuse_op; /* accept() refuses this operator; -1: none */
	int fail_run_op; /* run fails with -EIO at this operator, after it has done its work */
	uint64_t scratch_bytes; /* that each node asks for, and fills when run */
	uint64_t program_bytes; /* that each program claims */
	uint32_t in_place; /* of ADD and MUL: node_memory.in_place */
	/* Counters: */
	atomic_uint compiled, freed, nodes_run;
};

/* The knobs and counters of the two below, which differ in name only and share them. */
struct fake_backend *fake_backend(void);
/* All knobs and counters to their start. */
void fake_backend_reset(void);

extern const struct backend fake_backend_one;
extern const struct backend fake_backend_two; /* accepts MUL only */

#endif
