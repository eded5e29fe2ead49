/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/decoder.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define HEAD_BYTES 4
#define REST_BYTES 65536 /* of an answer, beside its tensors */

/* A job on its way to the child: its answer may come before libuv says that it was written. */
struct decoder_write {
	uv_write_t write;
	struct bytes_writer out;
};

struct decoder_child {
	struct decoder *decoder; /* NULL: given up */
	uv_process_t process;
	uv_pipe_t pipe;
	int open; /* handles */
	uint8_t head[HEAD_BYTES];
	uint8_t *body; /* owned */
	size_t body_bytes, at;
};

static void on_closed(uv_handle_t *handle)
{
	struct decoder_child *child = handle->data;
	if (--child->open == 0) {
		free(child->body);
		free(child);
	}
}

/* Kills it and forgets it. */
static void give_up(struct decoder_child *child)
{
	if (!child->decoder) {
		return;
	}
	child->decoder->child = NULL;
	child->decoder = NULL;
	if (uv_is_active((uv_handle_t *)&child->process)) {
		uv_process_kill(&child->process, SIGKILL);
	}
	if (!uv_is_closing((uv_handle_t *)&child->pipe)) {
		uv_close((uv_handle_t *)&child->pipe, on_closed);
	}
}

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

static void fail(struct decoder *decoder, const char *why)
{
	struct error err = {0};
	struct decode_envelope none = {0};
	error_set(&err, -EINVAL, "%s", why);
	decoder->restarts++;
	if (decoder->child) {
		give_up(decoder->child);
	}
	if (decoder->fn) {
		log_warning(decoder->log, "decoder: %s", why);
	}
	finish(decoder, NULL, &none, &err);
}

static void on_exit_of(uv_process_t *process, int64_t status, int number)
{
	struct decoder_child *child = process->data;
	struct decoder *decoder = child->decoder;
	(void)status;
	(void)number;
	uv_close((uv_handle_t *)process, on_closed);
	if (decoder) {
		give_up(child);
		fail(decoder, "the message ended the process that decodes");
	}
}

static void answered(struct decoder *decoder, struct decoder_child *child)
{
	struct decode_result result = {0};
	struct error failed = {0}, err = {0};
	int r = decode_result_read(child->body, child->body_bytes, decoder->specs, decoder->n_specs,
		decoder->max_tensor_bytes, &result, &failed, &err);
	free(take(child->body));
	child->at = 0;
	if (r < 0) {
		fail(decoder, err.text);
		return;
	}
	struct decode_envelope envelope = result.envelope;
	if (failed.code) {
		finish(decoder, NULL, &envelope, &failed);
	} else {
		finish(decoder, &result, &envelope, &err);
	}
}

/* Room for the four bytes of the length, then for what it says. */
static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
	struct decoder_child *child = handle->data;
	(void)suggested;
	if (child->body) {
		*ret_room = uv_buf_init((char *)child->body + child->at,
			(unsigned int)(child->body_bytes - child->at));
	} else {
		*ret_room = uv_buf_init(
			(char *)child->head + child->at, (unsigned int)(HEAD_BYTES - child->at));
	}
}

/* The length is there: false when it cannot be. */
static bool begin_body(struct decoder *decoder, struct decoder_child *child)
{
	uint64_t bytes = bytes_get_u32(child->head);
	if (bytes == 0 || bytes > decoder->max_tensor_bytes + REST_BYTES || !decoder->fn) {
		return false;
	}
	child->body = malloc((size_t)bytes);
	child->body_bytes = (size_t)bytes;
	child->at = 0;
	return child->body;
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
	struct decoder_child *child = stream->data;
	struct decoder *decoder = child->decoder;
	(void)room;
	if (!decoder || n == 0) {
		return;
	}
	if (n < 0) {
		fail(decoder, "the message ended the process that decodes");
		return;
	}
	child->at += (size_t)n;
	if (!child->body) {
		if (child->at == HEAD_BYTES && !begin_body(decoder, child)) {
			fail(decoder, "the process that decodes makes no sense");
		}
		return;
	}
	if (child->at == child->body_bytes) {
		answered(decoder, child);
	}
}

