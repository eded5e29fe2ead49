/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/saver.h"

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

void saver_init(struct saver *saver, uv_loop_t *loop, const struct log *log, const char *folder,
	const char *name)
{
	*saver = (struct saver){.loop = loop, .log = log};
	saver->work.data = saver;
	if (!set_path(saver->new, sizeof(saver->new), folder, name, "new") ||
		!set_path(saver->path, sizeof(saver->path), folder, name, "conf")) {
		saver->path[0] = 0;
	}
}

static void drop(struct bytes_writer *text)
{
	bytes_writer_deinit(text);
	*text = (struct bytes_writer){0};
}

static int write_file(const struct saver *saver)
{
	FILE *file = fopen(saver->new, "we");
	if (!file) {
		return -errno;
	}
	const struct bytes_writer *text = &saver->text;
	bool written = text->size == 0 || fwrite(text->data, 1, text->size, file) == text->size;
	bool ok = written && fflush(file) == 0 && fsync(fileno(file)) == 0;
	int r = ok ? 0 : -errno;
	if (fclose(file) != 0 && r == 0) {
		r = -errno;
	}
	return r == 0 && rename(saver->new, saver->path) < 0 ? -errno : r;
}

static void write_it(uv_work_t *work)
{
	struct saver *saver = work->data;
	int r = write_file(saver);
	saver->err = (struct error){0};
	if (r < 0) {
		r = error_set(&saver->err, r, "what was set: %s", strerror(-r));
	}
}

static void write_next(struct saver *saver);

static void on_written(uv_work_t *work, int status)
{
	struct saver *saver = work->data;
	(void)status;
	saver->writes = false;
	if (saver->err.code) {
		log_warning(saver->log, "%s", saver->err.text);
	}
	saver->failed = saver->err.code && !saver->waits;
	if (saver->failed) {
		saver->next = saver->text;
		saver->text = (struct bytes_writer){0};
	}
	drop(&saver->text);
	write_next(saver);
}

static void write_next(struct saver *saver)
{
	if (saver->writes || !saver->waits) {
		return;
	}
	saver->waits = false;
	saver->text = saver->next;
	saver->next = (struct bytes_writer){0};
	saver->writes = uv_queue_work(saver->loop, &saver->work, write_it, on_written) == 0;
	if (!saver->writes) { /* it was given no function */
		drop(&saver->text);
	}
}

void saver_write(struct saver *saver, struct bytes_writer *text)
{
	struct bytes_writer newest = *text;
	*text = (struct bytes_writer){0};
	if (!saver->path[0] || newest.failed) {
		if (newest.failed) {
			log_warning(saver->log, "what was set: no memory to keep it");
		}
		drop(&newest);
		return;
	}
	drop(&saver->next);
	saver->next = newest;
	saver->waits = true;
	saver->failed = false;
	write_next(saver);
}

void saver_try_again(struct saver *saver)
{
	saver->waits = saver->waits || saver->failed;
	saver->failed = false;
	write_next(saver);
}

bool saver_is_idle(const struct saver *saver)
{
	return !saver->writes && !saver->waits;
}

void saver_deinit(struct saver *saver)
{
	drop(&saver->next);
}
