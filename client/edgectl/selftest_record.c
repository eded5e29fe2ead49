/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/selftest_record.h"

#include <errno.h>
#include <string.h>

#include "base/wire/wire.h"

static int tensors_fill(
	struct wire_tensor *out, const struct tensor_bytes *tensors, uint32_t n, struct error *err)
{
	if (n > WIRE_MAX_TENSORS) {
		return error_set(err, -E2BIG, "more than %d tensors", WIRE_MAX_TENSORS);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (tensors[i].bytes > UINT32_MAX) {
			return error_set(err, -EFBIG, "tensor %u is too large", i);
		}
		out[i] = (struct wire_tensor){.index = (uint16_t)i,
			.name = wire_text_of(""),
			.type = (uint8_t)tensors[i].type,
			.shape = tensors[i].shape,
			.bytes = (uint32_t)tensors[i].bytes,
			.data = tensors[i].data};
	}
	return 0;
}

static int frame_write(FILE *out, uint16_t type, const struct bytes_writer *body, struct error *err)
{
	uint8_t bytes[WIRE_HEADER_BYTES];
	const struct wire_header header = {
		.type = type, .id = 1, .body_bytes = (uint32_t)body->size};
	if (body->failed || body->size > UINT32_MAX) {
		return error_no_memory(err);
	}
	wire_header_encode(&header, bytes);
	return fwrite(bytes, 1, sizeof(bytes), out) == sizeof(bytes) &&
			fwrite(body->data, 1, body->size, out) == body->size
		? 0
		: error_set(err, -EIO, "writing: %s", strerror(errno));
}

static int question_write(FILE *out, const struct target *target, const char *key,
	const struct tensor_bytes *inputs, struct error *err)
{
	owned_mem struct wire_infer *infer = calloc(1, sizeof(*infer));
	struct bytes_writer body = {0};
	if (!infer) {
		return error_no_memory(err);
	}
	infer->model = wire_text_of("");
	infer->version = wire_text_of("");
	infer->signature = wire_text_of(key ? key : "");
	infer->n_wanted = WIRE_ALL_OUTPUTS;
	infer->n_inputs = target->n_inputs;
	int code = tensors_fill(infer->inputs, inputs, target->n_inputs, err);
	if (code == 0) {
		wire_infer_encode(&body, infer);
		code = frame_write(out, WIRE_INFER, &body, err);
	}
	bytes_writer_deinit(&body);
	return code;
}

static int answer_write(FILE *out, const struct target *target, const struct tensor_bytes *outputs,
	struct error *err)
{
	owned_mem struct wire_infer_reply *reply = calloc(1, sizeof(*reply));
	struct bytes_writer body = {0};
	if (!reply) {
		return error_no_memory(err);
	}
	reply->version = wire_text_of("");
	reply->n_outputs = target->n_outputs;
	int code = tensors_fill(reply->outputs, outputs, target->n_outputs, err);
	if (code == 0) {
		wire_infer_reply_encode(&body, reply);
		code = frame_write(out, WIRE_INFER | WIRE_REPLY, &body, err);
	}
	bytes_writer_deinit(&body);
	return code;
}

int selftest_record_write(FILE *out, const struct target *target, const char *key,
	const struct tensor_bytes *inputs, const struct tensor_bytes *outputs, struct error *err)
{
	int code = question_write(out, target, key, inputs, err);
	return code < 0 ? code : answer_write(out, target, outputs, err);
}