static void on_time(uv_timer_t *timer)
{
	fail(timer->data, "decoding took too long");
}

static int spawn(struct decoder *decoder, struct decoder_child *child, struct error *err)
{
	char memory[32];
	snprintf(memory, sizeof(memory), "%" PRIu64, decoder->memory_bytes);
	char *arguments[] = {
		(char *)(uintptr_t) "edged-mqtt", (char *)(uintptr_t) "--decode", memory, NULL};
	char *environment[] = {NULL};
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
			.data.stream = (uv_stream_t *)&child->pipe},
		{.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD, .data.fd = 2}};
	uv_process_options_t options = {.exit_cb = on_exit_of,
		.file = "/proc/self/exe",
		.args = arguments,
		.env = environment,
		.stdio_count = 3,
		.stdio = stdio};
	int r = uv_spawn(decoder->loop, &child->process, &options);
	if (r < 0) {
		uv_close((uv_handle_t *)&child->process, on_closed);
		return error_set(err, r, "decoder: %s", uv_strerror(r));
	}
	return uv_read_start((uv_stream_t *)&child->pipe, on_room, on_bytes);
}

static int child_start(struct decoder *decoder, struct error *err)
{
	struct decoder_child *child = calloc(1, sizeof(*child));
	if (!child) {
		return error_no_memory(err);
	}
	int r = uv_pipe_init(decoder->loop, &child->pipe, 0);
	if (r < 0) {
		free(child);
		return error_set(err, r, "decoder: %s", uv_strerror(r));
	}
	child->open = 2;
	child->pipe.data = child->process.data = child;
	child->decoder = decoder;
	decoder->child = child;
	r = spawn(decoder, child, err);
	if (r < 0) {
		give_up(child);
	}
	return r;
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
	fail(decoder, "stopping");
	uv_close((uv_handle_t *)&decoder->timer, NULL);
}

static void on_written(uv_write_t *write, int status)
{
	struct decoder_write *job = write->data;
	struct decoder_child *child = write->handle->data;
	bytes_writer_deinit(&job->out);
	free(job);
	if (status < 0 && child->decoder) {
		fail(child->decoder, "the process that decodes is gone");
	}
}

static int write_job(struct decoder_child *child, const struct decode_job *job, struct error *err)
{
	struct decoder_write *w = calloc(1, sizeof(*w));
	if (!w) {
		return error_no_memory(err);
	}
	bytes_write_u32(&w->out, 0);
	decode_job_write(&w->out, job);
	int r = w->out.failed ? -ENOMEM : 0;
	if (r == 0) {
		const uint32_t bytes = (uint32_t)(w->out.size - HEAD_BYTES);
		memcpy(w->out.data, &bytes, sizeof(bytes));
		uv_buf_t buffer = uv_buf_init((char *)w->out.data, (unsigned int)w->out.size);
		w->write.data = w;
		r = uv_write(&w->write, (uv_stream_t *)&child->pipe, &buffer, 1, on_written);
	}
	if (r < 0) {
		bytes_writer_deinit(&w->out);
		free(w);
		return error_set(err, r, "decoder: %s", uv_strerror(r));
	}
	return 0;
}

int decoder_start(struct decoder *decoder, const struct decode_job *job, decoder_fn fn, void *data,
	struct error *err)
{
	int r = decoder->stopped ? error_set(err, -ESHUTDOWN, "stopping") : 0;
	r = r < 0 || decoder->child ? r : child_start(decoder, err);
	r = r < 0 ? r : write_job(decoder->child, job, err);
	if (r < 0) {
		if (decoder->child) {
			give_up(decoder->child);
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
