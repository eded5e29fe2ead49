/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip_stop - walks a run by the reads of its operands (flip_signals.h)
 */
#ifndef TESTS_FUZZ_FLIP_STOP_H
#define TESTS_FUZZ_FLIP_STOP_H

#include "tests/fuzz/flip/flip_run.h"

/*
 * Runs the case twice: once to count the reads of each operand, once with changes before those that
 * are chosen. What was done is counted in the run's tally.
 */
void flip_stop_reads(struct flip_run *run);

#endif
