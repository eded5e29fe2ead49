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

/* Takes @body. */
static int frame_write(FILE *out, uint16_t type, struct bytes_writer *body, struct error *err)
{
	uint8_t bytes[WIRE_HEADER_BYTES];
	const struct wire_header header = {
		.type = type, .id = 1, .body_bytes = (uint32_t)body->size};
	const bool built = !body->failed && body->size <= UINT32_MAX;
	wire_header_encode(&header, bytes);
	const bool written = built && fwrite(bytes, 1, sizeof(bytes), out) == sizeof(bytes) &&
		fwrite(body->data, 1, body->size, out) == body->size;
	const int why = errno;
	bytes_writer_deinit(body);
	return !built      ? error_no_memory(err)
		: !written ? error_set(err, -EIO, "writing: %s", strerror(why))
			   : 0;
}

int selftest_record_write(FILE *out, const struct target *target, const char *key,
	const struct tensor_bytes *inputs, const struct tensor_bytes *outputs, struct error *err)
{
	owned_mem struct wire_infer *infer = calloc(1, sizeof(*infer));
	owned_mem struct wire_infer_reply *reply = calloc(1, sizeof(*reply));
	struct bytes_writer question = {0}, answer = {0};
	if (!infer || !reply) {
		return error_no_memory(err);
	}
	infer->model = wire_text_of("");
	infer->version = wire_text_of("");
	infer->signature = wire_text_of(key ? key : "");
	infer->n_wanted = WIRE_ALL_OUTPUTS;
	infer->n_inputs = target->n_inputs;
	reply->version = wire_text_of("");
	reply->n_outputs = target->n_outputs;
	int code = tensors_fill(infer->inputs, inputs, target->n_inputs, err);
	code = code < 0 ? code : tensors_fill(reply->outputs, outputs, target->n_outputs, err);
	if (code < 0) {
		return code;
	}
	wire_infer_encode(&question, infer);
	code = frame_write(out, WIRE_INFER, &question, err);
	if (code < 0) {
		return code;
	}
	wire_infer_reply_encode(&answer, reply);
	return frame_write(out, WIRE_INFER | WIRE_REPLY, &answer, err);
}
