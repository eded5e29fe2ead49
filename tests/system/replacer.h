/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replacer - puts other bytes in the place of a model's file, in every way that people do it
 *
 * By rename, in place (cp), cut and written again, by a link that is swapped, and by a folder that is swapped.
 * Everything fails the test by itself.
 */
#ifndef TESTS_SYSTEM_REPLACER_H
#define TESTS_SYSTEM_REPLACER_H

#include "tests/system/daemon.h"

#define REPLACER_WAYS 5

struct replacer {
	char models[128], next[128], old[128], file[160], aside[160];
};

/* Of m.tflite in @daemon's models folder. */
void replacer_init(struct replacer *replacer, const struct daemon *daemon);
/* By the next of the ways: @turn counts them. */
void replacer_put(
	const struct replacer *replacer, unsigned int turn, const void *bytes, size_t size);

#endif
