/* SPDX-License-Identifier: Apache-2.0 */
/* wire_text - texts in messages, and what messages are called in errors */
#ifndef BASE_WIRE_WIRE_TEXT_H
#define BASE_WIRE_WIRE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define WIRE_MAX_NAME 1024 /* bytes of a name in a request */

struct wire_text {
	const char *data; /* any bytes, without a terminating 0 */
	uint32_t length;
};

struct wire_text wire_text_of(const char *text);
bool wire_text_is(struct wire_text text, const char *other);

/* "HELLO", ...; "message" for a number that is not in the list. The reply bit is ignored. */
const char *wire_type_name(unsigned int type);

#endif
