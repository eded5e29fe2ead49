/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/worker/worker.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#define REST_BYTES (8u << 20) /* bytes of a frame besides tensors, such as a snapshot */
#define AGAIN_MS 1000 /* delay before the next process, unless this one has worked well */
#define DISCARD_BYTES 65536

/* A frame being written. The process's answer may come before libuv reports that it was written. */
struct worker_write {
	uv_write_t write;
	struct bytes_writer out;
};

/* Frees itself when both handles are closed. */
struct worker_process {
	uv_process_t process;
	uv_pipe_t pipe;
	struct worker *worker; /* NULL: killed; no more callbacks */
	int open; /* open handles */
	uint8_t header[FRAME_HEADER_BYTES];
	uint8_t *body; /* owned */
	size_t body_bytes, at;
	size_t lost; /* bytes to come of a frame that is dropped for lack of memory */
};

static void on_closed(uv_handle_t *handle)
{
	struct worker_process *process = handle->data;
	if (--process->open == 0) {
		free(process->body);
		free(process);
	}
}

/* NULL is fine. */
static void process_kill(struct worker_process *process)
{
	if (!process) {
		return;
	}
	process->worker = NULL;
	if (uv_is_active((uv_handle_t *)&process->process)) {
		uv_process_kill(&process->process, SIGKILL);
	}
	if (!uv_is_closing((uv_handle_t *)&process->pipe)) {
		uv_close((uv_handle_t *)&process->pipe, on_closed);
	}
}

static void on_may_restart(uv_timer_t *timer)
{
	struct worker *worker = timer->data;
	worker->events->on_may_restart(worker->data);
}

static void end(struct worker *worker, enum worker_end how, const char *why)
{
	enum worker_frame command = worker->command;
	process_kill(take(worker->process));
	worker->command = 0;
	if (worker->state != WORKER_STOPPED) {
		log_warning(worker->log, "worker: %s: it begins anew", why);
		worker->restarts++;
		bool at_once = worker->state == WORKER_READY && how != WORKER_ENDED_BY_PARENT;
		uv_timer_stop(&worker->timer);
		uv_timer_start(&worker->timer, on_may_restart, at_once ? 0 : AGAIN_MS, 0);
		worker->state = WORKER_NONE;
	}
	worker->events->on_end(worker->data, command, how, why);
}

void worker_restart(struct worker *worker, const char *why)
{
	end(worker, WORKER_ENDED_BY_PARENT, why);
}

static void on_time(uv_timer_t *timer)
{
	end(timer->data, WORKER_LATE, "an input took too long (decode-timeout)");
}

/* Returns false for an invalid frame. */
static bool take_done(struct worker *worker, struct bytes_reader *r)
{
	struct worker_done done;
	enum worker_frame command = worker->command;
	if (worker_frames_read(r, WORKER_FRAME_DONE, 0, &done, NULL) < 0) {
		return false;
	}
	worker->command = 0;
	uv_timer_stop(&worker->timer);
	if (command == WORKER_COMMAND_BEGIN && !done.error.code) {
		worker->state = WORKER_READY;
	}
	worker->events->on_done(worker->data, command, &done);
	return true;
}

/* @body NULL: a frame was lost without memory for it. */
static void on_frame(struct worker *worker, const uint8_t *body, size_t size)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	uint8_t type = body ? bytes_read_u8(&r) : 0;
	bool ok = worker->command != 0 &&
		(type == WORKER_FRAME_DONE ? take_done(worker, &r)
					   : worker->events->on_frame(worker->data, worker->command,
						     type, body ? &r : NULL));
	if (!ok) {
		worker_restart(worker, "its frames make no sense");
	}
}

/* ---- the process */

static void on_exit_of(uv_process_t *process, int64_t status, int number)
{
	struct worker_process *p = process->data;
	bool killed = number == SIGKILL; /* a crash on an input ends with another signal */
	(void)status;
	uv_close((uv_handle_t *)process, on_closed);
	if (p->worker) {
		end(p->worker, killed ? WORKER_KILLED : WORKER_CRASHED,
			killed ? "it was killed" : "the message has ended it");
	}
}

/* Gives room for the length, then for the body. */
static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
	static char discarded[DISCARD_BYTES];
	struct worker_process *p = handle->data;
	if (p->lost) {
		*ret_room = uv_buf_init(discarded,
			(unsigned int)(p->lost < DISCARD_BYTES ? p->lost : DISCARD_BYTES));
		return;
	}
	uint8_t *to = p->body ? p->body : p->header;
	size_t size = p->body ? p->body_bytes : FRAME_HEADER_BYTES;
	(void)suggested;
	*ret_room = uv_buf_init((char *)to + p->at, (unsigned int)(size - p->at));
}

/* Returns false for an invalid length. */
static bool begin_body(struct worker_process *p)
{
	uint64_t bytes = bytes_get_u32(p->header);
	p->at = 0;
	if (bytes == 0 || bytes > p->worker->max_tensor_bytes + REST_BYTES) {
		return false;
	}
	p->body = malloc((size_t)bytes);
	p->body_bytes = (size_t)bytes;
	p->lost = p->body ? 0 : (size_t)bytes;
	return true;
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
	struct worker_process *p = stream->data;
	(void)room;
	if (!p->worker || n == 0) {
		return;
	}
	if (n < 0) {
		uv_read_stop(stream); /* on_exit_of() follows */
		return;
	}
	if (p->lost) {
		p->lost -= (size_t)n;
		if (p->lost == 0) {
			on_frame(p->worker, NULL, 0);
		}
		return;
	}
	p->at += (size_t)n;
	if (!p->body) {
		if (p->at == FRAME_HEADER_BYTES && !begin_body(p)) {
			worker_restart(p->worker, "its frames make no sense");
		}
		return;
	}
	if (p->at == p->body_bytes) {
		owned_mem uint8_t *body = take(p->body);
		p->at = 0;
		on_frame(p->worker, body, p->body_bytes);
	}
}

