/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/base64.h"

#include <ctype.h>
#include <errno.h>
#include <nettle/base64.h>
#include <stdlib.h>

static bool has_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (isspace((unsigned char)text[i])) {
			return true;
		}
	}
	return false;
}

int base64_decode(
	const char *text, size_t length, uint8_t **ret_data, size_t *ret_size, struct error *err)
{
	struct base64_decode_ctx decoder;
	size_t size = BASE64_DECODE_LENGTH(length);
	if (length % 4 != 0 || has_blank(text, length)) { /* Nettle skips blanks */
		return error_set(err, -EINVAL, "base64: blanks, or %zu digits", length);
	}
	owned_mem uint8_t *data = malloc(size + 1);
	if (!data) {
		return error_no_memory(err);
	}
	base64_decode_init(&decoder);
	if (!base64_decode_update(&decoder, &size, data, length, text) ||
		!base64_decode_final(&decoder)) {
		return error_set(err, -EINVAL, "base64: a wrong digit");
	}
	data[size] = 0;
	*ret_size = size;
	*ret_data = take(data);
	return 0;
}

void base64_write(struct bytes_writer *w, const void *data, size_t size)
{
	char *text = bytes_reserve(w, BASE64_ENCODE_RAW_LENGTH(size));
	if (text) {
		base64_encode_raw(text, size, data);
	}
}
