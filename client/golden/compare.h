/* SPDX-License-Identifier: Apache-2.0 */
/* compare - an output against what a golden case expects */
#ifndef CLIENT_GOLDEN_COMPARE_H
#define CLIENT_GOLDEN_COMPARE_H

#include "client/golden/case.h"

/*
 * @got: @bytes dense elements of type @type. An int4 output may be expected as int8: the wheel
 * hands int4 tensors out unpacked. Writes "first difference at 17: expected 3, got 4 (12 of 1000
 * elements differ)" to @ret_text and returns false where something differs.
 */
bool golden_compare(const struct golden_entry *want, unsigned int type, const void *got,
	uint64_t bytes, char *ret_text, size_t text_size);

#endif
