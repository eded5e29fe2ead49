/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire/wire.h"

#include <errno.h>

#include "base/wire/wire_field.h"

static const uint8_t magic[4] = {'E', 'D', 'G', '1'};

static const char *const type_names[WIRE_TYPE_COUNT] = {
	[WIRE_HELLO] = "HELLO",
	[WIRE_LIST] = "LIST",
	[WIRE_DESCRIBE] = "DESCRIBE",
	[WIRE_INFER] = "INFER",
	[WIRE_STATUS] = "STATUS",
	[WIRE_CANCEL] = "CANCEL",
	[WIRE_RELOAD] = "RELOAD",
	[WIRE_SESSION_OPEN] = "SESSION_OPEN",
	[WIRE_SESSION_RESET] = "SESSION_RESET",
	[WIRE_SESSION_CLOSE] = "SESSION_CLOSE",
	[WIRE_STORE_LIST] = "STORE_LIST",
	[WIRE_STORE] = "STORE",
	[WIRE_REGION_ADD] = "REGION_ADD",
	[WIRE_REGION_REMOVE] = "REGION_REMOVE",
	[WIRE_SUBSCRIBE] = "SUBSCRIBE",
	[WIRE_EVENT] = "EVENT",
	[WIRE_STATS] = "STATS",
	[WIRE_FLIGHT] = "FLIGHT",
	[WIRE_CONFIG] = "CONFIG",
	[WIRE_RING_OPEN] = "RING_OPEN",
	[WIRE_POWER] = "POWER",
};

const char *wire_type_name(unsigned int type)
{
	type &= ~WIRE_REPLY;
	return type < WIRE_TYPE_COUNT && type_names[type] ? type_names[type] : "message";
}

void wire_header_encode(const struct wire_header *header, uint8_t out[WIRE_HEADER_BYTES])
{
	_Static_assert(sizeof(magic) == 4, "the fields fill the header");
	memcpy(out, magic, sizeof(magic));
	memcpy(out + 4, &header->type, 2);
	memcpy(out + 6, &header->flags, 2);
	memcpy(out + 8, &header->id, 8);
	memcpy(out + 16, &header->body_bytes, 4);
	memcpy(out + 20, &header->status, 4);
	memcpy(out + 24, &header->deadline_us, 4);
	memcpy(out + 28, &header->session, 4);
}

int wire_header_decode(
	const uint8_t in[WIRE_HEADER_BYTES], struct wire_header *ret_header, struct error *err)
{
	*ret_header = (struct wire_header){0};
	if (memcmp(in, magic, sizeof(magic)) != 0) {
		return error_set(err, -EPROTO, "header: the frame does not begin with EDG1");
	}
	*ret_header = (struct wire_header){
		.type = bytes_get_u16(in + 4),
		.flags = bytes_get_u16(in + 6),
		.id = bytes_get_u64(in + 8),
		.body_bytes = bytes_get_u32(in + 16),
		.status = bytes_get_u32(in + 20),
		.deadline_us = bytes_get_u32(in + 24),
		.session = bytes_get_u32(in + 28),
	};
	bool reply = ret_header->type & WIRE_REPLY;
	bool infer = (ret_header->type & ~WIRE_REPLY) == WIRE_INFER;
	const unsigned int known = !infer ? 0
		: reply                   ? WIRE_FLAG_REGIONS
					  : WIRE_FLAG_REGIONS | WIRE_FLAG_KEY | WIRE_FLAGS_CLASS;
	if (ret_header->flags & ~known) {
		return error_set(
			err, -EPROTO, "header: flags 0x%04x are not known", ret_header->flags);
	}
	if (ret_header->session != 0 && ret_header->type != WIRE_INFER) {
		return error_set(err, -EPROTO, "header: bytes 28 to 31 are not zero");
	}
	bool timed = !reply || ret_header->status == EDGE_OVERLOADED;
	if ((!timed && ret_header->deadline_us != 0) || (!reply && ret_header->status != 0)) {
		return error_set(err, -EPROTO, "header: a %s has no %s",
			reply ? "reply" : "request", reply ? "deadline" : "status");
	}
	return 0;
}

struct wire_text wire_text_of(const char *text)
{
	return (struct wire_text){.data = text, .length = (uint32_t)strlen(text)};
}

bool wire_text_is(struct wire_text text, const char *other)
{
	return strlen(other) == text.length && memcmp(text.data, other, text.length) == 0;
}

int wire_end(const struct bytes_reader *r, unsigned int type, struct error *err)
{
	if (r->failed) {
		return wire_field_malformed(type, err);
	}
	if (r->at != r->size) {
		return error_set(err, -EPROTO, "%s: %zu bytes follow the last field",
			wire_type_name(type), r->size - r->at);
	}
	return 0;
}

/* ---- errors */

void wire_error_encode(struct bytes_writer *w, const char *text)
{
	struct wire_text all = wire_text_of(text);
	if (all.length > WIRE_MAX_TEXT) {
		all.length = WIRE_MAX_TEXT;
	}
	wire_field_text_encode(w, all);
}

