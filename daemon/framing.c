/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/framing.h"

#include <errno.h>

#include "base/clock.h"
#include "daemon/admission.h"
#include "daemon/conn.h"
#include "daemon/edged.h"

#define SMALL_BODY 4096u /* of every message but INFER */

bool framing_takes_descriptor(uint16_t type)
{
	return type == WIRE_REGION_ADD || type == WIRE_STORE || type == WIRE_RING_OPEN;
}

bool framing_heeds_deadline(uint16_t type)
{
	return type == WIRE_INFER || type == WIRE_SESSION_OPEN || type == WIRE_SESSION_RESET;
}

/* What was read together may be several messages, and the descriptor came with one of them: the first
 * behind the header at hand that may have one. A header that is not all there may be of that one. */
static bool other_follows(const struct conn *conn)
{
	uint64_t at = (uint64_t)conn->ahead_at + conn->header.body_bytes;
	while (at + WIRE_HEADER_BYTES <= conn->ahead_end) {
		const uint8_t *header = conn->ahead + at;
		if (framing_takes_descriptor(bytes_get_u16(header + 4))) {
			return true;
		}
		at += WIRE_HEADER_BYTES + (uint64_t)bytes_get_u32(header + 16);
	}
	return at < conn->ahead_end;
}

/* What HELLO agreed on, and no more. */
static int check_agreed(
	const struct conn *conn, const struct wire_header *header, struct error *err)
{
	if (header->session != 0 && !(conn->capabilities & WIRE_CAP_SESSIONS)) {
		return error_set(err, -EPROTO, "header: HELLO did not agree on sessions");
	}
	if (header->flags & ~WIRE_FLAG_REGIONS && conn->minor < 3) {
		return error_set(err, -EPROTO, "header: keys and classes are of version 1.3");
	}
	if (header->flags & WIRE_FLAG_REGIONS && !(conn->capabilities & WIRE_CAP_SHARED_MEMORY)) {
		return error_set(err, -EPROTO, "header: HELLO did not agree on shared memory");
	}
	return 0;
}

int framing_check_slot(const struct conn *conn, const uint8_t bytes[WIRE_HEADER_BYTES],
	uint32_t slot_bytes, struct wire_header *ret_header, struct error *err)
{
	int code = wire_header_decode(bytes, ret_header, err);
	if (code == 0 && ret_header->type != WIRE_INFER) {
		return error_set(err, -EPROTO, "a ring's slot holds INFER and nothing else");
	}
	if (code == 0 && ret_header->body_bytes > slot_bytes - WIRE_HEADER_BYTES) {
		return error_set(err, -EPROTO, "a body of %u bytes in a slot of %u",
			ret_header->body_bytes, slot_bytes);
	}
	return code < 0 ? code : check_agreed(conn, ret_header, err);
}

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
	if (conn->fd != -1 && !framing_takes_descriptor(header->type) && !other_follows(conn)) {
		return error_set(err, -EPROTO,
			"only REGION_ADD, RING_OPEN and STORE come with a descriptor");
	}
	return check_agreed(conn, header, err);
}

bool framing_knows(const struct conn *conn, uint16_t type)
{
	bool of_sessions = type == WIRE_SESSION_OPEN || type == WIRE_SESSION_RESET ||
		type == WIRE_SESSION_CLOSE;
	bool of_regions = type == WIRE_REGION_ADD || type == WIRE_REGION_REMOVE;
	bool of_store = type == WIRE_STORE_LIST || type == WIRE_STORE;
	return type > 0 && type < WIRE_TYPE_COUNT && type != WIRE_EVENT &&
		(type < WIRE_STATS || conn->minor >= 3) &&
		(type != WIRE_RING_OPEN || conn->capabilities & WIRE_CAP_RINGS) &&
		(type != WIRE_SUBSCRIBE || conn->capabilities & WIRE_CAP_STREAMS) &&
		(!of_sessions || conn->capabilities & WIRE_CAP_SESSIONS) &&
		(!of_store || conn->capabilities & WIRE_CAP_ADMIN) &&
		(!of_regions || conn->capabilities & WIRE_CAP_SHARED_MEMORY);
}

static int socket_of(const struct conn *conn)
{
	int fd = -1;
	int code = uv_fileno((const uv_handle_t *)&conn->pipe, &fd);
	return code < 0 ? -1 : fd;
}

bool framing_may(struct conn *conn, enum access_right right)
{
	return access_may(&conn->edged->access, &conn->access, socket_of(conn), conn->uid, right);
}

bool framing_may_use(struct conn *conn, const char *model)
{
	return access_may_use(
		&conn->edged->access, &conn->access, socket_of(conn), conn->uid, model);
}

static int check_infer(
	struct conn *conn, const struct wire_header *header, uint64_t now_ns, struct error *err)
{
	if (conn->edged->draining) {
		error_set(err, -ESHUTDOWN, "edged is about to stop");
		err->status = EDGE_DRAINING;
		return -ESHUTDOWN;
	}
	if (!framing_may(conn, ACCESS_CLASS + request_class(header))) {
		return error_set(err, -EACCES, "this user may not ask in that class");
	}
	return admission_check_header(&conn->edged->dispatch, header, &conn->line, now_ns, err);
}

int framing_admit(struct conn *conn, const struct wire_header *header, struct request **ret_request,
	struct error *err)
{
	if (!framing_knows(conn, header->type)) {
		return error_set(
			err, -EOPNOTSUPP, "messages of type %u are not known", header->type);
	}
	if (header->type != WIRE_INFER && header->body_bytes > SMALL_BODY) {
		return error_set(err, -EPROTO, "%s: the body has %u bytes",
			wire_type_name(header->type), header->body_bytes);
	}
	if (dispatch_find(&conn->edged->dispatch, conn, header->id) ||
		(conn->subscribed && conn->subscription == header->id)) {
		return error_set(err, -EINVAL, "a request of that id is in flight");
	}
	const uint64_t now_ns = clock_now_ns();
	int code = header->type == WIRE_INFER ? check_infer(conn, header, now_ns, err) : 0;
	return code < 0 ? code : request_new(conn->account, header, now_ns, ret_request, err);
}
