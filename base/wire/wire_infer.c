/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/wire/wire.h"
#include "base/wire/wire_field.h"

static void tensor_encode(struct bytes_writer *w, const struct wire_tensor *tensor, bool regions)
{
	bytes_write_u16(w, tensor->index);
	wire_field_text_encode(w, tensor->name);
	bytes_write_u8(w, tensor->type);
	wire_field_shape_encode(w, &tensor->shape);
	bytes_write_u32(w, tensor->bytes);
	if (regions) {
		bytes_write_u32(w, tensor->region);
		bytes_write_u64(w, tensor->offset);
	}
}

/* Name of a tensor in errors: "INFER: input 3" in requests, "INFER: output 3" in replies. */
struct subject {
	const char *kind;
	uint32_t index;
};

static int bytes_check(const struct wire_tensor *tensor, struct subject subject, struct error *err)
{
	char text[SHAPE_TEXT_SIZE];
	uint64_t bytes = 0;
	int code = tensor->type == DTYPE_STRING ? shape_elements(&tensor->shape, &bytes)
						: shape_bytes(&tensor->shape, tensor->type, &bytes);
	if (code < 0) {
		shape_format(text, sizeof(text), &tensor->shape);
		return error_set(err, -EPROTO, "INFER: %s %u: %s %s cannot be sent", subject.kind,
			subject.index, dtype_name(tensor->type), text);
	}
	if (tensor->type != DTYPE_STRING && bytes != tensor->bytes) {
		shape_format(text, sizeof(text), &tensor->shape);
		return error_set(err, -EPROTO, "INFER: %s %u: %s %s has %llu bytes, not %u",
			subject.kind, subject.index, dtype_name(tensor->type), text,
			(unsigned long long)bytes, tensor->bytes);
	}
	return 0;
}

static int offset_check(uint64_t offset, struct subject subject, struct error *err)
{
	return offset % WIRE_ALIGNMENT == 0
		? 0
		: error_set(err, -EPROTO, "INFER: %s %u: offset %llu is no multiple of %d",
			  subject.kind, subject.index, (unsigned long long)offset, WIRE_ALIGNMENT);
}

static int tensor_decode(struct bytes_reader *r, bool regions, struct subject subject,
	struct wire_tensor *ret_tensor, struct error *err)
{
	struct wire_tensor tensor = {.index = bytes_read_u16(r)};
	tensor.name = wire_field_name_decode(r);
	tensor.type = bytes_read_u8(r);
	tensor.shape = wire_field_shape_decode(r, 0);
	tensor.bytes = bytes_read_u32(r);
	tensor.region = regions ? bytes_read_u32(r) : 0;
	tensor.offset = regions ? bytes_read_u64(r) : 0;
	*ret_tensor = tensor;
	if (r->failed || (tensor.region == 0 && tensor.offset != 0)) {
		return wire_field_malformed(WIRE_INFER, err);
	}
	int code = offset_check(tensor.offset, subject, err);
	return code < 0 ? code : bytes_check(&tensor, subject, err);
}

static int tensors_decode(struct bytes_reader *r, bool regions, const char *kind,
	struct wire_tensor *tensors, uint32_t n, struct error *err)
{
	int code = 0;
	for (uint32_t i = 0; code == 0 && i < n; i++) {
		code = tensor_decode(r, regions, (struct subject){kind, i}, &tensors[i], err);
	}
	return code;
}

static void data_encode(struct bytes_writer *w, const struct wire_tensor *tensors, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (tensors[i].region == 0) {
			bytes_write_align(w, WIRE_ALIGNMENT);
			bytes_write(w, tensors[i].data, tensors[i].bytes);
		}
	}
}

static void data_decode(struct bytes_reader *r, struct wire_tensor *tensors, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (tensors[i].region == 0) {
			bytes_read_align(r, WIRE_ALIGNMENT);
			tensors[i].data = bytes_read(r, tensors[i].bytes);
		}
	}
}

static void places_encode(struct bytes_writer *w, const struct wire_infer *infer)
{
	bytes_write_u16(w, (uint16_t)infer->n_places);
	for (uint32_t i = 0; i < infer->n_places; i++) {
		const struct wire_place *place = &infer->places[i];
		bytes_write_u16(w, place->output);
		bytes_write_u32(w, place->region);
		bytes_write_u64(w, place->offset);
		bytes_write_u64(w, place->room);
	}
}

static int places_decode(struct bytes_reader *r, struct wire_infer *infer, struct error *err)
{
	int code = 0;
	infer->n_places = infer->regions ? bytes_read_u16(r) : 0;
	if (r->failed) {
		return wire_field_malformed(WIRE_INFER, err);
	}
	if (infer->n_places > WIRE_MAX_TENSORS) {
		return error_set(err, -EPROTO, "INFER: more than %d places", WIRE_MAX_TENSORS);
	}
	for (uint32_t i = 0; code == 0 && i < infer->n_places; i++) {
		struct wire_place *place = &infer->places[i];
		*place = (struct wire_place){.output = bytes_read_u16(r)};
		place->region = bytes_read_u32(r);
		place->offset = bytes_read_u64(r);
		place->room = bytes_read_u64(r);
		code = r->failed || place->region == 0
			? wire_field_malformed(WIRE_INFER, err)
			: offset_check(place->offset, (struct subject){"place", i}, err);
	}
	return code;
}