static int code_of(uint32_t status)
{
	static const int codes[EDGE_STATUS_COUNT] = {
		[EDGE_OK] = -EPROTO,
		[EDGE_INVALID] = -EINVAL,
		[EDGE_NOT_FOUND] = -ENOENT,
		[EDGE_DENIED] = -EACCES,
		[EDGE_TOO_LARGE] = -EFBIG,
		[EDGE_OVERLOADED] = -EAGAIN,
		[EDGE_DEADLINE] = -ETIMEDOUT,
		[EDGE_CANCELLED] = -ECANCELED,
		[EDGE_SUPERSEDED] = -ECANCELED,
		[EDGE_UNSUPPORTED] = -EOPNOTSUPP,
		[EDGE_MODEL_REFUSED] = -EBADMSG,
		[EDGE_BACKEND] = -EIO,
		[EDGE_INTERNAL] = -ENOMEM,
		[EDGE_DRAINING] = -ESHUTDOWN,
	};
	return status < EDGE_STATUS_COUNT ? codes[status] : -EPROTO;
}

int wire_error_decode(const void *body, size_t size, uint32_t status, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_text text = wire_field_text_decode(&r);
	int code = code_of(status);
	if (!err) {
		return code;
	}
	error_set(err, code, "%s", status_name(status));
	err->status = status < EDGE_STATUS_COUNT ? (enum edge_status)status : EDGE_INTERNAL;
	if (!r.failed && text.length > 0) {
		error_clean(err->text, sizeof(err->text), text.data, text.length);
	}
	return code;
}

/* ---- HELLO */

void wire_hello_encode(struct bytes_writer *w, const struct wire_hello *hello)
{
	bytes_write_u16(w, hello->major);
	bytes_write_u16(w, hello->minor);
	bytes_write_u64(w, hello->capabilities);
	wire_field_text_encode(w, hello->name);
}

int wire_hello_decode(
	const void *body, size_t size, struct wire_hello *ret_hello, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_hello hello = {.major = bytes_read_u16(&r)};
	hello.minor = bytes_read_u16(&r);
	hello.capabilities = bytes_read_u64(&r);
	hello.name = wire_field_text_decode(&r);
	if (hello.name.length > 255) {
		return error_set(err, -EPROTO, "HELLO: the name has more than 255 bytes");
	}
	int code = wire_field_check(&r, WIRE_HELLO, err);
	if (code == 0) {
		*ret_hello = hello;
	}
	return code;
}

void wire_hello_reply_encode(struct bytes_writer *w, const struct wire_hello_reply *reply)
{
	bytes_write_u16(w, reply->major);
	bytes_write_u16(w, reply->minor);
	bytes_write_u64(w, reply->capabilities);
	bytes_write_u32(w, reply->max_body);
	bytes_write_u32(w, reply->max_in_flight);
	bytes_write_u32(w, reply->max_tensors);
	wire_field_text_encode(w, reply->name);
	wire_field_text_encode(w, reply->version);
	if (reply->minor >= 1) {
		bytes_write_u32(w, reply->max_sessions);
	}
}

int wire_hello_reply_decode(
	const void *body, size_t size, struct wire_hello_reply *ret_reply, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_hello_reply reply = {.major = bytes_read_u16(&r)};
	reply.minor = bytes_read_u16(&r);
	reply.capabilities = bytes_read_u64(&r);
	reply.max_body = bytes_read_u32(&r);
	reply.max_in_flight = bytes_read_u32(&r);
	reply.max_tensors = bytes_read_u32(&r);
	reply.name = wire_field_text_decode(&r);
	reply.version = wire_field_text_decode(&r);
	if (reply.minor >= 1) {
		reply.max_sessions = bytes_read_u32(&r);
	}
	int code = wire_field_check(&r, WIRE_HELLO, err);
	if (code == 0) {
		*ret_reply = reply;
	}
	return code;
}

/* ---- LIST */

void wire_list_encode(struct bytes_writer *w, uint32_t n_items)
{
	bytes_write_u32(w, n_items);
}

void wire_list_item_encode(struct bytes_writer *w, const struct wire_list_item *item)
{
	wire_field_text_encode(w, item->name);
	wire_field_text_encode(w, item->version);
	wire_field_text_encode(w, item->state);
	wire_field_text_encode(w, item->reason);
	bytes_write_u64(w, item->generation);
}

int wire_list_decode(struct bytes_reader *r, uint32_t *ret_n_items, struct error *err)
{
	/* Four empty texts and a number: rejects a count that does not fit the body. */
	const size_t smallest = 4 * 2 + 8;
	uint32_t n = bytes_read_u32(r);
	if (r->failed || n > (r->size - r->at) / smallest) {
		return wire_field_malformed(WIRE_LIST, err);
	}
	*ret_n_items = n;
	return 0;
}

