/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/utf8.h"

#include <string.h>

/* Returns the length from the first byte; 0: no sequence begins with it. */
static size_t length_of(uint8_t first)
{
	return first < 0x80    ? 1
		: first < 0xC2 ? 0
		: first < 0xE0 ? 2
		: first < 0xF0 ? 3
		: first < 0xF5 ? 4
			       : 0;
}

size_t utf8_next(const void *text, size_t length, uint32_t *ret_code)
{
	static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *s = text;
	size_t bytes = length ? length_of(s[0]) : 0;
	if (bytes == 0 || bytes > length) {
		return 0;
	}
	uint32_t code = bytes == 1 ? s[0] : s[0] & (0xFFu >> (bytes + 1));
	for (size_t i = 1; i < bytes; i++) {
		if ((s[i] & 0xC0) != 0x80) {
			return 0;
		}
		code = code << 6 | (s[i] & 0x3F);
	}
	if (code < smallest[bytes] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
		return 0;
	}
	*ret_code = code;
	return bytes;
}

/* Zero-width characters: zero-width space and joiners, word joiner, byte order mark, tags. */
static bool is_hidden(uint32_t code)
{
	return (code >= 0x200B && code <= 0x200D) || code == 0x2060 || code == 0xFEFF ||
		(code >= 0xE0000 && code <= 0xE007F);
}

bool utf8_is_visible(uint32_t code)
{
	bool turns = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
		code == 0x200E || code == 0x200F || code == 0x061C;
	return code >= 0x20 && !(code >= 0x7F && code < 0xA0) && code != 0x2028 && code != 0x2029 &&
		!turns && !is_hidden(code);
}

void utf8_end(char *text)
{
	const size_t length = strlen(text);
	/* A truncated sequence has at most three bytes. */
	for (size_t back = 1; back <= 3 && back <= length; back++) {
		uint8_t byte = (uint8_t)text[length - back];
		if ((byte & 0xC0) != 0x80) {
			text[length - (length_of(byte) > back ? back : 0)] = 0;
			return;
		}
	}
}
