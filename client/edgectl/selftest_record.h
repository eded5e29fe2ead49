/* SPDX-License-Identifier: Apache-2.0 */
/* selftest_record - records requests and replies as frames, for a model's self-test
 * (docs/models.md) */
#ifndef CLIENT_EDGECTL_SELFTEST_RECORD_H
#define CLIENT_EDGECTL_SELFTEST_RECORD_H

#include <stdio.h>

#include "client/edgectl/target.h"

/* Appends one request to @target and its reply. @key: signature, "" or NULL: the default.
 * @inputs and @outputs are the request's and the reply's tensors. */
int must_check selftest_record_write(FILE *out, const struct target *target, const char *key,
	const struct tensor_bytes *inputs, const struct tensor_bytes *outputs, struct error *err);

#endif
