/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/depot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/utf8.h"
#include "daemon/blobs.h"
#include "daemon/history.h"
#include "daemon/notice.h"
#include "daemon/put.h"
#include "daemon/scan.h"

#define LOCK_TRIES 200 /* 10 ms apart */

/* ---- opening and closing */

static void folders_close(struct depot *depot)
{
	int *read[] = {&depot->stored, &depot->known, &depot->told};
	int *written[] = {&depot->blobs, &depot->manifests, &depot->bad_folder, &depot->history};
	if (depot->blobs < 0) {
		for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++) {
			own_close_fd(read[i]);
		}
	}
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		own_close_fd(written[i]);
		*written[i] = -1;
	}
	depot->stored = depot->known = depot->told = -1;
}

static int writable(int folder)
{
	return faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int folders_open(struct depot *depot, int state)
{
	const struct {
		const char *name;
		int *folder;
	} rows[] = {{"blobs", &depot->blobs}, {"manifests", &depot->manifests},
		{"bad", &depot->bad_folder}, {"history", &depot->history}};
	int code = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && code == 0; i++) {
		code = put_folder(state, rows[i].name, rows[i].folder);
		if (code == 0) {
			code = writable(*rows[i].folder);
		}
	}
	return code;
}

/* As they are: they can be read and not written. */
static int folders_read(struct depot *depot, int state)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
	folders_close(depot);
	depot->stored = openat(state, "blobs", flags);
	depot->known = depot->stored < 0 ? -1 : openat(state, "manifests", flags);
	depot->told = openat(state, "history", flags);
	return depot->known < 0 ? -errno : 0;
}

/* Where there can be no folder weights are packed in memory. */
static void packs_open(struct depot *depot, int state, uint64_t cpu_features)
{
	int folder = -1;
	if (put_folder(state, "packs", &folder) < 0 ||
		(depot->blobs >= 0 && writable(folder) < 0)) {
		own_close_fd(&folder);
		folder = -1;
	}
	pack_files_init(&depot->packs, folder, cpu_features);
}

static void bad_read(struct depot *depot, int state);

/* What a crash left: once the lock is had, so that it is no other edged's. */
static void unfinished_drop(const struct depot *depot)
{
	const int folders[] = {depot->blobs, depot->manifests, depot->bad_folder, depot->history};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		put_drop(folders[i]);
	}
}

