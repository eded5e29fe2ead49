/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip_run - a run of a case that a change disturbs: which moments and changes there are, and what
 * the run has come to
 */
#ifndef TESTS_FUZZ_FLIP_RUN_H
#define TESTS_FUZZ_FLIP_RUN_H

#include "tests/fuzz/flip/flip_trace.h"
#include "tests/fuzz/flip/flip_walk.h"

/* CPU time of a disturbed run: undisturbed ones take some ms. */
#define FLIP_RUN_SECONDS 2

/* What a run tells, in memory that its process shares with who waits for it. */
struct flip_report {
	volatile uint32_t over; /* session_run() has returned */
	int32_t result;
	char text[160];
	int32_t poison_output; /* -1: none */
	uint64_t poison_at;
	struct flip_fault fault;
};

struct flip_run {
	const struct flip_walk *plan;
	const char *path;
	enum opening opening;
	enum flip_placement placement;
	struct flip_case c;
	struct flip_report *report;
	struct flip_tally *tally; /* shared with other processes */
	uint32_t *seen; /* shared; of each operand, bits of what was printed */
};

/* One change at one moment. */
struct flip_trial {
	unsigned int by; /* a bit of FLIP_BY_... */
	uint64_t at, of; /* instructions of the run, or reads of the operand */
	uint32_t operand;
	enum flip_change change;
};

/* The run, for a process of its own. @context: struct flip_run. */
int flip_run_go(void *context);

/* The @i-th of the moments that are chosen of @n: all, or one in each part of them; UINT64_MAX
 * behind the last one. */
uint64_t flip_run_moment(const struct flip_walk *plan, uint64_t n, uint32_t i);

/* Whether the operand is one that a client can change: tables of strings are copied when bound. */
bool flip_run_can_change(const struct flip_run *run, uint32_t operand);

/* Makes one change and lets a copy of the run go on. True in that copy, where it is a copy of the
 * process that calls. */
typedef bool (*flip_run_try_fn)(void *context, const struct flip_trial *trial);

/* @n changes of the operand that @trial names, in turn. Returns true where @try does. */
bool flip_run_try_changes(const struct flip_run *run, const struct flip_trial *trial, uint32_t turn,
	uint32_t n, flip_run_try_fn try, void *context);

/* The same for all operands. */
bool flip_run_try_operands(const struct flip_run *run, const struct flip_trial *trial,
	uint32_t turn, flip_run_try_fn try, void *context);

/* Before and after a trial. The first one is false where the change changes nothing. */
bool flip_run_begin(const struct flip_run *run, const struct flip_trial *trial);
void flip_run_end(const struct flip_run *run, const struct flip_trial *trial);

/* Prints what is found, once for each operand and kind. @trial: NULL for the undisturbed run. */
void flip_run_judge(
	const struct flip_run *run, const struct flip_trial *trial, const struct flip_end *end);

#endif
