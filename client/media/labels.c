/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/labels.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct lines {
	char **at; /* owned; each line is zero-terminated */
	size_t n;
};

static void lines_free(struct lines *lines)
{
	free(lines->at);
}

/* Returns the name in "id name" or "id:name"; NULL if the line has another form. */
static char *numbered(char *line, uint32_t *ret_id)
{
	char *p = line + strspn(line, " \t");
	char *digits = p;
	uint32_t id = 0;
	for (; *p >= '0' && *p <= '9' && id < LABELS_MAX; p++) {
		id = 10 * id + (uint32_t)(*p - '0');
	}
	if (p == digits || id >= LABELS_MAX || !strchr(" \t:", *p) || *p == 0) {
		return NULL;
	}
	p += strspn(p, " \t");
	p += *p == ':';
	*ret_id = id;
	return p + strspn(p, " \t");
}

/* Removes blanks at the end of lines. */
static void cut_blanks(const struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		char *line = lines->at[i];
		size_t length = strlen(line);
		while (length > 0 && strchr(" \t", line[length - 1])) {
			length--;
		}
		line[length] = 0;
	}
}

static bool is_empty(const char *line)
{
	return line[strspn(line, " \t")] == 0;
}

/* Splits @text in place. Text after the last line end is a line only if it is not empty. */
static int cut_lines(char *text, struct lines *ret_lines)
{
	size_t n = 0, most = 1;
	for (const char *p = text; *p; p++) {
		most += *p == '\n';
	}
	char **at = calloc(most, sizeof(at[0]));
	if (!at) {
		return -ENOMEM;
	}
	for (char *rest = text; rest && *rest;) {
		char *line = strsep(&rest, "\n");
		size_t length = strlen(line);
		if (length > 0 && line[length - 1] == '\r') {
			line[length - 1] = 0;
		}
		at[n++] = line;
	}
	*ret_lines = (struct lines){.at = at, .n = n};
	return 0;
}

/* Returns the largest number + 1; 0 if a non-empty line has no number. */
static size_t count_numbered(const struct lines *lines)
{
	size_t count = 0;
	for (size_t i = 0; i < lines->n; i++) {
		uint32_t id = 0;
		if (is_empty(lines->at[i])) {
			continue;
		}
		if (!numbered(lines->at[i], &id)) {
			return 0;
		}
		count = id + 1 > count ? id + 1 : count;
	}
	return count;
}

/* Returns false if a number is repeated: then the numbers are part of the names. */
static bool place_numbered(const struct lines *lines, const char **names)
{
	for (size_t i = 0; i < lines->n; i++) {
		uint32_t id = 0;
		const char *name = is_empty(lines->at[i]) ? NULL : numbered(lines->at[i], &id);
		if (name && names[id]) {
			return false;
		}
		if (name) {
			names[id] = name;
		}
	}
	return true;
}

/* *ret_numbered: lines begin with numbers. */
static int place(const struct lines *lines, struct labels *labels, bool *ret_numbered)
{
	size_t count = count_numbered(lines);
	size_t room = count > lines->n ? count : lines->n;
	labels->names = calloc(room + 1, sizeof(labels->names[0]));
	if (!labels->names) {
		return -ENOMEM;
	}
	*ret_numbered = count > 0 && place_numbered(lines, labels->names);
	if (*ret_numbered) {
		labels->n = count;
		return 0;
	}
	for (size_t i = 0; i < room; i++) {
		labels->names[i] = i < lines->n ? lines->at[i] : NULL;
	}
	labels->n = lines->n;
	return 0;
}

static int lengths_check(const struct lines *lines, bool is_numbered, struct error *err)
{
	for (size_t i = 0; i < lines->n; i++) {
		uint32_t id = 0;
		const char *name = is_numbered ? numbered(lines->at[i], &id) : lines->at[i];
		const size_t bytes = name ? strlen(name) : 0;
		if (bytes > LABELS_MAX_BYTES) {
			return error_set(err, -EINVAL, "line %zu: a label of %zu bytes, limit %u",
				i + 1, bytes, LABELS_MAX_BYTES);
		}
	}
	return 0;
}

int labels_parse(const char *text, size_t size, struct labels *ret_labels, struct error *err)
{
	__attribute__((cleanup(lines_free))) struct lines lines = {0};
	owned_labels struct labels labels = {0};
	bool is_numbered = false;
	labels.text = malloc(size + 1);
	if (!labels.text) {
		return error_no_memory(err);
	}
	memcpy(labels.text, text, size);
	labels.text[size] = 0;
	if (memchr(text, 0, size)) {
		return error_set(err, -EINVAL, "labels: a zero byte in the text");
	}
	if (cut_lines(labels.text, &lines) < 0 || place(&lines, &labels, &is_numbered) < 0) {
		return error_no_memory(err);
	}
	cut_blanks(&lines); /* only now: a blank may follow a number without a name */
	int r = lengths_check(&lines, is_numbered, err);
	if (r < 0) {
		return r;
	}
	*ret_labels = labels;
	labels = (struct labels){0};
	return 0;
}

void labels_free(struct labels *labels)
{
	free(labels->text);
	free(labels->names);
	*labels = (struct labels){0};
}

const char *labels_get(const struct labels *labels, size_t index)
{
	return index < labels->n ? labels->names[index] : NULL;
}
