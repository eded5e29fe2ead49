/* SPDX-License-Identifier: Apache-2.0 */
/* utf8 - sequences of UTF-8, and which of them a terminal shows */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed sequence (RFC 3629) at the beginning of @text; 0 if there is none.
 * *ret_code: its code point. */
size_t utf8_next(const void *text, size_t length, uint32_t *ret_code);

/* False for what a terminal acts on, what turns the order of what stands there, or what nobody sees: C0,
 * C1, DEL, line and paragraph separators, bidirectional controls, characters without a width, tags. */
bool utf8_shows(uint32_t code);

/* Ends a text that was cut to fit before the sequence that it cuts off, if it does. */
void utf8_end(char *text);

#endif
