/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

static char *trim(char *text)
{
	text += strspn(text, " \t");
	size_t length = strlen(text);
	while (length > 0 && strchr(" \t\r", text[length - 1])) {
		text[--length] = 0;
	}
	return text;
}

static int section_read(const struct ini_reader *reader, char *text, struct error *err)
{
	char *end = strchr(text, ']');
	if (!end || end[1] != 0) {
		return error_set(err, -EINVAL, "a section is [name], with nothing behind it");
	}
	*end = 0;
	return reader->section(reader->context, text, err);
}

static int line_read(
	const struct ini_reader *reader, unsigned int number, char *line, struct error *err)
{
	if (line[0] == '#' || line[0] == ';') {
		return 0;
	}
	char *text = trim(line);
	if (text[0] == 0) {
		return 0;
	}
	if (text[0] == '[') {
		return section_read(reader, text + 1, err);
	}
	char *equals = strchr(text, '=');
	if (!equals) {
		return error_set(err, -EINVAL, "neither [section] nor key = value");
	}
	*equals = 0;
	return reader->key(reader->context, number, trim(text), trim(equals + 1), err);
}

/* Reads one line without its end into @line. Returns 1; 0 at the end of the file; negative
 * errno. */
static int line_get(FILE *file, char *line, struct error *err)
{
	size_t length = 0;
	int c = getc(file);
	if (c == EOF && !ferror(file)) {
		return 0;
	}
	for (; c != EOF && c != '\n'; c = getc(file)) {
		if (c == 0) {
			return error_set(err, -EINVAL, "a byte 0");
		}
		if (length == INI_MAX_LINE - 1) {
			return error_set(err, -EINVAL, "more than %d bytes", INI_MAX_LINE - 1);
		}
		line[length++] = (char)c;
	}
	if (ferror(file)) {
		return error_set(err, -EIO, "reading failed");
	}
	line[length] = 0;
	return 1;
}

int ini_read_lines(FILE *file, const char *name, const struct ini_reader *reader,
	unsigned int *number, struct error *err)
{
	char line[INI_MAX_LINE];
	int code = 0;
	*number = 1;
	while ((code = line_get(file, line, err)) > 0) {
		code = line_read(reader, *number, line, err);
		if (code < 0) {
			break;
		}
		++*number;
	}
	if (code < 0) {
		error_prefix(err, "%s:%u", name, *number);
	}
	return code;
}

int ini_read(FILE *file, const char *name, const struct ini_reader *reader, struct error *err)
{
	unsigned int number = 0;
	return ini_read_lines(file, name, reader, &number, err);
}

int ini_parse_bool(const char *value, bool *ret_truth)
{
	bool yes = strcmp(value, "yes") == 0;
	if (!yes && strcmp(value, "no") != 0) {
		return -EINVAL;
	}
	*ret_truth = yes;
	return 0;
}

/* The null device: devices.txt of Linux, 1 char 3. */
bool ini_is_file(const struct stat *st)
{
	return S_ISREG(st->st_mode) || (S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3));
}

int ini_open(const char *path, FILE **ret_file, struct error *err)
{
	struct stat st;
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	}
	if (!ini_is_file(&st)) {
		return error_set(err, -EINVAL, "%s: not a regular file", path);
	}
	FILE *file = fdopen(fd, "r");
	if (!file) {
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	}
	fd = -1;
	*ret_file = file;
	return 0;
}
