/* SPDX-License-Identifier: Apache-2.0 */
/* record - questions and their answers as frames, for a model's self-test (docs/models.md) */
#ifndef CLIENT_RECORD_H
#define CLIENT_RECORD_H

#include <stdio.h>

#include "client/target.h"

/* Appends a question that @target was asked, by signature @key ("" or NULL: the default), and what it
 * answered: its inputs and outputs as given. */
int must_check record_write(FILE *out, const struct target *target, const char *key,
	const struct tensor_bytes *inputs, const struct tensor_bytes *outputs, struct error *err);

#endif
