/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/announce/retained_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/own.h"

#define SPARE_LINES 1024 /* beyond two lines an entry the file is written anew */

void retained_list_init(struct retained_list *list)
{
	*list = (struct retained_list){.fd = -1};
}

/* Returns the place of the first entry that is not before @entry. */
static size_t lower_bound(const struct retained_list *list, const char *entry)
{
	size_t low = 0, high = list->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(list->entries[middle], entry) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static bool is_at(const struct retained_list *list, size_t at, const char *entry)
{
	return at < list->n && strcmp(list->entries[at], entry) == 0;
}

/* Returns false if there is no room or no memory. */
static bool insert(struct retained_list *list, size_t at, const char *entry)
{
	owned_mem char *copy = list->n < RETAINED_LIST_MAX ? strdup(entry) : NULL;
	char **slot = copy ? array_insert(&list->entries, at, &list->n, sizeof(*slot)) : NULL;
	if (slot) {
		*slot = take(copy);
	}
	return slot;
}

static void erase(struct retained_list *list, size_t at)
{
	free(list->entries[at]);
	array_remove(&list->entries, at, &list->n, sizeof(list->entries[0]));
}

/* ---- the file */

static void read_line(struct retained_list *list, char *line)
{
	size_t length = strcspn(line, "\n");
	bool whole = line[length] == '\n';
	line[length] = 0;
	size_t at = whole && length > 1 ? lower_bound(list, line + 1) : 0;
	bool there = whole && length > 1 && is_at(list, at, line + 1);
	if (whole && line[0] == '+' && !there && length > 1) {
		bool added = insert(list, at, line + 1);
		(void)added; /* without memory it is forgotten */
	} else if (line[0] == '-' && there) {
		erase(list, at);
	}
}

static void read_file(struct retained_list *list)
{
	char line[RETAINED_LIST_TEXT_SIZE + 2];
	FILE *file = fopen(list->path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		read_line(list, line);
	}
	if (file) {
		fclose(file);
	}
}

/* Writes all entries to a new file and continues with it. */
static int write_anew(struct retained_list *list)
{
	FILE *file = fopen(list->new, "we");
	for (size_t i = 0; file && i < list->n; i++) {
		fprintf(file, "+%s\n", list->entries[i]);
	}
	int r = !file || ferror(file) || fflush(file) != 0 ? -errno : 0;
	if (file && fclose(file) != 0 && r == 0) {
		r = -errno;
	}
	if (r == 0 && rename(list->new, list->path) < 0) {
		r = -errno;
	}
	int fd = r == 0 ? open(list->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd < 0) {
		return r ? r : -errno;
	}
	own_close_fd(&list->fd);
	list->fd = fd;
	list->n_lines = list->n;
	return 0;
}

int retained_list_open(struct retained_list *list, const char *folder, struct error *err)
{
	int n = snprintf(list->path, sizeof(list->path), "%s/retained", folder);
	int m = snprintf(list->new, sizeof(list->new), "%s/retained.new", folder);
	if (n < 0 || m < 0 || (size_t)m >= sizeof(list->new)) {
		return error_set(err, -ENAMETOOLONG, "%s: the path is too long", folder);
	}
	read_file(list);
	int r = write_anew(list);
	return r < 0 ? error_set(err, r, "%s: %s", list->path, strerror(-r)) : 0;
}

void retained_list_deinit(struct retained_list *list)
{
	while (list->n > 0) {
		erase(list, list->n - 1);
	}
	free(list->entries);
	own_close_fd(&list->fd);
	retained_list_init(list);
}

/* A line that is cut short, as by a full disk, is taken back. */
static void append(struct retained_list *list, char sign, const char *entry)
{
	char line[RETAINED_LIST_TEXT_SIZE + 2];
	int length = snprintf(line, sizeof(line), "%c%s\n", sign, entry);
	off_t end = list->fd < 0 ? 0 : lseek(list->fd, 0, SEEK_END);
	if (list->fd < 0) {
		return;
	}
	ssize_t written = write(list->fd, line, (size_t)length);
	if (written != length && ftruncate(list->fd, end) < 0) {
		own_close_fd(&list->fd);
		list->fd = -1;
	}
	list->n_lines++;
	if (list->n_lines > 2 * list->n + SPARE_LINES) {
		int r = write_anew(list);
		list->n_lines = r < 0 ? 0 : list->n_lines; /* tried again after as many lines */
	}
}

/* ---- entries */

/* Returns false for an entry that does not fit into a line. */
static bool make_entry(
	char out[RETAINED_LIST_TEXT_SIZE], const char *broker, const char *kind, const char *text)
{
	int n = snprintf(out, RETAINED_LIST_TEXT_SIZE, "%s %s %s", broker, kind, text);
	return n > 0 && n < RETAINED_LIST_TEXT_SIZE && !strchr(out, '\n');
}

void retained_list_add(
	struct retained_list *list, const char *broker, const char *kind, const char *text)
{
	char entry[RETAINED_LIST_TEXT_SIZE];
	if (!make_entry(entry, broker, kind, text)) {
		return;
	}
	size_t at = lower_bound(list, entry);
	if (!is_at(list, at, entry) && insert(list, at, entry)) {
		append(list, '+', entry);
	}
}

void retained_list_remove(
	struct retained_list *list, const char *broker, const char *kind, const char *text)
{
	char entry[RETAINED_LIST_TEXT_SIZE];
	if (!make_entry(entry, broker, kind, text)) {
		return;
	}
	size_t at = lower_bound(list, entry);
	if (is_at(list, at++, entry)) {
		retained_list_remove_at(list, &at);
	}
}

void retained_list_remove_at(struct retained_list *list, size_t *at)
{
	owned_mem char *entry = list->entries[--*at];
	array_remove(&list->entries, *at, &list->n, sizeof(list->entries[0]));
	append(list, '-', entry);
}

const char *retained_list_next(
	const struct retained_list *list, const char *broker, const char *kind, size_t *at)
{
	char begins[RETAINED_LIST_TEXT_SIZE];
	if (!make_entry(begins, broker, kind, "")) {
		return NULL;
	}
	size_t first = lower_bound(list, begins), length = strlen(begins);
	*at = *at < first ? first : *at;
	if (*at == list->n || strncmp(list->entries[*at], begins, length) != 0) {
		return NULL;
	}
	return list->entries[(*at)++] + length;
}

void retained_list_remove_all(struct retained_list *list, const char *broker, const char *kind)
{
	for (size_t at = 0; retained_list_next(list, broker, kind, &at);) {
		retained_list_remove_at(list, &at);
	}
}
