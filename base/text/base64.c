/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/base64.h"

#include <errno.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes four characters. Returns the number of bytes, or -1. */
static int decode_group(const char *text, bool last, uint8_t *out)
{
	int pad = last ? (text[3] == '=') + (text[3] == '=' && text[2] == '=') : 0;
	uint32_t bits = 0;
	for (int i = 0; i < 4; i++) {
		int value = i < 4 - pad ? value_of(text[i]) : 0;
		if (value < 0) {
			return -1;
		}
		bits = (bits << 6) | (uint32_t)value;
	}
	if (bits & ((1u << (8 * pad)) - 1)) {
		return -1; /* unused bits must be 0 */
	}
	for (int i = 0; i < 3 - pad; i++) {
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	}
	return 3 - pad;
}

int base64_decode(
	const char *text, size_t length, uint8_t **ret_data, size_t *ret_size, struct error *err)
{
	if (length % 4 != 0) {
		return error_set(err, -EINVAL, "base64: %zu digits", length);
	}
	owned_mem uint8_t *data = malloc(length / 4 * 3 + 1);
	if (!data) {
		return error_no_memory(err);
	}
	size_t size = 0;
	for (size_t i = 0; i < length; i += 4) {
		int n = decode_group(text + i, i + 4 == length, data + size);
		if (n < 0) {
			return error_set(err, -EINVAL, "base64: wrong at digit %zu", i);
		}
		size += (size_t)n;
	}
	data[size] = 0;
	*ret_size = size;
	*ret_data = take(data);
	return 0;
}

void base64_write(struct bytes_writer *w, const void *data, size_t size)
{
	const uint8_t *in = data;
	for (size_t i = 0; i < size; i += 3) {
		size_t n = size - i < 3 ? size - i : 3;
		uint32_t bits = (uint32_t)in[i] << 16;
		bits |= n > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= n > 2 ? in[i + 2] : 0;
		char group[4];
		for (size_t k = 0; k < 4; k++) {
			group[k] = k <= n ? digits[(bits >> (18 - 6 * k)) & 63] : '=';
		}
		bytes_write(w, group, sizeof(group));
	}
}
