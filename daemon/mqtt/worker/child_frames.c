/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/worker/child_frames.h"

#include <errno.h>
#include <string.h>

void child_frames_put_text(struct bytes_writer *w, const char *text)
{
	size_t n = strlen(text);
	bytes_write_u16(w, (uint16_t)n);
	bytes_write(w, text, n);
}

void child_frames_get_text(struct bytes_reader *r, char *out, size_t size)
{
	uint16_t n = bytes_read_u16(r);
	const char *text = bytes_read(r, n);
	out[0] = 0;
	if (n >= size || (text && memchr(text, 0, n))) {
		r->failed = true;
	} else if (text) {
		memcpy(out, text, n);
		out[n] = 0;
	}
}

void child_frames_put_shape(struct bytes_writer *w, const struct shape *shape)
{
	bytes_write_u8(w, shape->rank);
	for (unsigned int i = 0; i < shape->rank; i++) {
		bytes_write_u32(w, (uint32_t)shape->dim[i]);
	}
}

void child_frames_get_shape(struct bytes_reader *r, struct shape *shape)
{
	*shape = (struct shape){.rank = bytes_read_u8(r)};
	if (shape->rank > SHAPE_MAX_RANK) {
		r->failed = true;
		shape->rank = 0;
	}
	for (unsigned int i = 0; i < shape->rank; i++) {
		shape->dim[i] = (int32_t)bytes_read_u32(r);
	}
}

void child_frames_put_spec(struct bytes_writer *w, const struct tensor_spec *spec)
{
	child_frames_put_text(w, spec->name);
	bytes_write_u32(w, spec->type);
	child_frames_put_shape(w, &spec->shape);
	child_frames_put_shape(w, &spec->declared);
	bytes_write_f32(w, (float)spec->scale);
	bytes_write_u32(w, (uint32_t)spec->zero_point);
	bytes_write_u64(w, spec->bytes);
	bytes_write_u8(w, (uint8_t)spec->n_mean);
	bytes_write_u8(w, (uint8_t)spec->n_std);
	for (unsigned int i = 0; i < SPEC_MAX_CHANNELS; i++) {
		bytes_write_f32(w, spec->mean[i]);
		bytes_write_f32(w, spec->std[i]);
	}
}

void child_frames_get_spec(struct bytes_reader *r, struct tensor_spec *spec)
{
	*spec = (struct tensor_spec){0};
	child_frames_get_text(r, spec->name, sizeof(spec->name));
	spec->type = bytes_read_u32(r);
	child_frames_get_shape(r, &spec->shape);
	child_frames_get_shape(r, &spec->declared);
	spec->scale = (double)bytes_read_f32(r); /* edged's protocol has float32, too */
	spec->zero_point = (int32_t)bytes_read_u32(r);
	spec->bytes = bytes_read_u64(r);
	spec->n_mean = bytes_read_u8(r);
	spec->n_std = bytes_read_u8(r);
	for (unsigned int i = 0; i < SPEC_MAX_CHANNELS; i++) {
		spec->mean[i] = bytes_read_f32(r);
		spec->std[i] = bytes_read_f32(r);
	}
	r->failed |= spec->n_mean > SPEC_MAX_CHANNELS || spec->n_std > SPEC_MAX_CHANNELS;
}

void child_frames_put_tensor(struct bytes_writer *w, const struct tensor_bytes *tensor)
{
	bytes_write_u32(w, tensor->type);
	child_frames_put_shape(w, &tensor->shape);
	bytes_write_u64(w, tensor->bytes);
	bytes_write(w, tensor->data, (size_t)tensor->bytes);
}

int child_frames_get_tensor(struct bytes_reader *r, uint64_t max_bytes,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	struct shape shape;
	uint64_t bytes = 0;
	uint32_t type = bytes_read_u32(r);
	child_frames_get_shape(r, &shape);
	uint64_t said = bytes_read_u64(r);
	bool whole =
		type != DTYPE_STRING && (shape_bytes(&shape, type, &bytes) < 0 || bytes != said);
	if (r->failed || whole || said > max_bytes) {
		return error_set(err, -EPROTO, "worker: an invalid tensor");
	}
	const void *data = bytes_read(r, (size_t)said);
	return data ? tensor_copy(type, &shape, data, said, ret_tensor, err)
		    : error_set(err, -EPROTO, "worker: a tensor that is cut short");
}
