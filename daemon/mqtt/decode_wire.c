/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and results of decode.h as bytes. Both ends are the same program; the result is judged all the same, because
 * the child has read what strangers sent. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "daemon/mqtt/decode.h"
#include "daemon/mqtt/parts.h"

void decode_job_write(struct bytes_writer *w, const struct decode_job *job)
{
	bytes_write_u8(w, (uint8_t)job->format);
	bytes_write_u8(w, (uint8_t)job->n_specs);
	for (uint32_t i = 0; i < job->n_specs; i++) {
		parts_put_spec(w, &job->specs[i]);
	}
	parts_put_text(w, job->fields);
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
		parts_get_spec(&r, &specs[i]);
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

void decode_envelope_write(struct bytes_writer *w, const struct decode_envelope *e)
{
	bytes_write_u8(w, e->there);
	bytes_write_u8(w, e->oip);
	parts_put_text(w, e->id);
	parts_put_text(w, e->reply_to);
	parts_put_text(w, e->accept);
	parts_put_text(w, e->priority);
	parts_put_text(w, e->traceparent);
	bytes_write_u64(w, e->deadline_ms);
}

void decode_envelope_read(struct bytes_reader *r, struct decode_envelope *e)
{
	e->there = bytes_read_u8(r) != 0;
	e->oip = bytes_read_u8(r) != 0;
	parts_get_text(r, e->id, sizeof(e->id));
	parts_get_text(r, e->reply_to, sizeof(e->reply_to));
	parts_get_text(r, e->accept, sizeof(e->accept));
	parts_get_text(r, e->priority, sizeof(e->priority));
	parts_get_text(r, e->traceparent, sizeof(e->traceparent));
	e->deadline_ms = bytes_read_u64(r);
}

void decode_result_write(
	struct bytes_writer *w, const struct decode_result *result, const struct error *failed)
{
	bytes_write_u32(w, (uint32_t)-failed->code);
	parts_put_text(w, failed->code ? failed->text : "");
	decode_envelope_write(w, &result->envelope);
	uint32_t n = failed->code ? 0 : result->n;
	bytes_write_u32(w, n);
	for (uint32_t i = 0; i < n; i++) {
		parts_put_tensor(w, &result->tensors[i]);
	}
}

static int read_tensor(struct bytes_reader *r, const struct spec *spec, uint64_t max_bytes,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	owned_tensor struct tensor_bytes tensor = {0};
	int code = parts_get_tensor(r, max_bytes, &tensor, err);
	if (code < 0 || tensor.type != spec->type) {
		return code < 0
			? code
			: error_set(err, -EPROTO, "decoder: a tensor that was not asked for");
	}
	*ret_tensor = tensor;
	tensor = (struct tensor_bytes){0};
	return 0;
}

int decode_result_read(const void *data, size_t size, const struct spec *specs, uint32_t n_specs,
	uint64_t max_bytes, struct decode_result *ret_result, struct error *failed,
	struct error *err)
{
	struct bytes_reader r = bytes_reader_of(data, size);
	char text[sizeof(failed->text)];
	*ret_result = (struct decode_result){0};
	int code = -(int)(bytes_read_u32(&r) & 0xFFF);
	parts_get_text(&r, text, sizeof(text));
	decode_envelope_read(&r, &ret_result->envelope);
	uint32_t n = bytes_read_u32(&r);
	*failed = (struct error){0};
	if (r.failed || (code ? n != 0 : n != n_specs)) {
		return error_set(err, -EPROTO, "decoder: an answer that makes no sense");
	}
	if (code) {
		char shown[sizeof(failed->text)];
		error_set(
			failed, code, "%s", error_clean(shown, sizeof(shown), text, strlen(text)));
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
