/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SYSTEM_TRIAL_H
#define TESTS_SYSTEM_TRIAL_H

/* The steps that tests of versions on trial have in common. The model is "m". */

#include <stdint.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

/* The configuration. A run of the fake engine takes some microseconds of the CPU, and something else on
 * the machine can cost it more than five times that, which is the default; a run that is too slow
 * takes 200 ms. */
#define TRIAL_MODELS "[models]\nprobation-slower = 20\nprobation-time = 60min\n"

/* For cmocka: a daemon that is not started yet; a version proves itself in 10 runs. */
int trial_set_up(void **state);

int trial_tear_down(void **state);

/* @line is the file m.tflite of the fake engine. */
void trial_put_and_reload(struct daemon *daemon, const char *line);

/* What STORE_LIST says of "m"; "" for no version. */
void trial_expect_store(struct daemon *daemon, const char *version, uint64_t last_good,
	uint32_t flags, const char *reason);

/* So many runs, whatever comes of them. */
void trial_ask(struct daemon *daemon, int n);

/* As root, or edged's own user: who the tests run as. */
void trial_tell(struct daemon *daemon, enum wire_store_verb verb, const char *model,
	const char *argument, enum edge_status status);

/* A line of the history of "m" has @text in it. */
void trial_expect_history(struct daemon *daemon, const char *text);

/* Version 1 is there and good. */
void trial_start_with_a_good_one(struct daemon *daemon);

#endif
