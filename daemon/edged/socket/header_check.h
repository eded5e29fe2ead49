/* SPDX-License-Identifier: Apache-2.0 */
/* header_check - what a message's header alone tells; @minor and @capabilities are HELLO's */
#ifndef DAEMON_EDGED_SOCKET_HEADER_CHECK_H
#define DAEMON_EDGED_SOCKET_HEADER_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire/wire.h"

/* True when messages of @type may come with a descriptor. */
bool header_check_takes_fd(uint16_t type);
/* True when a header from byte @at of @bytes on, of which @end are there, is of a message that may
 * come with a descriptor. An incomplete header may be. */
bool header_check_fd_follows(const uint8_t *bytes, uint64_t at, uint32_t end);
/* True when the deadline in a header of @type has an effect. */
bool header_check_heeds_deadline(uint16_t type);

/* True for types that only read lists and numbers, which the loop answers itself. */
bool header_check_is_query(uint16_t type);

/* True for types that the version and capabilities of HELLO allow. */
bool header_check_knows(uint16_t type, uint16_t minor, uint64_t capabilities);

/* -EPROTO when @header uses more than HELLO agreed on. */
int must_check header_check_agreed(
	const struct wire_header *header, uint16_t minor, uint64_t capabilities, struct error *err);
/* Decodes and checks the header in a ring's slot of @slot_bytes. -EPROTO, and *ret_header is filled
 * as far as wire_header_decode() does. */
int must_check header_check_slot(const uint8_t bytes[WIRE_HEADER_BYTES], uint32_t slot_bytes,
	uint16_t minor, uint64_t capabilities, struct wire_header *ret_header, struct error *err);

#endif
