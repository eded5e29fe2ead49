/* SPDX-License-Identifier: Apache-2.0 */
/* golden_compare - compares an output with the expected one of a golden case */
#ifndef CLIENT_GOLDEN_GOLDEN_COMPARE_H
#define CLIENT_GOLDEN_GOLDEN_COMPARE_H

#include "client/golden/golden_case.h"

/*
 * Compares @got, @bytes bytes of type @type without padding, with @want as the case says (exact,
 * close or near; golden_case.h). An int4 output may be
 * expected as int8, because LiteRT's Python wheel returns int4 tensors unpacked. On a difference
 * returns false and writes "first difference at 17: expected 3, got 4 (12 of 1000 elements
 * differ)" to @ret_text.
 */
bool golden_compare(const struct golden_entry *want, unsigned int type, const void *got,
	uint64_t bytes, char *ret_text, size_t text_size);

#endif
