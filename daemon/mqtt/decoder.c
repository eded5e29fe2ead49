/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/decoder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REST_BYTES 65536 /* of an answer, beside its tensors */

/* Tells who asked. */
static void finish(struct decoder *decoder, struct decode_result *result,
	const struct decode_envelope *envelope, const struct error *err)
{
	decoder_fn fn = decoder->fn;
	uv_timer_stop(&decoder->timer);
	decoder->fn = NULL;
	if (fn) {
		fn(decoder->data, result, envelope, err);
	}
}

static void fail(struct decoder *decoder, int code, const char *why)
{
	struct error err = {0};
	struct decode_envelope none = {0};
	error_set(&err, code, "%s", why);
	decoder->restarts++;
	if (decoder->child) {
		child_kill(take(decoder->child));
	}
	if (decoder->fn) {
		log_warning(decoder->log, "decoder: %s", why);
	}
	finish(decoder, NULL, &none, &err);
}

static void on_end(void *data, bool killed, const char *why)
{
	struct decoder *decoder = data;
	decoder->child = NULL;
	fail(decoder, killed ? DECODER_KILLED : -EINVAL, why);
}

/* The child has done its part. */
static void lack_memory(struct decoder *decoder)
{
	struct decode_envelope none = {0};
	struct error err = {0};
	error_set(&err, DECODER_NO_MEMORY, "no memory for what was decoded");
	finish(decoder, NULL, &none, &err);
}

static void on_frame(void *data, const uint8_t *body, size_t size)
{
	struct decoder *decoder = data;
	struct decode_result result = {0};
	struct error failed = {0}, err = {0};
	if (decoder->fn && !body) {
		lack_memory(decoder);
		return;
	}
	int r = decoder->fn ? decode_result_read(body, size, decoder->specs, decoder->n_specs,
				      decoder->max_tensor_bytes, &result, &failed, &err)
			    : error_set(&err, -EPROTO, "the process that decodes makes no sense");
	if (r == -ENOMEM) {
		lack_memory(decoder);
		return;
	}
	if (r < 0) {
		fail(decoder, -EINVAL, err.text);
		return;
	}
	if (failed.code == DECODER_KILLED || failed.code == DECODER_NO_MEMORY) {
		fail(decoder, -EINVAL, "the process that decodes makes no sense");
		return;
	}
	struct decode_envelope envelope = result.envelope;
	if (failed.code) {
		finish(decoder, NULL, &envelope, &failed);
	} else {
		finish(decoder, &result, &envelope, &err);
	}
}

static const struct child_events child_events = {.on_frame = on_frame, .on_end = on_end};

static void on_time(uv_timer_t *timer)
{
	fail(timer->data, -EINVAL, "decoding took too long");
}

static int start_child(struct decoder *decoder, struct error *err)
{
	char memory[32];
	snprintf(memory, sizeof(memory), "%" PRIu64, decoder->memory_bytes);
	char *arguments[] = {
		(char *)(uintptr_t) "edged-mqtt", (char *)(uintptr_t) "--decode", memory, NULL};
	return child_start(decoder->loop, arguments, decoder->max_tensor_bytes + REST_BYTES,
		&child_events, decoder, &decoder->child, err);
}

void decoder_init(struct decoder *decoder, uv_loop_t *loop, const struct log *log,
	uint64_t memory_bytes, uint64_t timeout_ms, uint64_t max_tensor_bytes)
{
	*decoder = (struct decoder){.loop = loop,
		.log = log,
		.memory_bytes = memory_bytes,
		.timeout_ms = timeout_ms,
		.max_tensor_bytes = max_tensor_bytes};
	uv_timer_init(loop, &decoder->timer);
	decoder->timer.data = decoder;
}

void decoder_stop(struct decoder *decoder)
{
	decoder->stopped = true;
	fail(decoder, -EINVAL, "stopping");
	uv_close((uv_handle_t *)&decoder->timer, NULL);
}

static int write_job(struct child *child, const struct decode_job *job, struct error *err)
{
	struct bytes_writer out = {0};
	bytes_write_u32(&out, 0);
	decode_job_write(&out, job);
	return child_send(child, &out, err);
}

int decoder_start(struct decoder *decoder, const struct decode_job *job, decoder_fn fn, void *data,
	struct error *err)
{
	int r = decoder->stopped ? error_set(err, -ESHUTDOWN, "stopping") : 0;
	r = r < 0 || decoder->child ? r : start_child(decoder, err);
	r = r < 0 ? r : write_job(decoder->child, job, err);
	if (r < 0) {
		if (decoder->child && r != -ENOMEM) {
			child_kill(take(decoder->child));
		}
		return r;
	}
	memcpy(decoder->specs, job->specs, job->n_specs * sizeof(job->specs[0]));
	decoder->n_specs = job->n_specs;
	decoder->fn = fn;
	decoder->data = data;
	uv_timer_start(&decoder->timer, on_time, decoder->timeout_ms, 0);
	return 0;
}