/* Of an edged that was killed a child may have it until it becomes edged-check, some milliseconds later. */
static int state_lock(const struct depot *depot)
{
	static const struct timespec moment = {.tv_nsec = 10000000};
	int code = flock(depot->stored, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	if (code == -EWOULDBLOCK) {
		log_notice(depot->log,
			"the state folder: another edged uses it: tried again for %d s",
			LOCK_TRIES / 100);
	}
	for (int i = 0; i < LOCK_TRIES && code == -EWOULDBLOCK; i++) {
		nanosleep(&moment, NULL);
		code = flock(depot->stored, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	}
	return code;
}

/* One edged for each store. The lock ends with the descriptor. */
static int state_open(struct depot *depot, const char *path, uint64_t cpu_features)
{
	owned_fd int state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = state < 0 ? -errno : folders_open(depot, state);
	if (code == 0) {
		depot->stored = depot->blobs;
		depot->known = depot->manifests;
		depot->told = depot->history;
	}
	if ((code == -EROFS || code == -EACCES) && folders_read(depot, state) == 0) {
		log_notice(depot->log,
			"the state folder cannot be written (%s): what it holds serves, what is new is "
			"kept in memory",
			strerror(-code));
		code = 0;
	}
	if (code == 0) {
		code = state_lock(depot);
	}
	if (code == 0) {
		if (depot->blobs >= 0) {
			unfinished_drop(depot);
			marks_open(&depot->marks, state);
		}
		packs_open(depot, state, cpu_features);
		bad_read(depot, state);
	}
	return code;
}

/* Whether some model's manifest says so. */
static bool is_proved(struct depot *depot, const struct digest *digest)
{
	owned_mem struct manifest *manifests = NULL;
	bool proved = false;
	size_t n = 0;
	int code = depot_manifests(depot, &manifests, &n);
	for (size_t i = 0; code == 0 && i < n && !proved; i++) {
		proved = digest_same(&manifests[i].last_good, digest) ||
			digest_same(&manifests[i].previous, digest);
	}
	return proved;
}

/* Deaths are forgotten once it is bad on the disk, and not before. */
static void condemn(struct depot *depot, const struct digest *model)
{
	struct error err = {0};
	if (depot_add_bad(depot, model, "", "edged died twice while it ran", &err) < 0) {
		log_warning(depot->log, "%s", err.text);
		return;
	}
	marks_clear(&depot->marks, model);
}

/* What edged died of twice is not run a third time. */
static void deaths_read(struct depot *depot)
{
	struct digest model;
	size_t at = 0;
	while (marks_next_dead(&depot->marks, &at, &model)) {
		if (is_proved(depot, &model) && depot->n_suspects < DEPOT_SUSPECTS) {
			depot->suspects[depot->n_suspects++] = model;
		} else {
			condemn(depot, &model);
		}
	}
}

bool depot_is_suspect(const struct depot *depot, const struct digest *model)
{
	for (size_t i = 0; i < depot->n_suspects; i++) {
		if (digest_same(&depot->suspects[i], model)) {
			return true;
		}
	}
	return false;
}

void depot_open(struct depot *depot, const char *path, uint64_t cpu_features, const struct log *log)
{
	*depot = (struct depot){
		.log = log, .blobs = -1, .manifests = -1, .bad_folder = -1, .history = -1};
	depot->stored = depot->known = depot->told = -1;
	depot->packs.folder = -1;
	int code = state_open(depot, path, cpu_features);
	if (code < 0) {
		folders_close(depot);
		log_notice(log, "the state folder: %s: models are kept in memory",
			code == -EWOULDBLOCK ? "another edged uses it" : strerror(-code));
		return;
	}
	deaths_read(depot);
}

void depot_close(struct depot *depot)
{
	folders_close(depot);
	pack_files_deinit(&depot->packs);
	marks_close(&depot->marks);
	free(depot->bad);
	depot->bad = NULL;
	depot->n_bad = depot->bad_capacity = 0;
}

/* ---- files */

static DIR *folder_list(int folder)
{
	int fd = folder < 0 ? -1 : openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		own_close_fd(&fd);
	}
	return dir;
}

/* At most @size bytes. Returns how many, or a negative errno. */
static ssize_t file_get(int folder, const char *name, char *out, size_t size)
{
	owned_fd int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size);
	return n < 0 ? -errno : n;
}

/* ---- manifests */

static int manifest_get(const struct depot *depot, const char *name, struct manifest *ret_manifest,
	struct error *err)
{
	owned_mem char *text = malloc(MANIFEST_MAX_BYTES);
	if (!text) {
		return error_no_memory(err);
	}
	ssize_t n = file_get(depot->known, name, text, MANIFEST_MAX_BYTES);
	return n < 0 ? error_set(err, (int)n, "%s", strerror((int)-n))
		     : manifest_parse(name, text, (size_t)n, ret_manifest, err);
}

struct found {
	struct manifest *manifests;
	size_t n, capacity;
};

static int found_add(struct found *found, const struct manifest *manifest)
{
	if (found->n == found->capacity) {
		size_t capacity = found->capacity ? 2 * found->capacity : 8;
		struct manifest *manifests =
			realloc(found->manifests, capacity * sizeof(manifests[0]));
		if (!manifests) {
			return -ENOMEM;
		}
		found->manifests = manifests;
		found->capacity = capacity;
	}
	found->manifests[found->n++] = *manifest;
	return 0;
}

static int entry_read(struct depot *depot, const char *name, struct found *found)
{
	struct error err = {0};
	struct manifest manifest;
	if (!scan_name_valid(name, strlen(name))) {
		return 0;
	}
	int code = manifest_get(depot, name, &manifest, &err);
	if (code == 0) {
		return found_add(found, &manifest);
	}
	log_warning(depot->log, "the store dropped what it knew of model %s: %s", name, err.text);
	if (code == -EINVAL && depot->manifests >= 0) {
		unlinkat(depot->manifests, name, 0);
	}
	return code == -ENOMEM ? code : 0;
}

