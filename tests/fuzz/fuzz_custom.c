/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the options of a custom operator, which the first byte chooses: refused, or numbers;
 * and as a table of strings: refused, or strings that lie inside of it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/strings.h"
#include "engine/model/options_custom.h"
#include "engine/operators.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(unsigned int op, const uint8_t *data, size_t size)
{
	struct op_options options = {0};
	struct error err = {0};
	if (options_custom_decode(op, data, size, &options, &err) < 0) {
		assert(err.code < 0 && err.text[0]);
	}
}

static void read_strings(uint64_t count, const uint8_t *data, size_t size)
{
	struct strings strings;
	if (strings_open(&strings, data, size, count, NULL) < 0) {
		return;
	}
	for (uint32_t i = 0; i < strings.count; i++) {
		uint32_t length = 0;
		const uint8_t *text = strings_get(&strings, i, &length);
		assert(text >= data && length <= size && text - data <= (ptrdiff_t)(size - length));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0) {
		return 0;
	}
	unsigned int n = OP_CUSTOM_END - OP_CUSTOM_FIRST;
	uint8_t *copy = malloc(size > 1 ? size - 1 : 1); /* a read beyond it is seen */
	assert(copy);
	memcpy(copy, data + 1, size - 1);
	decode(OP_CUSTOM_FIRST + data[0] % n, copy, size - 1);
	read_strings(data[0], copy, size - 1);
	free(copy);
	return 0;
}
