/* SPDX-License-Identifier: Apache-2.0 */
#include "client/golden/golden_case.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/strings.h"

/* Reads a file below @dir and appends a zero byte, which *ret_size does not count. */
static int read_file(int dir, const char *name, uint8_t **ret_data, size_t *ret_size)
{
	owned_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	owned_mem uint8_t *data = malloc((size_t)st.st_size + 1);
	if (!data) {
		return -ENOMEM;
	}
	const size_t size = (size_t)st.st_size;
	const int code = file_read_at(fd, 0, data, size);
	if (code < 0) {
		return code;
	}
	data[size] = 0;
	*ret_data = take(data);
	*ret_size = size;
	return 0;
}

static int parse_shape(const char *text, struct shape *ret_shape)
{
	struct shape shape = {0};
	if (strcmp(text, "-") != 0) {
		for (char *end = NULL;; text = end + 1) {
			long dim = strtol(text, &end, 10);
			if (end == text || dim < 0 || dim > SHAPE_MAX_DIM ||
				shape.rank == SHAPE_MAX_RANK) {
				return -EINVAL;
			}
			shape.dim[shape.rank++] = (int32_t)dim;
			if (*end != 'x') {
				if (*end) {
					return -EINVAL;
				}
				break;
			}
		}
	}
	*ret_shape = shape;
	return 0;
}

static int parse_compare(const char *text, struct golden_entry *entry)
{
	char rest;
	unsigned long long max_diff;
	if (strcmp(text, "exact") == 0) {
		entry->compare = GOLDEN_EXACT;
	} else if (sscanf(text, "close:%lf:%lf%c", &entry->atol, &entry->rtol, &rest) == 2) {
		entry->compare = GOLDEN_ALLCLOSE;
	} else if (sscanf(text, "near:%llu%c", &max_diff, &rest) == 1) {
		entry->compare = GOLDEN_MAX_DIFF;
		entry->max_diff = max_diff;
	} else {
		return -EINVAL;
	}
	return 0;
}

/* Counts the strings of the file (a length and the bytes each) and their total bytes. */
static int measure_strings(
	const struct golden_entry *entry, uint32_t *ret_count, uint64_t *ret_bytes)
{
	size_t at = 0;
	*ret_count = 0;
	*ret_bytes = 0;
	while (at < entry->bytes) {
		if (entry->bytes - at < 4) {
			return -EBADMSG;
		}
		uint32_t length = bytes_get_u32(entry->data + at);
		if (length > entry->bytes - at - 4) {
			return -EBADMSG;
		}
		at += 4 + (size_t)length;
		*ret_bytes += length;
		(*ret_count)++;
	}
	return 0;
}

/* Converts the file's strings to the table that the engine uses. */
static int make_table(struct golden_entry *entry)
{
	uint32_t count = 0;
	uint64_t bytes = 0;
	int r = measure_strings(entry, &count, &bytes);
	if (r < 0) {
		return r;
	}
	bytes += strings_head_bytes(count);
	uint8_t *table = aligned_alloc(16, bytes_align_up(bytes, 16));
	if (!table) {
		return -ENOMEM;
	}
	struct strings_writer w = strings_writer_of(table, count);
	for (const uint8_t *at = entry->data; count > 0; count--) {
		uint32_t length = bytes_get_u32(at);
		strings_put(&w, at + 4, length);
		at += 4 + (size_t)length;
	}
	free(entry->data);
	entry->data = table;
	entry->bytes = (size_t)bytes;
	return 0;
}

static int read_tensor(int dir, const char *file, struct golden_entry *entry)
{
	if (strcmp(file, "@zero") != 0) {
		int r = read_file(dir, file, &entry->data, &entry->bytes);
		return r == 0 && entry->type == DTYPE_STRING ? make_table(entry) : r;
	}
	uint64_t bytes;
	bool is_string = entry->type == DTYPE_STRING; /* empty strings: only a length each */
	int r = shape_bytes(&entry->shape, is_string ? DTYPE_INT32 : entry->type, &bytes);
	if (r < 0) {
		return r;
	}
	entry->bytes = (size_t)bytes;
	entry->data = calloc(1, entry->bytes + 1);
	if (!entry->data) {
		return -ENOMEM;
	}
	return is_string ? make_table(entry) : 0;
}

