/* SPDX-License-Identifier: Apache-2.0 */
#include "base/few_shot.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define DELETE 0x7F

void few_shot_free(struct few_shot *examples)
{
	for (size_t i = 0; i < examples->n; i++) {
		free(examples->items[i].vector);
	}
	free(examples->items);
	*examples = (struct few_shot){0};
}

bool few_shot_is_label(const char *label, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)label[i];
		if (c < ' ' || c == DELETE) {
			return false;
		}
	}
	return length > 0 && length < FEW_SHOT_LABEL_SIZE;
}

static size_t count_numbers(const char *text, const char *end)
{
	size_t n = 0;
	while (text < end) {
		while (text < end && *text == ' ') {
			text++;
		}
		n += text < end;
		while (text < end && *text != ' ') {
			text++;
		}
	}
	return n;
}

/* Parses a decimal number. strtof() would accept more, such as other kinds of blanks before it. */
static int number_parse(const char **text, const char *end, float *ret_number)
{
	while (*text < end && **text == ' ') {
		++*text;
	}
	char *after = NULL;
	const size_t length = strspn(*text, "0123456789+-.eE");
	*ret_number = strtof(*text, &after);
	const bool whole = length > 0 && after == *text + length && after <= end &&
		(after == end || *after == ' ');
	*text = after;
	return whole && isfinite(*ret_number) ? 0 : -EBADMSG;
}

/* Parses the numbers from @text to @end, the end of the line. */
static int vector_parse(struct few_shot *examples, const char *text, const char *end,
	unsigned int line, struct error *err)
{
	struct few_shot_example *one = &examples->items[examples->n - 1];
	size_t n = count_numbers(text, end);
	if (n == 0 || (examples->length && n != examples->length)) {
		return error_set(err, -EBADMSG, "line %u has %zu numbers, not %zu", line, n,
			examples->length);
	}
	if ((uint64_t)n * examples->n > FEW_SHOT_MAX_VALUES) {
		return error_set(err, -EFBIG, "more than %u numbers", FEW_SHOT_MAX_VALUES);
	}
	examples->length = n;
	one->vector = calloc(n, sizeof(one->vector[0]));
	if (!one->vector) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		if (number_parse(&text, end, &one->vector[i]) < 0) {
			return error_set(err, -EBADMSG, "line %u: number %zu", line, i + 1);
		}
	}
	return 0;
}

static int line_parse(struct few_shot *examples, const char *text, const char *end,
	unsigned int line, struct error *err)
{
	const char *tab = memchr(text, '\t', (size_t)(end - text));
	size_t length = tab ? (size_t)(tab - text) : 0;
	if (!few_shot_is_label(text, length)) {
		return error_set(
			err, -EBADMSG, "line %u does not begin with a label and a tab", line);
	}
	if (examples->n == FEW_SHOT_MAX) {
		return error_set(err, -EFBIG, "more than %d examples", FEW_SHOT_MAX);
	}
	struct few_shot_example *items =
		realloc(examples->items, (examples->n + 1) * sizeof(examples->items[0]));
	if (!items) {
		return error_no_memory(err);
	}
	examples->items = items;
	struct few_shot_example *one = &items[examples->n++];
	*one = (struct few_shot_example){0};
	memcpy(one->label, text, length);
	return vector_parse(examples, tab + 1, end, line, err);
}

int few_shot_parse(const char *text, size_t size, struct few_shot *ret_examples, struct error *err)
{
	owned_examples struct few_shot examples = {0};
	const char *end = text + size;
	unsigned int line = 1;
	for (; text < end; line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		int r = stop > text ? line_parse(&examples, text, stop, line, err) : 0;
		if (r < 0) {
			return r;
		}
		text = stop + 1;
	}
	*ret_examples = examples;
	examples = (struct few_shot){0};
	return 0;
}

int few_shot_join(const char *before, size_t before_size, const char *more, size_t more_size,
	char **ret_text, size_t *ret_size)
{
	const struct {
		const char *text;
		size_t size;
	} parts[] = {{before, before_size}, {more, more_size}};
	size_t n = 0;
	char *text = malloc(before_size + more_size + 3); /* two line ends and the terminating 0 */
	if (!text) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < 2; i++) {
		if (parts[i].size == 0) {
			continue;
		}
		memcpy(text + n, parts[i].text, parts[i].size);
		n += parts[i].size;
		if (text[n - 1] != '\n') {
			text[n++] = '\n';
		}
	}
	text[n] = 0;
	*ret_text = text;
	*ret_size = n;
	return 0;
}

size_t few_shot_remove(char *text, size_t *size, const char *label)
{
	const size_t length = strlen(label);
	const char *const end = text + *size;
	size_t n = 0;
	char *to = text;
	for (const char *line = text; line < end;) {
		const size_t left = (size_t)(end - line);
		const char *newline = memchr(line, '\n', left);
		const size_t bytes = newline ? (size_t)(newline - line) + 1 : left;
		if (bytes > length && memcmp(line, label, length) == 0 && line[length] == '\t') {
			n++;
		} else {
			memmove(to, line, bytes);
			to += bytes;
		}
		line += bytes;
	}
	*size = (size_t)(to - text);
	if (n > 0) {
		*to = 0;
	}
	return n;
}

int few_shot_write(
	FILE *file, const char *label, const float *vector, size_t length, struct error *err)
{
	if (!few_shot_is_label(label, strlen(label))) {
		return error_set(err, -EINVAL, "a label has 1 to %d bytes, no control characters",
			FEW_SHOT_LABEL_SIZE - 1);
	}
	fprintf(file, "%s\t", label);
	for (size_t i = 0; i < length; i++) {
		fprintf(file, "%s%.9g", i ? " " : "", (double)vector[i]);
	}
	fputc('\n', file);
	return ferror(file) ? error_set(err, -EIO, "writing failed") : 0;
}
