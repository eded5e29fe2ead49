/* SPDX-License-Identifier: Apache-2.0 */
/*
 * looks - counts how often an operator looks at the control of its run
 *
 * Programs are linked with --wrap=clock_now_ns: time goes on by one at each look.
 */
#ifndef TESTS_FAKES_LOOKS_H
#define TESTS_FAKES_LOOKS_H

#include "tests/fakes/op_bench.h"

/* Since the program began, or the last run of looks_run(). */
extern uint64_t looks;

/*
 * Runs the operator to its end, with @least looks or more. Then the deadline passes at look @least / 2, and
 * at the last one: the run ends there, without another look. The output is that of a whole run.
 */
void looks_run(struct op_bench *b, uint64_t least);

#endif
