/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text/ini.h"
#include "client/media/csv.h"

#define READ_STEP 65536

/* @hint: expected size, so that a regular file needs one allocation. */
static int read_all(int fd, size_t hint, size_t limit, struct bytes_writer *w, struct error *err)
{
	for (;;) {
		size_t before = w->size;
		size_t step =
			hint >= before && hint - before < limit ? hint - before + 1 : READ_STEP;
		uint8_t *room = bytes_reserve(w, step);
		if (!room) {
			return error_no_memory(err);
		}
		ssize_t n = read(fd, room, step);
		if (n < 0 && errno == EINTR) {
			n = 0;
			step = 1;
		} else if (n < 0) {
			return error_set(err, -errno, "read: %s", strerror(errno));
		} else if (n == 0) {
			w->size = before;
			return 0;
		}
		w->size = before + (size_t)n;
		if (w->size > limit) {
			return error_set(err, -EFBIG, "larger than %zu bytes", limit);
		}
	}
}

/* @flags: O_NONBLOCK, or 0 to accept files that may block. */
static int open_path(
	const char *path, int flags, size_t limit, int *ret_fd, size_t *ret_hint, struct error *err)
{
	struct stat st;
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return error_set(err, -errno, "%s", strerror(errno));
	}
	if (S_ISDIR(st.st_mode)) {
		return error_set(err, -EISDIR, "is a folder");
	}
	if (flags && !ini_is_file(&st)) {
		return error_set(err, -EINVAL, "not a regular file");
	}
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > limit) {
		return error_set(
			err, -EFBIG, "%lld bytes, limit %zu", (long long)st.st_size, limit);
	}
	*ret_hint = S_ISREG(st.st_mode) ? (size_t)st.st_size : 0;
	*ret_fd = take_fd(fd);
	return 0;
}

#define TEXT "text:"

bool source_is_text(const struct source *source)
{
	return strncmp(source->path, TEXT, strlen(TEXT)) == 0;
}

static int take_text(const char *path, struct source *ret_source, struct error *err)
{
	char *copy = strdup(path + strlen(TEXT));
	if (!copy) {
		return error_no_memory(err);
	}
	*ret_source = (struct source){.path = path, .data = (uint8_t *)copy, .size = strlen(copy)};
	return 0;
}

static int take_bytes(const char *path, int fd, size_t hint, size_t limit,
	struct source *ret_source, struct error *err)
{
	struct bytes_writer w = {0};
	int r = read_all(fd, hint, limit, &w, err);
	size_t size = w.size;
	if (r == 0) {
		bytes_write_u8(&w, 0);
		r = w.failed ? error_no_memory(err) : 0;
	}
	if (r < 0) {
		bytes_writer_deinit(&w);
		return r;
	}
	*ret_source = (struct source){.path = path, .data = w.data, .size = size};
	return 0;
}

int source_open(const char *path, size_t limit, struct source *ret_source, struct error *err)
{
	owned_fd int fd = -1;
	size_t hint = 0;
	limit = limit ? limit : SOURCE_MAX_BYTES;
	if (strncmp(path, TEXT, strlen(TEXT)) == 0) {
		return take_text(path, ret_source, err);
	}
	if (strcmp(path, "-") == 0) {
		return take_bytes(path, STDIN_FILENO, 0, limit, ret_source, err);
	}
	int r = open_path(path, 0, limit, &fd, &hint, err);
	return r < 0 ? r : take_bytes(path, fd, hint, limit, ret_source, err);
}

int source_open_file(const char *path, size_t limit, struct source *ret_source, struct error *err)
{
	owned_fd int fd = -1;
	size_t hint = 0;
	int r = open_path(path, O_NONBLOCK, limit, &fd, &hint, err);
	return r < 0 ? r : take_bytes(path, fd, hint, limit, ret_source, err);
}

void source_close(struct source *source)
{
	free(source->data);
	*source = (struct source){0};
}

static bool begins(const struct source *s, size_t at, const char *magic, size_t length)
{
	return s->size >= at + length && memcmp(s->data + at, magic, length) == 0;
}

static bool named(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);
	return n > m && strcasecmp(path + n - m, suffix) == 0;
}

/* True if there are only characters of a table of numbers, and at least one digit. */
static bool looks_like_numbers(const struct source *s)
{
	bool digit = false;
	for (size_t i = csv_bom_size((const char *)s->data, s->size); i < s->size; i++) {
		uint8_t c = s->data[i];
		if (!c || !strchr("0123456789+-.eE,; \t\r\n", c)) {
			return false;
		}
		digit |= c >= '0' && c <= '9';
	}
	return digit;
}

enum source_format source_format_of(const struct source *s)
{
	if (begins(s, 0, "\xff\xd8\xff", 3)) {
		return SOURCE_JPEG;
	}
	if (begins(s, 0, "\x89PNG\r\n\x1a\n", 8)) {
		return SOURCE_PNG;
	}
	if (begins(s, 0, "BM", 2) && s->size >= 26 && bytes_get_u32(s->data + 14) < 256) {
		return SOURCE_BMP;
	}
	if (s->size > 2 && s->data[0] == 'P' && strchr("2356", s->data[1]) &&
		strchr(" \t\r\n#", s->data[2])) {
		return SOURCE_PNM;
	}
	/* RIFX and RF64 too, so that they are not taken for raw samples. */
	const bool riff = begins(s, 0, "RIFF", 4) || begins(s, 0, "RIFX", 4);
	if ((riff || begins(s, 0, "RF64", 4)) && begins(s, 8, "WAVE", 4)) {
		return SOURCE_WAV;
	}
	if (begins(s, 0, "\x93NUMPY", 6)) {
		return SOURCE_NPY;
	}
	return source_is_table_name(s->path) || looks_like_numbers(s) ? SOURCE_CSV : SOURCE_UNKNOWN;
}

bool source_is_table_name(const char *path)
{
	return named(path, ".csv") || named(path, ".tsv") || named(path, ".txt");
}

bool source_is_image(enum source_format format)
{
	return format == SOURCE_JPEG || format == SOURCE_PNG || format == SOURCE_BMP ||
		format == SOURCE_PNM;
}