int depot_manifests(struct depot *depot, struct manifest **ret_manifests, size_t *ret_n)
{
	struct found found = {0};
	int code = 0;
	DIR *dir = folder_list(depot->known);
	if (!dir && depot->known >= 0) {
		return -errno;
	}
	for (struct dirent *entry; dir && code == 0 && (entry = readdir(dir));) {
		code = entry_read(depot, entry->d_name, &found);
	}
	if (dir) {
		closedir(dir);
	}
	if (code < 0) {
		free(found.manifests);
		return code;
	}
	*ret_manifests = found.manifests;
	*ret_n = found.n;
	return 0;
}

int depot_save(struct depot *depot, const struct manifest *manifest, struct error *err)
{
	owned_mem char *text = NULL;
	size_t size = 0;
	if (depot->manifests < 0) {
		return 0;
	}
	int code = manifest_print(manifest, &text, &size);
	if (code == 0) {
		code = put_bytes(depot->manifests, manifest->name, 0600, text, size);
	}
	return code == 0 ? 0 : error_set(err, code, "the store: %s", strerror(-code));
}

void depot_drop(struct depot *depot, const char *name)
{
	if (depot->manifests >= 0) {
		unlinkat(depot->manifests, name, 0);
		unlinkat(depot->history, name, 0);
	}
}

/* ---- what is bad */

static const struct depot_bad *bad_find(const struct depot *depot, const struct digest *model)
{
	for (size_t i = 0; i < depot->n_bad; i++) {
		if (digest_same(&depot->bad[i].model, model)) {
			return &depot->bad[i];
		}
	}
	return NULL;
}

const char *depot_find_bad(const struct depot *depot, const struct digest *model)
{
	const struct depot_bad *bad = bad_find(depot, model);
	return bad ? bad->reason : NULL;
}

static void bad_remove(struct depot *depot, size_t at)
{
	char name[DIGEST_TEXT_SIZE];
	digest_print(&depot->bad[at].model, name);
	if (depot->bad_folder >= 0) {
		unlinkat(depot->bad_folder, name, 0);
	}
	depot->n_bad--;
	memmove(depot->bad + at, depot->bad + at + 1, (depot->n_bad - at) * sizeof(depot->bad[0]));
}

/* The oldest of model @of; of any for NULL. */
static size_t bad_oldest(const struct depot *depot, const char *of)
{
	size_t i = 0;
	while (of && strcmp(depot->bad[i].of, of) != 0) {
		i++;
	}
	return i;
}

static size_t bad_count(const struct depot *depot, const char *of)
{
	size_t n = 0;
	for (size_t i = 0; i < depot->n_bad; i++) {
		n += strcmp(depot->bad[i].of, of) == 0;
	}
	return n;
}

/* The model that has most: what it loses it is likely to find again. */
static const char *bad_most(const struct depot *depot)
{
	const char *found = NULL;
	size_t most = 0;
	for (size_t i = 0; i < depot->n_bad; i++) {
		size_t n = bad_count(depot, depot->bad[i].of);
		if (n > most) {
			most = n;
			found = depot->bad[i].of;
		}
	}
	return found;
}

static void bad_make_room(struct depot *depot, const char *of)
{
	if (bad_count(depot, of) >= DEPOT_BAD_OF_MODEL) {
		bad_remove(depot, bad_oldest(depot, of));
	} else if (depot->n_bad >= DEPOT_BAD) {
		bad_remove(depot, bad_oldest(depot, bad_most(depot)));
	}
}

/* A new one behind the others; NULL without memory. */
static struct depot_bad *bad_new(struct depot *depot)
{
	if (depot->n_bad == depot->bad_capacity) {
		size_t capacity = depot->bad_capacity ? 2 * depot->bad_capacity : 4;
		struct depot_bad *bad = realloc(depot->bad, capacity * sizeof(bad[0]));
		if (!bad) {
			return NULL;
		}
		depot->bad = bad;
		depot->bad_capacity = capacity;
	}
	struct depot_bad *bad = &depot->bad[depot->n_bad++];
	*bad = (struct depot_bad){0};
	return bad;
}

