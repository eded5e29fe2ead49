/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip_walk - one run of a case, stopped at many places; at each of them operands change, and the
 * run goes on to its end
 *
 * By instructions, each operand changes at each place. By reads, an operand changes before reads of
 * it: between two of them the moment makes no difference, so all reads stand for all instructions.
 */
#ifndef TESTS_FUZZ_FLIP_WALK_H
#define TESTS_FUZZ_FLIP_WALK_H

#include "tests/fuzz/flip/flip_change.h"

/* How the moments of a run are chosen. Bits. */
enum {
	FLIP_BY_PTRACE = 1, /* instructions, single-stepped by ptrace */
	FLIP_BY_READS = 2, /* reads of the operand: flip_stop.h */
};

struct flip_walk {
	uint64_t seed;
	unsigned int by;
	uint32_t places; /* at which a run is stopped, spread over all of it; all of a shorter one;
			    by reads, for each operand */
	uint64_t max_steps; /* by instructions, a longer run is left out */
	uint64_t max_reads; /* the first ones of a run; operands do not change after them */
	uint32_t changes; /* of each operand at each place, in turn; FLIP_CHANGES: all */
	/* For repeating one finding: */
	int64_t only_at; /* instruction, or read of the operand; -1 for any */
	int only_operand, only_change; /* -1 for any */
};

struct flip_tally {
	uint64_t trials, findings;
	uint64_t stops; /* by signals */
	uint64_t walks, too_long; /* runs that were walked, and left out */
	uint64_t cut_short; /* walks with more reads than max_reads */
	uint64_t steps, reads;
	uint64_t nothing; /* cases without a walk */
};

/* Prints findings and how to repeat them, and counts. @length: instructions of the run where they
 * are known, else 0; then they are counted first. */
void flip_walk(const struct flip_walk *w, const char *path, enum opening opening,
	enum flip_placement placement, uint64_t *length, struct flip_tally *tally);

#endif
