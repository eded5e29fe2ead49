/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and results of decode.h as bytes. Both ends are the same program; the result is judged all the same, because
 * the child has read what strangers sent. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "daemon/mqtt/decode.h"

static void put_text(struct bytes_writer *w, const char *text)
{
	size_t n = strlen(text);
	bytes_write_u16(w, (uint16_t)n);
	bytes_write(w, text, n);
}

static void get_text(struct bytes_reader *r, char *out, size_t size)
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

static void put_shape(struct bytes_writer *w, const struct shape *shape)
{
	bytes_write_u8(w, shape->rank);
	for (unsigned int i = 0; i < shape->rank; i++) {
		bytes_write_u32(w, (uint32_t)shape->dim[i]);
	}
}

static void get_shape(struct bytes_reader *r, struct shape *shape)
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

static void put_spec(struct bytes_writer *w, const struct spec *spec)
{
	put_text(w, spec->name);
	bytes_write_u32(w, spec->type);
	put_shape(w, &spec->shape);
	put_shape(w, &spec->declared);
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

static void get_spec(struct bytes_reader *r, struct spec *spec)
{
	*spec = (struct spec){0};
	get_text(r, spec->name, sizeof(spec->name));
	spec->type = bytes_read_u32(r);
	get_shape(r, &spec->shape);
	get_shape(r, &spec->declared);
	spec->scale = (double)bytes_read_f32(r); /* the daemon's own are float32 */
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

void decode_job_write(struct bytes_writer *w, const struct decode_job *job)
{
	bytes_write_u8(w, (uint8_t)job->format);
	bytes_write_u8(w, (uint8_t)job->n_specs);
	for (uint32_t i = 0; i < job->n_specs; i++) {
		put_spec(w, &job->specs[i]);
	}
	put_text(w, job->fields);
	bytes_write_u32(w, (uint32_t)job->size);
	bytes_write(w, job->payload, job->size);
	bytes_write_u8(w, 0); /* texts end with it */
}

int decode_job_read(const void *data, size_t size, struct spec *specs, struct decode_job *ret_job,
	struct error *err)
{
	struct bytes_reader r = bytes_reader_of(data, size);
	struct decode_job job = {.specs = specs};
	job.format = (enum decode_format)bytes_read_u8(&r);
	job.n_specs = bytes_read_u8(&r);
	if (job.n_specs > DECODE_MAX_INPUTS || job.format >= DECODE_N_FORMATS) {
		return error_set(err, -EPROTO, "decoder: no such job");
	}
	for (uint32_t i = 0; i < job.n_specs; i++) {
		get_spec(&r, &specs[i]);
	}
	uint16_t of_fields = bytes_read_u16(&r);
	const char *fields = bytes_read(&r, of_fields);
	job.size = bytes_read_u32(&r);
	job.payload = bytes_read(&r, job.size);
	bytes_read_u8(&r);
	if (r.failed || r.at != size) {
		return error_set(err, -EPROTO, "decoder: a job that is cut short");
	}
	/* Its own end: the two bytes behind it, the payload's size, have been read. */
	((char *)(uintptr_t)fields)[of_fields] = 0;
	job.fields = fields;
	*ret_job = job;
	return 0;
}

static void put_envelope(struct bytes_writer *w, const struct decode_envelope *e)
{
	bytes_write_u8(w, e->there);
	bytes_write_u8(w, e->oip);
	put_text(w, e->id);
	put_text(w, e->reply_to);
	put_text(w, e->accept);
	put_text(w, e->priority);
	put_text(w, e->traceparent);
	bytes_write_u64(w, e->deadline_ms);
}

static void get_envelope(struct bytes_reader *r, struct decode_envelope *e)
{
	e->there = bytes_read_u8(r) != 0;
	e->oip = bytes_read_u8(r) != 0;
	get_text(r, e->id, sizeof(e->id));
	get_text(r, e->reply_to, sizeof(e->reply_to));
	get_text(r, e->accept, sizeof(e->accept));
	get_text(r, e->priority, sizeof(e->priority));
	get_text(r, e->traceparent, sizeof(e->traceparent));
	e->deadline_ms = bytes_read_u64(r);
}

void decode_result_write(
	struct bytes_writer *w, const struct decode_result *result, const struct error *failed)
{
	bytes_write_u32(w, (uint32_t)-failed->code);
	put_text(w, failed->code ? failed->text : "");
	put_envelope(w, &result->envelope);
	uint32_t n = failed->code ? 0 : result->n;
	bytes_write_u32(w, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct tensor_bytes *t = &result->tensors[i];
		bytes_write_u32(w, t->type);
		put_shape(w, &t->shape);
		bytes_write_u64(w, t->bytes);
		bytes_write(w, t->data, (size_t)t->bytes);
	}
}

static int read_tensor(struct bytes_reader *r, const struct spec *spec, uint64_t max_bytes,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	struct shape shape;
	uint64_t bytes = 0;
	uint32_t type = bytes_read_u32(r);
	get_shape(r, &shape);
	uint64_t said = bytes_read_u64(r);
	bool whole =
		type != DTYPE_STRING && (shape_bytes(&shape, type, &bytes) < 0 || bytes != said);
	if (r->failed || type != spec->type || whole || said > max_bytes) {
		return error_set(err, -EPROTO, "decoder: a tensor that was not asked for");
	}
	const void *data = bytes_read(r, (size_t)said);
	return data ? tensor_copy(type, &shape, data, said, ret_tensor, err)
		    : error_set(err, -EPROTO, "decoder: a tensor that is cut short");
}

int decode_result_read(const void *data, size_t size, const struct spec *specs, uint32_t n_specs,
	uint64_t max_bytes, struct decode_result *ret_result, struct error *failed,
	struct error *err)
{
	struct bytes_reader r = bytes_reader_of(data, size);
	char text[sizeof(failed->text)];
	*ret_result = (struct decode_result){0};
	int code = -(int)(bytes_read_u32(&r) & 0xFFF);
	get_text(&r, text, sizeof(text));
	get_envelope(&r, &ret_result->envelope);
	uint32_t n = bytes_read_u32(&r);
	*failed = (struct error){0};
	if (r.failed || (code ? n != 0 : n != n_specs)) {
		return error_set(err, -EPROTO, "decoder: an answer that makes no sense");
	}
	if (code) {
		char shown[sizeof(failed->text)];
		error_set(
			failed, code, "%s", error_escape(shown, sizeof(shown), text, strlen(text)));
	}
	int result = 0;
	for (uint32_t i = 0; i < n && result == 0; i++) {
		result = read_tensor(&r, &specs[i], max_bytes, &ret_result->tensors[i], err);
		ret_result->n += result == 0;
	}
	if (result < 0) {
		decode_result_free(ret_result);
	}
	return result;
}
