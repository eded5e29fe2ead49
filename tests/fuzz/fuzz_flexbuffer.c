/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a FlexBuffer: refused, or a value all of whose parts lie inside the bytes. Elements
 * may contain each other; so what is read has a limit, which the reader itself does not need.
 */
#include <assert.h>
#include <string.h>

#include "base/flexbuffer.h"

#define MAX_VALUES 10000
#define MAX_DEPTH 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch_text(const struct flexbuffer *value)
{
	const char *text = NULL;
	size_t length = 0;
	if (flexbuffer_get_text(value, &text, &length, NULL) == 0 && length > 0) {
		volatile char read = text[0];
		read = text[length - 1];
		(void)read;
	}
}

static void touch(const struct flexbuffer *value, unsigned int depth, unsigned int *left)
{
	static const char *const keys[] = {"a", "num_classes", "", "window_size"};
	struct flexbuffer part;
	uint32_t n = 0;
	int64_t whole = 0;
	double real = 0;
	(void)!flexbuffer_get_int(value, &whole, NULL);
	(void)!flexbuffer_get_float(value, &real, NULL);
	touch_text(value);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && *left > 0; i++) {
		if (flexbuffer_find(value, keys[i], &part, NULL) == 0) {
			assert(part.at < value->size);
		}
	}
	if (depth == 0 || flexbuffer_count(value, &n, NULL) < 0) {
		return;
	}
	for (uint32_t i = 0; i<n && * left> 0; i++) {
		--*left;
		int r = flexbuffer_element(value, i, &part, NULL);
		assert(r == 0);
		touch(&part, depth - 1, left);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flexbuffer root;
	struct error err = {0};
	unsigned int left = MAX_VALUES;
	if (flexbuffer_open(data, size, &root, &err) < 0) {
		assert(err.code < 0 && err.text[0]);
		return 0;
	}
	touch(&root, MAX_DEPTH, &left);
	return 0;
}
