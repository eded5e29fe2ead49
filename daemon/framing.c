/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/framing.h"

#include <errno.h>

#include "daemon/conn.h"
#include "daemon/edged.h"

int framing_check(struct conn *conn, struct error *err)
{
	const struct wire_header *header = &conn->header;
	int code = wire_header_decode(conn->bytes, &conn->header, err);
	if (code < 0) {
		return code;
	}
	if (header->type & WIRE_REPLY) {
		return error_set(err, -EPROTO, "header: a client sends no replies");
	}
	if (header->body_bytes > conn->edged->config.max_body) {
		return error_set(err, -EFBIG, "the body has %u bytes, the limit is %llu",
			header->body_bytes, (unsigned long long)conn->edged->config.max_body);
	}
	if (conn->state == CONN_HELLO && header->type != WIRE_HELLO) {
		return error_set(err, -EPROTO, "the first message is not HELLO");
	}
	if (header->session != 0 && !(conn->capabilities & WIRE_CAP_SESSIONS)) {
		return error_set(err, -EPROTO, "header: HELLO did not agree on sessions");
	}
	if (header->flags && !(conn->capabilities & WIRE_CAP_SHARED_MEMORY)) {
		return error_set(err, -EPROTO, "header: HELLO did not agree on shared memory");
	}
	if (conn->fd >= 0 && header->type != WIRE_REGION_ADD && header->type != WIRE_STORE) {
		return error_set(err, -EPROTO, "only REGION_ADD and STORE come with a descriptor");
	}
	return 0;
}

bool framing_knows(const struct conn *conn, uint16_t type)
{
	bool of_sessions = type == WIRE_SESSION_OPEN || type == WIRE_SESSION_RESET ||
		type == WIRE_SESSION_CLOSE;
	bool of_regions = type == WIRE_REGION_ADD || type == WIRE_REGION_REMOVE;
	bool of_store = type == WIRE_STORE_LIST || type == WIRE_STORE;
	return type > 0 && type < WIRE_TYPE_COUNT &&
		(!of_sessions || conn->capabilities & WIRE_CAP_SESSIONS) &&
		(!of_store || conn->capabilities & WIRE_CAP_ADMIN) &&
		(!of_regions || conn->capabilities & WIRE_CAP_SHARED_MEMORY);
}
