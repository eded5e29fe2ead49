/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/wire/wire.h"
#include "base/wire/wire_field.h"

void wire_session_open_encode(struct bytes_writer *w, const struct wire_session_open *open)
{
	wire_field_text_encode(w, open->model);
	wire_field_text_encode(w, open->version);
}

int wire_session_open_decode(
	const void *body, size_t size, struct wire_session_open *ret_open, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	ret_open->model = wire_field_name_decode(&r);
	ret_open->version = wire_field_name_decode(&r);
	return wire_end(&r, WIRE_SESSION_OPEN, err);
}

void wire_session_open_reply_encode(
	struct bytes_writer *w, const struct wire_session_open_reply *reply)
{
	bytes_write_u32(w, reply->session);
	wire_field_text_encode(w, reply->version);
	bytes_write_u64(w, reply->generation);
}

int wire_session_open_reply_decode(
	const void *body, size_t size, struct wire_session_open_reply *ret_reply, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_session_open_reply reply = {.session = bytes_read_u32(&r)};
	reply.version = wire_field_text_decode(&r);
	reply.generation = bytes_read_u64(&r);
	int code = wire_end(&r, WIRE_SESSION_OPEN, err);
	if (code == 0 && reply.session == 0) {
		code = error_set(err, -EPROTO, "SESSION_OPEN: session 0");
	}
	if (code == 0) {
		*ret_reply = reply;
	}
	return code;
}

void wire_session_encode(struct bytes_writer *w, uint32_t session)
{
	bytes_write_u32(w, session);
}

int wire_session_decode(
	const void *body, size_t size, unsigned int type, uint32_t *ret_session, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	uint32_t session = bytes_read_u32(&r);
	int code = wire_end(&r, type, err);
	if (code == 0) {
		*ret_session = session;
	}
	return code;
}
