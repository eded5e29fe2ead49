/* SPDX-License-Identifier: Apache-2.0 */
/* abuse - sessions of one graph that are given anything, and judged by what they do */
#ifndef TESTS_FUZZ_ABUSE_H
#define TESTS_FUZZ_ABUSE_H

#include "client/golden/golden_case.h"
#include "tests/fuzz/opened.h"

#define ABUSE_MAX_THREADS 8

/* Times and memory mean something. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ABUSE_MEASURED false
#else
#define ABUSE_MEASURED true
#endif

struct abuse_plan {
	unsigned long count, seed; /* runs of each session */
	unsigned int threads; /* sessions at once */
	bool scribble; /* somebody writes into bound inputs meanwhile */
};

enum abuse_status {
	ABUSE_RAN = 0,
	ABUSE_NOTHING = 10, /* to open, or the planner refuses it that way */
	ABUSE_NEVER_WELL = 11,
	ABUSE_SLOW = 20,
	ABUSE_CHANGED = 21, /* by what the session went through */
	ABUSE_OTHER_ANSWER = 22, /* than the golden case */
};

/* Runs @subgraph of the opened graph; what is wrong is printed. @golden: a case of it, or NULL. */
enum abuse_status abuse_graph(const struct abuse_plan *plan, const struct opened *o,
	const struct golden_case *golden, uint32_t subgraph);

#endif
