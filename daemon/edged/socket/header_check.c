/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/header_check.h"

#include <errno.h>

bool header_check_takes_fd(uint16_t type)
{
	return type == WIRE_REGION_ADD || type == WIRE_STORE || type == WIRE_RING_OPEN;
}

bool header_check_fd_follows(const uint8_t *bytes, uint64_t at, uint32_t end)
{
	while (at + WIRE_HEADER_BYTES <= end) {
		if (header_check_takes_fd(bytes_get_u16(bytes + at + 4))) {
			return true;
		}
		at += WIRE_HEADER_BYTES + (uint64_t)bytes_get_u32(bytes + at + 16);
	}
	return at < end;
}

bool header_check_heeds_deadline(uint16_t type)
{
	return type == WIRE_INFER || type == WIRE_SESSION_OPEN || type == WIRE_SESSION_RESET;
}

bool header_check_is_query(uint16_t type)
{
	return type == WIRE_LIST || type == WIRE_STORE_LIST || type == WIRE_STATUS ||
		type == WIRE_STATS || type == WIRE_FLIGHT || type == WIRE_CONFIG ||
		type == WIRE_DESCRIBE || type == WIRE_POWER;
}

bool header_check_knows(uint16_t type, uint16_t minor, uint64_t capabilities)
{
	bool of_sessions = type == WIRE_SESSION_OPEN || type == WIRE_SESSION_RESET ||
		type == WIRE_SESSION_CLOSE;
	bool of_regions = type == WIRE_REGION_ADD || type == WIRE_REGION_REMOVE;
	bool of_store = type == WIRE_STORE_LIST || type == WIRE_STORE;
	return type > 0 && type < WIRE_TYPE_COUNT && type != WIRE_EVENT &&
		(type < WIRE_STATS || minor >= 3) &&
		(type != WIRE_RING_OPEN || capabilities & WIRE_CAP_RINGS) &&
		(type != WIRE_SUBSCRIBE || capabilities & WIRE_CAP_STREAMS) &&
		(!of_sessions || capabilities & WIRE_CAP_SESSIONS) &&
		(!of_store || capabilities & WIRE_CAP_ADMIN) &&
		(!of_regions || capabilities & WIRE_CAP_SHARED_MEMORY);
}

int header_check_agreed(
	const struct wire_header *header, uint16_t minor, uint64_t capabilities, struct error *err)
{
	if (header->session != 0 && !(capabilities & WIRE_CAP_SESSIONS)) {
		return error_set(err, -EPROTO, "header: HELLO did not agree on sessions");
	}
	if (header->flags & ~WIRE_FLAG_REGIONS && minor < 3) {
		return error_set(err, -EPROTO, "header: keys and classes are of version 1.3");
	}
	if (header->flags & WIRE_FLAG_REGIONS && !(capabilities & WIRE_CAP_SHARED_MEMORY)) {
		return error_set(err, -EPROTO, "header: HELLO did not agree on shared memory");
	}
	return 0;
}

int header_check_slot(const uint8_t bytes[WIRE_HEADER_BYTES], uint32_t slot_bytes, uint16_t minor,
	uint64_t capabilities, struct wire_header *ret_header, struct error *err)
{
	int code = wire_header_decode(bytes, ret_header, err);
	if (code == 0 && ret_header->type != WIRE_INFER) {
		return error_set(err, -EPROTO, "a ring's slot holds INFER and nothing else");
	}
	if (code == 0 && ret_header->body_bytes > slot_bytes - WIRE_HEADER_BYTES) {
		return error_set(err, -EPROTO, "a body of %u bytes in a slot of %u",
			ret_header->body_bytes, slot_bytes);
	}
	return code < 0 ? code : header_check_agreed(ret_header, minor, capabilities, err);
}
