/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/wire/wire.h"
#include "base/wire/wire_field.h"

void wire_describe_encode(struct bytes_writer *w, const struct wire_describe *describe)
{
	wire_field_text_encode(w, describe->model);
	wire_field_text_encode(w, describe->version);
}

int wire_describe_decode(
	const void *body, size_t size, struct wire_describe *ret_describe, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	ret_describe->model = wire_field_name_decode(&r);
	ret_describe->version = wire_field_name_decode(&r);
	return wire_end(&r, WIRE_DESCRIBE, err);
}

void wire_model_encode(struct bytes_writer *w, const struct wire_model *model)
{
	wire_field_text_encode(w, model->name);
	wire_field_text_encode(w, model->version);
	bytes_write_u64(w, model->generation);
	wire_field_text_encode(w, model->title);
	wire_field_text_encode(w, model->description);
	wire_field_text_encode(w, model->author_version);
	bytes_write_u64(w, model->file_bytes);
	bytes_write_u64(w, model->arena_bytes);
	bytes_write_u64(w, model->prepared_bytes);
	bytes_write_u64(w, model->macs);
	bytes_write_u32(w, model->n_nodes);
	bytes_write_u32(w, model->n_subgraphs);
	bytes_write_u32(w, model->flags);
	wire_field_lines_encode(w, model->labels);
	bytes_write_u32(w, model->n_signatures);
}

int wire_model_decode(struct bytes_reader *r, struct wire_model *ret_model, struct error *err)
{
	struct wire_model model = {.name = wire_field_text_decode(r)};
	model.version = wire_field_text_decode(r);
	model.generation = bytes_read_u64(r);
	model.title = wire_field_text_decode(r);
	model.description = wire_field_text_decode(r);
	model.author_version = wire_field_text_decode(r);
	model.file_bytes = bytes_read_u64(r);
	model.arena_bytes = bytes_read_u64(r);
	model.prepared_bytes = bytes_read_u64(r);
	model.macs = bytes_read_u64(r);
	model.n_nodes = bytes_read_u32(r);
	model.n_subgraphs = bytes_read_u32(r);
	model.flags = bytes_read_u32(r);
	model.labels = wire_field_lines_decode(r);
	model.n_signatures = bytes_read_u32(r);
	const size_t smallest = 2 + 4 + 4; /* bytes of the smallest signature */
	if (r->failed || model.n_signatures > (r->size - r->at) / smallest) {
		return wire_field_malformed(WIRE_DESCRIBE, err);
	}
	*ret_model = model;
	return 0;
}

void wire_signature_encode(struct bytes_writer *w, const struct wire_signature *signature)
{
	wire_field_text_encode(w, signature->key);
	bytes_write_u32(w, signature->n_inputs);
	bytes_write_u32(w, signature->n_outputs);
}

int wire_signature_decode(
	struct bytes_reader *r, struct wire_signature *ret_signature, struct error *err)
{
	struct wire_signature signature = {.key = wire_field_text_decode(r)};
	signature.n_inputs = bytes_read_u32(r);
	signature.n_outputs = bytes_read_u32(r);
	/* bytes of the smallest tensor: scalar, without name, mean, std and labels */
	const size_t smallest = 40;
	size_t max = (r->size - r->at) / smallest;
	if (r->failed || signature.n_inputs > max || signature.n_outputs > max) {
		return wire_field_malformed(WIRE_DESCRIBE, err);
	}
	*ret_signature = signature;
	return 0;
}

void wire_tensor_info_encode(struct bytes_writer *w, const struct wire_tensor_info *info)
{
	wire_field_text_encode(w, info->name);
	bytes_write_u8(w, info->type);
	bytes_write_u8(w, info->flags);
	bytes_write_u8(w, info->content);
	bytes_write_u8(w, info->colour_space);
	wire_field_shape_encode(w, &info->shape);
	wire_field_shape_encode(w, &info->declared);
	bytes_write_f32(w, info->scale);
	bytes_write_u32(w, (uint32_t)info->zero_point);
	bytes_write_u64(w, info->bytes);
	bytes_write_f32(w, info->score_threshold);
	bytes_write_u32(w, info->n_mean);
	bytes_write(w, info->mean, info->n_mean * sizeof(float));
	bytes_write_u32(w, info->n_std);
	bytes_write(w, info->std, info->n_std * sizeof(float));
	wire_field_lines_encode(w, info->labels);
}

static const uint8_t *floats_decode(struct bytes_reader *r, uint32_t *ret_n)
{
	uint32_t n = bytes_read_u32(r);
	if (n > (r->size - r->at) / sizeof(float)) {
		r->failed = true;
		n = 0;
	}
	*ret_n = n;
	return bytes_read(r, n * sizeof(float));
}

int wire_tensor_info_decode(
	struct bytes_reader *r, struct wire_tensor_info *ret_info, struct error *err)
{
	struct wire_tensor_info info = {.name = wire_field_text_decode(r)};
	info.type = bytes_read_u8(r);
	info.flags = bytes_read_u8(r);
	info.content = bytes_read_u8(r);
	info.colour_space = bytes_read_u8(r);
	info.shape = wire_field_shape_decode(r, -1);
	info.declared = wire_field_shape_decode(r, -1);
	info.scale = bytes_read_f32(r);
	info.zero_point = (int32_t)bytes_read_u32(r);
	info.bytes = bytes_read_u64(r);
	info.score_threshold = bytes_read_f32(r);
	info.mean = floats_decode(r, &info.n_mean);
	info.std = floats_decode(r, &info.n_std);
	info.labels = wire_field_lines_decode(r);
	int code = wire_field_check(r, WIRE_DESCRIBE, err);
	if (code == 0) {
		*ret_info = info;
	}
	return code;
}

float wire_f32(const uint8_t *floats, uint32_t index)
{
	float v = 0;
	memcpy(&v, floats + (size_t)index * sizeof(v), sizeof(v));
	return v;
}
