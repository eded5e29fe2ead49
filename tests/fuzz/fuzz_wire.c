/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a frame, read as what its type says it is, in both directions; the data pointers
 * that come out are read to their end. What an INFER decodes to is encoded again and must give the
 * same bytes, but for padding.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int touch(const void *data, size_t size)
{
	unsigned int sum = 0;
	for (size_t i = 0; i < size; i++) {
		sum += ((const uint8_t *)data)[i];
	}
	return sum;
}

static void touch_tensors(const struct wire_tensor *tensors, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (tensors[i].region == 0) {
			touch(tensors[i].data, tensors[i].bytes);
		}
		touch(tensors[i].name.data, tensors[i].name.length);
	}
}

static void infer(const uint8_t *body, size_t size, unsigned int flags)
{
	static struct wire_infer message, head, again;
	struct bytes_writer w = {0};
	int code = wire_infer_decode(body, size, flags, &message, NULL);
	for (size_t n = 0; n < size && n < 256; n += 17) {
		int early = wire_infer_decode_head(body, n, (uint32_t)size, flags, &head, NULL);
		assert(code != 0 || early == 0 || early == -EAGAIN);
	}
	if (code != 0) {
		return;
	}
	touch_tensors(message.inputs, message.n_inputs);
	wire_infer_encode(&w, &message);
	assert(w.failed || w.size == size);
	if (!w.failed) {
		code = wire_infer_decode(w.data, w.size, flags, &again, NULL);
		assert(code == 0 && again.n_inputs == message.n_inputs &&
			again.n_places == message.n_places);
	}
	bytes_writer_deinit(&w);
}

static void infer_reply(const uint8_t *body, size_t size, unsigned int flags)
{
	static struct wire_infer_reply reply;
	if (wire_infer_reply_decode(body, size, flags, &reply, NULL) == 0) {
		touch_tensors(reply.outputs, reply.n_outputs);
	}
}

static void list_reply(const uint8_t *body, size_t size)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_list_item item;
	uint32_t n = 0;
	if (wire_list_decode(&r, &n, NULL) < 0) {
		return;
	}
	for (uint32_t i = 0; i < n && wire_list_item_decode(&r, &item, NULL) == 0; i++) {
		touch(item.reason.data, item.reason.length);
	}
}

static void signature(struct bytes_reader *r)
{
	struct wire_signature signature;
	struct wire_tensor_info info;
	if (wire_signature_decode(r, &signature, NULL) < 0) {
		return;
	}
	for (uint32_t i = 0; i < signature.n_inputs + signature.n_outputs; i++) {
		if (wire_tensor_info_decode(r, &info, NULL) < 0) {
			return;
		}
		touch(info.mean, info.n_mean * sizeof(float));
		touch(info.std, info.n_std * sizeof(float));
		touch(info.labels.data, info.labels.length);
	}
}

static void describe_reply(const uint8_t *body, size_t size)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_model model;
	if (wire_model_decode(&r, &model, NULL) < 0) {
		return;
	}
	touch(model.labels.data, model.labels.length);
	for (uint32_t i = 0; i < model.n_signatures && !r.failed && r.at < r.size; i++) {
		signature(&r);
	}
}

static void small(const uint8_t *body, size_t size)
{
	struct wire_hello hello;
	struct wire_hello_reply hello_reply;
	struct wire_describe describe;
	struct wire_status status;
	struct wire_reload_reply reload;
	struct wire_session_open open;
	struct wire_session_open_reply opened;
	struct error err;
	uint64_t id = 0;
	uint32_t session = 0, number = 0;
	struct wire_region region;
	int all = wire_hello_decode(body, size, &hello, NULL) |
		wire_hello_reply_decode(body, size, &hello_reply, NULL) |
		wire_describe_decode(body, size, &describe, NULL) |
		wire_status_decode(body, size, &status, NULL) |
		wire_cancel_decode(body, size, &id, NULL) |
		wire_reload_reply_decode(body, size, &reload, NULL) |
		wire_session_open_decode(body, size, &open, NULL) |
		wire_session_open_reply_decode(body, size, &opened, NULL) |
		wire_session_decode(body, size, WIRE_SESSION_RESET, &session, NULL) |
		wire_region_add_decode(body, size, &region, NULL) |
		wire_region_decode(body, size, WIRE_REGION_REMOVE, &number, NULL) |
		wire_error_decode(body, size, EDGE_INVALID, &err);
	assert(all <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_header header;
	if (size < WIRE_HEADER_BYTES) {
		return 0;
	}
	int code = wire_header_decode(data, &header, NULL);
	assert(code <= 0);
	if (code == 0) {
		uint8_t again[WIRE_HEADER_BYTES];
		wire_header_encode(&header, again);
		assert(memcmp(again, data, sizeof(again)) == 0);
	}
	size -= WIRE_HEADER_BYTES;
	uint8_t *body = malloc(size ? size : 1); /* its end is the end that a sanitizer watches */
	assert(body);
	memcpy(body, data + WIRE_HEADER_BYTES, size);
	for (unsigned int flags = 0; flags <= WIRE_FLAG_REGIONS; flags++) {
		infer(body, size, flags);
		infer_reply(body, size, flags);
	}
	list_reply(body, size);
	describe_reply(body, size);
	small(body, size);
	free(body);
	return 0;
}