int wire_list_item_decode(
	struct bytes_reader *r, struct wire_list_item *ret_item, struct error *err)
{
	struct wire_list_item item = {.name = wire_field_text_decode(r)};
	item.version = wire_field_text_decode(r);
	item.state = wire_field_text_decode(r);
	item.reason = wire_field_text_decode(r);
	item.generation = bytes_read_u64(r);
	int code = wire_field_check(r, WIRE_LIST, err);
	if (code == 0) {
		*ret_item = item;
	}
	return code;
}

/* ---- SUBSCRIBE, EVENT */

void wire_subscribe_encode(struct bytes_writer *w, uint32_t kinds)
{
	bytes_write_u32(w, kinds);
}

int wire_subscribe_decode(const void *body, size_t size, uint32_t *ret_kinds, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	uint32_t kinds = bytes_read_u32(&r);
	int code = wire_end(&r, WIRE_SUBSCRIBE, err);
	if (code == 0) {
		*ret_kinds = kinds;
	}
	return code;
}

void wire_event_encode(struct bytes_writer *w, uint32_t kind, uint32_t n_items)
{
	bytes_write_u32(w, kind);
	wire_list_encode(w, n_items);
}

int wire_event_decode(struct bytes_reader *r, uint32_t *ret_n_items, struct error *err)
{
	uint32_t kind = bytes_read_u32(r);
	if (!r->failed && kind != WIRE_EVENT_MODELS) {
		return error_set(err, -EPROTO, "EVENT: kind %u was not asked for", kind);
	}
	return wire_list_decode(r, ret_n_items, err);
}

/* ---- STATUS, CANCEL, RELOAD */

void wire_status_encode(struct bytes_writer *w, const struct wire_status *status)
{
	bytes_write_u64(w, status->uptime_us);
	bytes_write_u32(w, status->models_ready);
	bytes_write_u32(w, status->models_loading);
	bytes_write_u32(w, status->models_refused);
	bytes_write_u32(w, status->clients);
	bytes_write_u32(w, status->workers);
	bytes_write_u32(w, status->queue_length);
	bytes_write_u32(w, status->running);
	bytes_write_u64(w, status->resident_bytes);
	bytes_write_u64(w, status->charged_bytes);
	bytes_write_u64(w, status->queue_us);
	bytes_write_u64(w, status->run_us);
	bytes_write_u32(w, status->n_counts);
	for (uint32_t i = 0; i < status->n_counts; i++) {
		bytes_write_u64(w, status->counts[i]);
	}
	if (status->memory) {
		bytes_write_u32(w, status->models_unloaded);
		bytes_write_u64(w, status->held_bytes);
		bytes_write_u64(w, status->budget_bytes);
	}
}

int wire_status_decode(
	const void *body, size_t size, struct wire_status *ret_status, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_status status = {.uptime_us = bytes_read_u64(&r)};
	status.models_ready = bytes_read_u32(&r);
	status.models_loading = bytes_read_u32(&r);
	status.models_refused = bytes_read_u32(&r);
	status.clients = bytes_read_u32(&r);
	status.workers = bytes_read_u32(&r);
	status.queue_length = bytes_read_u32(&r);
	status.running = bytes_read_u32(&r);
	status.resident_bytes = bytes_read_u64(&r);
	status.charged_bytes = bytes_read_u64(&r);
	status.queue_us = bytes_read_u64(&r);
	status.run_us = bytes_read_u64(&r);
	uint32_t n = bytes_read_u32(&r);
	for (uint32_t i = 0; i < n && !r.failed; i++) {
		uint64_t count = bytes_read_u64(&r);
		if (i < EDGE_STATUS_COUNT) {
			status.counts[i] = count;
			status.n_counts = i + 1;
		}
	}
	status.memory = r.at < r.size;
	if (status.memory) {
		status.models_unloaded = bytes_read_u32(&r);
		status.held_bytes = bytes_read_u64(&r);
		status.budget_bytes = bytes_read_u64(&r);
	}
	int code = wire_end(&r, WIRE_STATUS, err);
	if (code == 0) {
		*ret_status = status;
	}
	return code;
}

void wire_cancel_encode(struct bytes_writer *w, uint64_t id)
{
	bytes_write_u64(w, id);
}

int wire_cancel_decode(const void *body, size_t size, uint64_t *ret_id, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	uint64_t id = bytes_read_u64(&r);
	int code = wire_end(&r, WIRE_CANCEL, err);
	if (code == 0) {
		*ret_id = id;
	}
	return code;
}

void wire_reload_reply_encode(struct bytes_writer *w, const struct wire_reload_reply *reply)
{
	bytes_write_u32(w, reply->models_ready);
	bytes_write_u32(w, reply->models_refused);
}

int wire_reload_reply_decode(
	const void *body, size_t size, struct wire_reload_reply *ret_reply, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_reload_reply reply = {.models_ready = bytes_read_u32(&r)};
	reply.models_refused = bytes_read_u32(&r);
	int code = wire_end(&r, WIRE_RELOAD, err);
	if (code == 0) {
		*ret_reply = reply;
	}
	return code;
}