void wire_infer_encode_head(struct bytes_writer *w, const struct wire_infer *infer)
{
	wire_field_text_encode(w, infer->model);
	wire_field_text_encode(w, infer->version);
	wire_field_text_encode(w, infer->signature);
	if (infer->key) {
		bytes_write_u64(w, infer->key);
	}
	bytes_write_u16(w, (uint16_t)infer->n_inputs);
	bytes_write_u16(w, (uint16_t)infer->n_wanted);
	for (uint32_t i = 0; infer->n_wanted != WIRE_ALL_OUTPUTS && i < infer->n_wanted; i++) {
		bytes_write_u16(w, infer->wanted[i]);
	}
	if (infer->regions) {
		places_encode(w, infer);
	}
	for (uint32_t i = 0; i < infer->n_inputs; i++) {
		tensor_encode(w, &infer->inputs[i], infer->regions);
	}
}

void wire_infer_encode(struct bytes_writer *w, const struct wire_infer *infer)
{
	wire_infer_encode_head(w, infer);
	data_encode(w, infer->inputs, infer->n_inputs);
}

static int infer_head_decode(
	struct bytes_reader *r, unsigned int flags, struct wire_infer *infer, struct error *err)
{
	infer->regions = flags & WIRE_FLAG_REGIONS;
	infer->model = wire_field_name_decode(r);
	infer->version = wire_field_name_decode(r);
	infer->signature = wire_field_name_decode(r);
	infer->key = flags & WIRE_FLAG_KEY ? bytes_read_u64(r) : 0;
	if (!r->failed && flags & WIRE_FLAG_KEY && infer->key == 0) {
		return error_set(err, -EPROTO, "INFER: the key is 0");
	}
	infer->n_inputs = bytes_read_u16(r);
	infer->n_wanted = bytes_read_u16(r);
	bool all = infer->n_wanted == WIRE_ALL_OUTPUTS;
	if (infer->n_inputs > WIRE_MAX_TENSORS || (!all && infer->n_wanted > WIRE_MAX_TENSORS)) {
		return error_set(err, -EPROTO, "INFER: more than %d tensors", WIRE_MAX_TENSORS);
	}
	for (uint32_t i = 0; !all && i < infer->n_wanted; i++) {
		infer->wanted[i] = bytes_read_u16(r);
	}
	int code = r->failed ? wire_field_malformed(WIRE_INFER, err) : places_decode(r, infer, err);
	return code < 0
		? code
		: tensors_decode(r, infer->regions, "input", infer->inputs, infer->n_inputs, err);
}

int wire_infer_decode(const void *body, size_t size, unsigned int flags,
	struct wire_infer *ret_infer, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	int code = infer_head_decode(&r, flags, ret_infer, err);
	if (code < 0) {
		return code;
	}
	data_decode(&r, ret_infer->inputs, ret_infer->n_inputs);
	return wire_end(&r, WIRE_INFER, err);
}

int wire_infer_decode_head(const void *body, size_t size, uint32_t body_bytes, unsigned int flags,
	struct wire_infer *ret_infer, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	int code = infer_head_decode(&r, flags, ret_infer, err);
	if (code < 0) {
		return r.failed && size < body_bytes ? -EAGAIN : code;
	}
	uint64_t end = r.at;
	for (uint32_t i = 0; i < ret_infer->n_inputs; i++) {
		const struct wire_tensor *tensor = &ret_infer->inputs[i];
		if (tensor->region == 0) {
			end = bytes_align_up(end, WIRE_ALIGNMENT) + tensor->bytes;
		}
	}
	if (end != body_bytes) {
		return error_set(err, -EPROTO, "INFER: head and data have %llu bytes, the body %u",
			(unsigned long long)end, body_bytes);
	}
	return 0;
}

void wire_infer_reply_encode(struct bytes_writer *w, const struct wire_infer_reply *reply)
{
	wire_field_text_encode(w, reply->version);
	bytes_write_u64(w, reply->generation);
	bytes_write_u64(w, reply->queue_us);
	bytes_write_u64(w, reply->run_us);
	bytes_write_u16(w, (uint16_t)reply->n_outputs);
	for (uint32_t i = 0; i < reply->n_outputs; i++) {
		tensor_encode(w, &reply->outputs[i], reply->regions);
	}
	data_encode(w, reply->outputs, reply->n_outputs);
}

int wire_infer_reply_decode(const void *body, size_t size, unsigned int flags,
	struct wire_infer_reply *ret_reply, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	ret_reply->regions = flags & WIRE_FLAG_REGIONS;
	ret_reply->version = wire_field_text_decode(&r);
	ret_reply->generation = bytes_read_u64(&r);
	ret_reply->queue_us = bytes_read_u64(&r);
	ret_reply->run_us = bytes_read_u64(&r);
	ret_reply->n_outputs = bytes_read_u16(&r);
	if (r.failed || ret_reply->n_outputs > WIRE_MAX_TENSORS) {
		return wire_field_malformed(WIRE_INFER, err);
	}
	int code = tensors_decode(
		&r, ret_reply->regions, "output", ret_reply->outputs, ret_reply->n_outputs, err);
	if (code < 0) {
		return code;
	}
	data_decode(&r, ret_reply->outputs, ret_reply->n_outputs);
	return wire_end(&r, WIRE_INFER, err);
}
