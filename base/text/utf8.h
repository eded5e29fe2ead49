/* SPDX-License-Identifier: Apache-2.0 */
/* utf8 - decodes UTF-8, and tells which characters are safe on a terminal */
#ifndef BASE_TEXT_UTF8_H
#define BASE_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns the bytes of the well-formed sequence (RFC 3629) at the start of @text; 0 if there is
 * none. *ret_code: its code point. */
size_t utf8_next(const void *text, size_t length, uint32_t *ret_code);

/* Returns false for characters that control a terminal, reorder text or are invisible: C0, C1, DEL,
 * line and paragraph separators, bidirectional controls, zero-width characters, tags. */
bool utf8_is_visible(uint32_t code);

/* Removes an incomplete sequence from the end of a truncated text. */
void utf8_end(char *text);

#endif
