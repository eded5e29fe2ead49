/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/state_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool set_path(char *out, size_t size, const char *folder, const char *name, const char *end)
{
	int n = folder[0] ? snprintf(out, size, "%s/%s.%s", folder, name, end) : 0;
	bool fits = n > 0 && (size_t)n < size;
	out[fits ? n : 0] = 0;
	return fits;
}

void state_file_init(struct state_file *state_file, uv_loop_t *loop, const struct log *log,
	const char *folder, const char *name)
{
	*state_file = (struct state_file){.loop = loop, .log = log};
	state_file->work.data = state_file;
	if (!set_path(state_file->new, sizeof(state_file->new), folder, name, "new") ||
		!set_path(state_file->path, sizeof(state_file->path), folder, name, "conf")) {
		state_file->path[0] = 0;
	}
}

static void drop(struct bytes_writer *text)
{
	bytes_writer_deinit(text);
	*text = (struct bytes_writer){0};
}

static int write_file(const struct state_file *state_file)
{
	FILE *file = fopen(state_file->new, "we");
	if (!file) {
		return -errno;
	}
	const struct bytes_writer *text = &state_file->text;
	bool written = text->size == 0 || fwrite(text->data, 1, text->size, file) == text->size;
	bool ok = written && fflush(file) == 0 && fsync(fileno(file)) == 0;
	int r = ok ? 0 : -errno;
	if (fclose(file) != 0 && r == 0) {
		r = -errno;
	}
	return r == 0 && rename(state_file->new, state_file->path) < 0 ? -errno : r;
}

static void write_it(uv_work_t *work)
{
	struct state_file *state_file = work->data;
	int r = write_file(state_file);
	state_file->err = (struct error){0};
	if (r < 0) {
		r = error_set(&state_file->err, r, "settings: %s", strerror(-r));
	}
}

static void write_next(struct state_file *state_file);

static void on_written(uv_work_t *work, int status)
{
	struct state_file *state_file = work->data;
	(void)status;
	state_file->is_writing = false;
	if (state_file->err.code) {
		log_warning(state_file->log, "%s", state_file->err.text);
	}
	state_file->failed = state_file->err.code && !state_file->has_next;
	if (state_file->failed) {
		state_file->next = state_file->text;
		state_file->text = (struct bytes_writer){0};
	}
	drop(&state_file->text);
	write_next(state_file);
}

static void write_next(struct state_file *state_file)
{
	if (state_file->is_writing || !state_file->has_next) {
		return;
	}
	state_file->has_next = false;
	state_file->text = state_file->next;
	state_file->next = (struct bytes_writer){0};
	state_file->is_writing =
		uv_queue_work(state_file->loop, &state_file->work, write_it, on_written) == 0;
	if (!state_file->is_writing) { /* uv_queue_work() fails only without a function */
		drop(&state_file->text);
	}
}

void state_file_write(struct state_file *state_file, struct bytes_writer *text)
{
	struct bytes_writer newest = *text;
	*text = (struct bytes_writer){0};
	if (!state_file->path[0] || newest.failed) {
		if (newest.failed) {
			log_warning(state_file->log, "settings: no memory to keep it");
		}
		drop(&newest);
		return;
	}
	drop(&state_file->next);
	state_file->next = newest;
	state_file->has_next = true;
	state_file->failed = false;
	write_next(state_file);
}

void state_file_try_again(struct state_file *state_file)
{
	state_file->has_next = state_file->has_next || state_file->failed;
	state_file->failed = false;
	write_next(state_file);
}

bool state_file_is_idle(const struct state_file *state_file)
{
	return !state_file->is_writing && !state_file->has_next;
}

void state_file_deinit(struct state_file *state_file)
{
	drop(&state_file->next);
}