static int spawn(struct worker_process *p, char *const *arguments, struct error *err)
{
	char *environment[] = {NULL};
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
			.data.stream = (uv_stream_t *)&p->pipe},
		{.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD, .data.fd = 2}};
	uv_process_options_t options = {.exit_cb = on_exit_of,
		.file = "/proc/self/exe",
		.args = (char **)(uintptr_t)arguments,
		.env = environment,
		.stdio_count = 3,
		.stdio = stdio};
	int r = uv_spawn(p->worker->loop, &p->process, &options);
	if (r < 0) {
		uv_close((uv_handle_t *)&p->process, on_closed);
		return error_set(err, r, "%s", uv_strerror(r));
	}
	return uv_read_start((uv_stream_t *)&p->pipe, on_room, on_bytes);
}

void worker_init(struct worker *worker, uv_loop_t *loop, const struct log *log,
	uint64_t memory_bytes, uint64_t timeout_ms, uint64_t max_tensor_bytes,
	const struct worker_events *events, void *data)
{
	*worker = (struct worker){.loop = loop,
		.log = log,
		.memory_bytes = memory_bytes,
		.timeout_ms = timeout_ms,
		.max_tensor_bytes = max_tensor_bytes,
		.events = events,
		.data = data};
	uv_timer_init(loop, &worker->timer);
	worker->timer.data = worker;
}

static int process_start(struct worker *worker, char *const *arguments, struct error *err)
{
	struct worker_process *p = calloc(1, sizeof(*p));
	if (!p) {
		return error_no_memory(err);
	}
	int r = uv_pipe_init(worker->loop, &p->pipe, 0);
	if (r < 0) {
		free(p);
		return error_set(err, r, "%s", uv_strerror(r));
	}
	p->open = 2;
	p->pipe.data = p->process.data = p;
	p->worker = worker;
	r = spawn(p, arguments, err);
	if (r < 0) {
		process_kill(p);
		return r;
	}
	worker->process = p;
	return 0;
}

void worker_start(struct worker *worker)
{
	struct error err = {0};
	char memory[32];
	snprintf(memory, sizeof(memory), "%" PRIu64, worker->memory_bytes);
	char *arguments[] = {
		(char *)(uintptr_t) "edged-mqtt", (char *)(uintptr_t) "--worker", memory, NULL};
	if (worker->process || worker->state == WORKER_STOPPED ||
		uv_is_active((uv_handle_t *)&worker->timer)) {
		return;
	}
	if (process_start(worker, arguments, &err) < 0) {
		worker_restart(worker, err.text);
		return;
	}
	worker->state = WORKER_OPENING;
}

/* After a failed write on_exit_of() follows. */
static void on_written(uv_write_t *write, int status)
{
	struct worker_write *w = write->data;
	(void)status;
	bytes_writer_deinit(&w->out);
	free(w);
}

/* Takes @frame, also on failure. */
static int send_frame(struct worker_process *p, struct bytes_writer *frame, struct error *err)
{
	struct worker_write *w = calloc(1, sizeof(*w));
	int r = !w || frame->failed ? -ENOMEM : 0;
	if (r == 0) {
		worker_frames_set_length(frame);
		w->out = *frame;
		*frame = (struct bytes_writer){0};
		uv_buf_t buffer = uv_buf_init((char *)w->out.data, (unsigned int)w->out.size);
		w->write.data = w;
		r = uv_write(&w->write, (uv_stream_t *)&p->pipe, &buffer, 1, on_written);
	}
	bytes_writer_deinit(frame);
	if (r < 0) {
		if (w) {
			bytes_writer_deinit(&w->out);
		}
		free(w);
		return error_set(err, r, "%s", uv_strerror(r));
	}
	return 0;
}

int worker_send(struct worker *worker, struct bytes_writer *frame, struct error *err)
{
	assert(worker_is_idle(worker));
	uint8_t number = frame->failed ? 0 : frame->data[FRAME_HEADER_BYTES];
	int r = send_frame(worker->process, frame, err);
	if (r == 0) {
		worker->command = number;
		uv_timer_stop(&worker->timer);
		uv_timer_start(&worker->timer, on_time, worker->timeout_ms, 0);
	} else if (r != -ENOMEM) {
		worker_restart(worker, err->text);
	}
	return r;
}

void worker_kill(struct worker *worker)
{
	process_kill(take(worker->process));
	uv_timer_stop(&worker->timer);
	worker->command = 0;
	worker->state = worker->state == WORKER_STOPPED ? WORKER_STOPPED : WORKER_NONE;
}

void worker_stop(struct worker *worker)
{
	worker->state = WORKER_STOPPED;
	end(worker, WORKER_ENDED_BY_PARENT, "stopping");
	uv_close((uv_handle_t *)&worker->timer, NULL);
}