/* Parses "in 0 1 int8 1x4 file name" after its first word; the name is ignored. */
static int parse_tensor(int dir, char *rest, struct golden_entry *entry)
{
	const char *step = strsep(&rest, " "), *index = strsep(&rest, " ");
	const char *type = strsep(&rest, " "), *shape = strsep(&rest, " ");
	const char *compare = entry->kind == GOLDEN_OUT ? strsep(&rest, " ") : "exact";
	const char *file = strsep(&rest, " ");
	if (!file || dtype_find(type) < 0) {
		return -EINVAL;
	}
	entry->step = (uint32_t)strtoul(step, NULL, 10);
	entry->index = (uint32_t)strtoul(index, NULL, 10);
	entry->type = (uint8_t)dtype_find(type);
	if (parse_shape(shape, &entry->shape) < 0 || parse_compare(compare, entry) < 0) {
		return -EINVAL;
	}
	return read_tensor(dir, file, entry);
}

static struct golden_entry *add_entry(struct golden_case *c, enum golden_kind kind)
{
	struct golden_entry *grown =
		realloc(c->entries, (c->n_entries + 1) * sizeof(struct golden_entry));
	if (!grown) {
		return NULL;
	}
	c->entries = grown;
	struct golden_entry *entry = &grown[c->n_entries++];
	*entry = (struct golden_entry){.kind = (uint8_t)kind};
	return entry;
}

static int parse_entry(struct golden_case *c, int dir, enum golden_kind kind, char *rest)
{
	struct golden_entry *entry = add_entry(c, kind);
	if (!entry) {
		return -ENOMEM;
	}
	int r = 0;
	if (kind == GOLDEN_FAILS) {
		entry->step = (uint32_t)strtoul(rest, NULL, 10);
	} else {
		r = parse_tensor(dir, rest, entry);
	}
	c->n_steps = entry->step >= c->n_steps ? entry->step + 1 : c->n_steps;
	return r;
}

static int set_text(char **field, const char *text)
{
	free(*field);
	*field = strdup(text);
	return *field ? 0 : -ENOMEM;
}

static int parse_line(struct golden_case *c, int dir, char *line)
{
	char *rest = line;
	const char *word = strsep(&rest, " ");
	if (!*word || strcmp(word, "note") == 0 || strcmp(word, "sha256") == 0) {
		return 0;
	}
	if (!rest) {
		return -EINVAL;
	}
	if (strcmp(word, "model") == 0) {
		free(c->model);
		return asprintf(&c->model, "%s/%s", c->folder, rest) < 0 ? -ENOMEM : 0;
	}
	if (strcmp(word, "signature") == 0) {
		return set_text(&c->signature, rest);
	}
	if (strcmp(word, "in") == 0) {
		return parse_entry(c, dir, GOLDEN_IN, rest);
	}
	if (strcmp(word, "out") == 0) {
		return parse_entry(c, dir, GOLDEN_OUT, rest);
	}
	return strcmp(word, "fails") == 0 ? parse_entry(c, dir, GOLDEN_FAILS, rest) : -EINVAL;
}

int golden_case_read(const char *folder, struct golden_case **ret_case, struct error *err)
{
	owned(golden_case_free) struct golden_case *c = calloc(1, sizeof(*c));
	if (!c || set_text(&c->folder, folder) < 0) {
		return error_no_memory(err);
	}
	owned_fd int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	owned_mem uint8_t *text = NULL;
	size_t size;
	int r = dir < 0 ? -errno : read_file(dir, "case.txt", &text, &size);
	if (r < 0) {
		return error_set(err, r, "case.txt: %s", strerror(-r));
	}
	char *rest = (char *)text;
	for (int number = 1; rest; number++) {
		r = parse_line(c, dir, strsep(&rest, "\n"));
		if (r < 0) {
			return error_set(err, r, "case.txt:%d: %s", number, strerror(-r));
		}
	}
	if (!c->model) {
		return error_set(err, -EBADMSG, "case.txt: no model");
	}
	*ret_case = take(c);
	return 0;
}

void golden_case_free(struct golden_case *c)
{
	if (!c) {
		return;
	}
	for (size_t i = 0; i < c->n_entries; i++) {
		free(c->entries[i].data);
	}
	free(c->entries);
	free(c->folder);
	free(c->model);
	free(c->signature);
	free(c);
}

bool golden_case_fails(const struct golden_case *c, uint32_t step)
{
	for (size_t i = 0; i < c->n_entries; i++) {
		if (c->entries[i].kind == GOLDEN_FAILS && c->entries[i].step == step) {
			return true;
		}
	}
	return false;
}