/* The text of its file: the reason, and in a line of its own the model. */
static bool bad_parse(int folder, const char *name, struct depot_bad *bad)
{
	char text[DEPOT_REASON_SIZE + SERVED_NAME_SIZE];
	struct stat st;
	ssize_t n = digest_parse(name, &bad->model) ? file_get(folder, name, text, sizeof(text) - 1)
						    : -ENOENT;
	if (n < 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return false;
	}
	text[n] = 0;
	const size_t length = strcspn(text, "\n");
	const char *of = text + length + (text[length] == '\n');
	const size_t of_length = strcspn(of, "\n");
	bad->since_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	error_clean(bad->reason, sizeof(bad->reason), text, length);
	if (of_length < sizeof(bad->of) && scan_name_valid(of, of_length)) {
		memcpy(bad->of, of, of_length);
	}
	return true;
}

static int bad_order(const void *a, const void *b)
{
	const struct depot_bad *first = a, *second = b;
	return (first->since_ns > second->since_ns) - (first->since_ns < second->since_ns);
}

/* Oldest first, as they were found. */
static void bad_read(struct depot *depot, int state)
{
	owned_fd int folder = openat(state, "bad", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = folder_list(folder);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		struct depot_bad *bad = bad_new(depot); /* without memory it is found bad again */
		if (bad && !bad_parse(folder, entry->d_name, bad)) {
			depot->n_bad--;
		}
	}
	if (dir) {
		closedir(dir);
	}
	if (depot->n_bad > 0) {
		qsort(depot->bad, depot->n_bad, sizeof(depot->bad[0]), bad_order);
	}
}

static void bad_tell(const struct depot *depot, const struct depot_bad *bad)
{
	char text[DIGEST_TEXT_SIZE];
	const struct notice_about about = {
		.model = bad->of[0] ? bad->of : NULL, .digest = &bad->model};
	notice(depot->log, NOTICE_FILE_BAD, &about, "file %s is bad: %s",
		digest_print(&bad->model, text), bad->reason);
}

int depot_add_bad(struct depot *depot, const struct digest *model, const char *of,
	const char *reason, struct error *err)
{
	char name[DIGEST_TEXT_SIZE], text[DEPOT_REASON_SIZE + SERVED_NAME_SIZE + 2];
	if (bad_find(depot, model)) {
		return 0;
	}
	bad_make_room(depot, of);
	struct depot_bad *bad = bad_new(depot);
	int code = bad ? 0 : -ENOMEM;
	if (bad) {
		bad->model = *model;
		snprintf(bad->reason, sizeof(bad->reason), "%s", reason);
		utf8_end(bad->reason);
		snprintf(bad->of, sizeof(bad->of), "%s", of);
		bad_tell(depot, bad);
	}
	if (code == 0 && depot->bad_folder >= 0) {
		snprintf(text, sizeof(text), "%s\n%s\n", bad->reason, bad->of);
		code = put_bytes(
			depot->bad_folder, digest_print(model, name), 0600, text, strlen(text));
	}
	return code == 0 ? 0 : error_set(err, code, "the store: %s", strerror(-code));
}

void depot_unlist_bad(struct depot *depot, const struct digest *model)
{
	const struct depot_bad *bad = bad_find(depot, model);
	if (bad) {
		bad_remove(depot, (size_t)(bad - depot->bad));
	}
}

int depot_forget_bad(struct depot *depot, const struct digest *model, struct error *err)
{
	const struct depot_bad *bad = bad_find(depot, model);
	if (!bad) {
		return error_set(err, -ENOENT, "no file of that digest is bad");
	}
	bad_remove(depot, (size_t)(bad - depot->bad));
	return 0;
}

/* ---- what nobody needs */

void depot_sweep(struct depot *depot, bool (*wanted)(void *context, const struct digest *digest),
	void *context)
{
	size_t gone = blobs_sweep(depot->blobs, wanted, context) +
		pack_files_sweep(&depot->packs, wanted, context);
	if (gone > 0) {
		log_debug(depot->log, "the store removed %zu files that nothing needs", gone);
	}
}

/* ---- what happened */

void depot_note(struct depot *depot, const char *name, const char *format, ...)
{
	char text[HISTORY_LINE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (depot->history >= 0) {
		history_add(depot->history, name, text);
	}
}

int depot_history(
	struct depot *depot, const char *name, size_t size, char **ret_text, struct error *err)
{
	if (depot->told < 0) {
		return error_set(err, -EOPNOTSUPP, "without a state folder there is no history");
	}
	return history_read(depot->told, name, size, ret_text, err);
}
