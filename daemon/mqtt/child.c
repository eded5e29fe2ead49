/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/child.h"

#include <errno.h>
#include <signal.h>

#define NOWHERE_BYTES 65536

/* A frame on its way to the child: its answer may come before libuv says that it was written. */
struct child_write {
	uv_write_t write;
	struct bytes_writer out;
};

struct child {
	uv_process_t process;
	uv_pipe_t pipe;
	const struct child_events *events; /* NULL: given up */
	void *data;
	size_t max_frame;
	int open; /* handles */
	uint8_t head[CHILD_HEAD_BYTES];
	uint8_t *body; /* owned */
	size_t body_bytes, at;
	size_t lost; /* bytes to come of a frame for which there is no memory */
};

static void on_closed(uv_handle_t *handle)
{
	struct child *child = handle->data;
	if (--child->open == 0) {
		free(child->body);
		free(child);
	}
}

void child_kill(struct child *child)
{
	child->events = NULL;
	if (uv_is_active((uv_handle_t *)&child->process)) {
		uv_process_kill(&child->process, SIGKILL);
	}
	if (!uv_is_closing((uv_handle_t *)&child->pipe)) {
		uv_close((uv_handle_t *)&child->pipe, on_closed);
	}
}

static void end(struct child *child, bool killed, const char *why)
{
	const struct child_events *events = child->events;
	void *data = child->data;
	if (events) {
		child_kill(child);
		events->on_end(data, killed, why);
	}
}

static void on_exit_of(uv_process_t *process, int64_t status, int number)
{
	struct child *child = process->data;
	bool killed = number == SIGKILL; /* what a message does to it has another number */
	(void)status;
	uv_close((uv_handle_t *)process, on_closed);
	end(child, killed,
		killed ? "the process that decodes was killed"
		       : "the message ended the process that decodes");
}

/* Room for the four bytes of the length, then for what it says. */
static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
	static char nowhere[NOWHERE_BYTES];
	struct child *child = handle->data;
	if (child->lost) {
		*ret_room = uv_buf_init(nowhere,
			(unsigned int)(child->lost < NOWHERE_BYTES ? child->lost : NOWHERE_BYTES));
		return;
	}
	uint8_t *to = child->body ? child->body : child->head;
	size_t size = child->body ? child->body_bytes : CHILD_HEAD_BYTES;
	(void)suggested;
	*ret_room = uv_buf_init((char *)to + child->at, (unsigned int)(size - child->at));
}

/* The length is there: false when it cannot be. */
static bool begin_body(struct child *child)
{
	uint64_t bytes = bytes_get_u32(child->head);
	child->at = 0;
	if (bytes == 0 || bytes > child->max_frame) {
		return false;
	}
	child->body = malloc((size_t)bytes);
	child->body_bytes = (size_t)bytes;
	child->lost = child->body ? 0 : (size_t)bytes;
	return true;
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
	struct child *child = stream->data;
	(void)room;
	if (!child->events || n == 0) {
		return;
	}
	if (n < 0) {
		uv_read_stop(stream); /* on_exit_of() says why */
		return;
	}
	if (child->lost) {
		child->lost -= (size_t)n;
		if (child->lost == 0) {
			child->events->on_frame(child->data, NULL, 0);
		}
		return;
	}
	child->at += (size_t)n;
	if (!child->body) {
		if (child->at == CHILD_HEAD_BYTES && !begin_body(child)) {
			end(child, false, "the process that decodes makes no sense");
		}
		return;
	}
	if (child->at == child->body_bytes) {
		owned_mem uint8_t *body = take(child->body);
		child->at = 0;
		child->events->on_frame(child->data, body, child->body_bytes);
	}
}

static int spawn(uv_loop_t *loop, struct child *child, char *const *arguments, struct error *err)
{
	char *environment[] = {NULL};
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
			.data.stream = (uv_stream_t *)&child->pipe},
		{.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD, .data.fd = 2}};
	uv_process_options_t options = {.exit_cb = on_exit_of,
		.file = "/proc/self/exe",
		.args = (char **)(uintptr_t)arguments,
		.env = environment,
		.stdio_count = 3,
		.stdio = stdio};
	int r = uv_spawn(loop, &child->process, &options);
	if (r < 0) {
		uv_close((uv_handle_t *)&child->process, on_closed);
		return error_set(err, r, "decoder: %s", uv_strerror(r));
	}
	return uv_read_start((uv_stream_t *)&child->pipe, on_room, on_bytes);
}

int child_start(uv_loop_t *loop, char *const *arguments, size_t max_frame,
	const struct child_events *events, void *data, struct child **ret_child, struct error *err)
{
	struct child *child = calloc(1, sizeof(*child));
	if (!child) {
		return error_no_memory(err);
	}
	int r = uv_pipe_init(loop, &child->pipe, 0);
	if (r < 0) {
		free(child);
		return error_set(err, r, "decoder: %s", uv_strerror(r));
	}
	child->open = 2;
	child->pipe.data = child->process.data = child;
	child->events = events;
	child->data = data;
	child->max_frame = max_frame;
	r = spawn(loop, child, arguments, err);
	if (r < 0) {
		child_kill(child);
		return r;
	}
	*ret_child = child;
	return 0;
}

/* When it failed the process has ended, which on_exit_of() says. */
static void on_written(uv_write_t *write, int status)
{
	struct child_write *w = write->data;
	(void)status;
	bytes_writer_deinit(&w->out);
	free(w);
}

int child_send(struct child *child, struct bytes_writer *frame, struct error *err)
{
	struct child_write *w = calloc(1, sizeof(*w));
	int r = !w || frame->failed ? -ENOMEM : 0;
	if (r == 0) {
		const uint32_t bytes = (uint32_t)(frame->size - CHILD_HEAD_BYTES);
		memcpy(frame->data, &bytes, sizeof(bytes));
		w->out = *frame;
		*frame = (struct bytes_writer){0};
		uv_buf_t buffer = uv_buf_init((char *)w->out.data, (unsigned int)w->out.size);
		w->write.data = w;
		r = uv_write(&w->write, (uv_stream_t *)&child->pipe, &buffer, 1, on_written);
	}
	bytes_writer_deinit(frame);
	if (r < 0) {
		if (w) {
			bytes_writer_deinit(&w->out);
		}
		free(w);
		return error_set(err, r, "decoder: %s", uv_strerror(r));
	}
	return 0;
}

int child_pid(const struct child *child)
{
	return child->process.pid;
}
