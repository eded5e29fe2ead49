/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/array.h"
#include "base/file.h"
#include "base/text/utf8.h"
#include "daemon/edged/store/blobs.h"
#include "daemon/edged/store/history.h"
#include "daemon/edged/store/models_folder.h"
#include "daemon/system/atomic_write.h"
#include "daemon/system/notice.h"

#define LOCK_TRIES 200 /* 10 ms apart */

/* ---- open and close */

static void folders_close(struct store *store)
{
	int *ro_fds[] = {&store->blobs_ro, &store->manifests_ro, &store->history_ro};
	int *rw_fds[] = {&store->blobs, &store->manifests, &store->bad_folder, &store->history};
	if (store->blobs < 0) {
		for (size_t i = 0; i < sizeof(ro_fds) / sizeof(ro_fds[0]); i++) {
			own_close_fd(ro_fds[i]);
		}
	}
	for (size_t i = 0; i < sizeof(rw_fds) / sizeof(rw_fds[0]); i++) {
		own_close_fd(rw_fds[i]);
		*rw_fds[i] = -1;
	}
	store->blobs_ro = store->manifests_ro = store->history_ro = -1;
}

static int writable(int folder)
{
	return faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int folders_open(struct store *store, int state)
{
	const struct {
		const char *name;
		int *folder;
	} rows[] = {{"blobs", &store->blobs}, {"manifests", &store->manifests},
		{"bad", &store->bad_folder}, {"history", &store->history}};
	int code = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && code == 0; i++) {
		code = atomic_write_folder(state, rows[i].name, rows[i].folder);
		if (code == 0) {
			code = writable(*rows[i].folder);
		}
	}
	return code;
}

/* Opens the folders for reading only. */
static int folders_open_readonly(struct store *store, int state)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
	folders_close(store);
	store->blobs_ro = openat(state, "blobs", flags);
	store->manifests_ro = store->blobs_ro < 0 ? -1 : openat(state, "manifests", flags);
	store->history_ro = openat(state, "history", flags);
	return store->manifests_ro < 0 ? -errno : 0;
}

/* Without a folder packed weights stay in memory. */
static void packs_open(struct store *store, int state, uint64_t cpu_features)
{
	int folder = -1;
	if (atomic_write_folder(state, "packs", &folder) < 0 ||
		(store->blobs >= 0 && writable(folder) < 0)) {
		own_close_fd(&folder);
		folder = -1;
	}
	pack_files_init(&store->packs, folder, cpu_features);
}

static void bad_load(struct store *store, int state);

/* Removes temporary files of atomic writes. Call only with the lock, because another edged may be writing. */
static void remove_temp_files(const struct store *store)
{
	const int folders[] = {store->blobs, store->manifests, store->bad_folder, store->history};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		atomic_write_drop(folders[i]);
	}
}

/* Retries for two seconds, because a child of a killed edged holds the lock until its execve(). */
static int state_lock(const struct store *store)
{
	static const struct timespec moment = {.tv_nsec = 10000000};
	int code = flock(store->blobs_ro, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	if (code == -EWOULDBLOCK) {
		log_notice(store->log,
			"another edged has locked the state folder: retrying for %d s",
			LOCK_TRIES / 100);
	}
	for (int i = 0; i < LOCK_TRIES && code == -EWOULDBLOCK; i++) {
		nanosleep(&moment, NULL);
		code = flock(store->blobs_ro, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	}
	return code;
}

/* Opens the state folder, takes its lock, and reads the list of bad files. Closing blobs_ro
 * releases the lock. */
static int state_open(struct store *store, const char *path, uint64_t cpu_features)
{
	owned_fd int state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = state < 0 ? -errno : folders_open(store, state);
	if (code == 0) {
		store->blobs_ro = store->blobs;
		store->manifests_ro = store->manifests;
		store->history_ro = store->history;
	}
	if ((code == -EROFS || code == -EACCES) && folders_open_readonly(store, state) == 0) {
		log_notice(store->log,
			"the state folder cannot be written (%s): its models serve, new versions are "
			"kept in memory",
			strerror(-code));
		code = 0;
	}
	if (code == 0) {
		code = state_lock(store);
	}
	if (code == 0) {
		if (store->blobs >= 0) {
			remove_temp_files(store);
			crash_markers_open(&store->markers, state);
		}
		packs_open(store, state, cpu_features);
		bad_load(store, state);
	}
	return code;
}

/* Returns true if a manifest has the file as good. */
static bool is_known_good(struct store *store, const struct digest *digest)
{
	owned_mem struct manifest *manifests = NULL;
	bool good = false;
	size_t n = 0;
	int code = store_manifests(store, &manifests, &n);
	for (size_t i = 0; code == 0 && i < n && !good; i++) {
		good = digest_equal(&manifests[i].last_good, digest) ||
			digest_equal(&manifests[i].previous, digest);
	}
	return good;
}

/* Resets the crash count only after the file is listed as bad on disk. */
static void mark_crashed_as_bad(struct store *store, const struct digest *digest)
{
	struct error err = {0};
	if (store_add_bad(store, digest, "", "edged crashed twice while it ran", &err) < 0) {
		log_warning(store->log, "%s", err.text);
		return;
	}
	crash_markers_clear(&store->markers, digest);
}

/* Lists files that were running in two crashes of edged as bad; those that a manifest has as good
 * become suspects. */
static void apply_crash_markers(struct store *store)
{
	struct digest digest;
	size_t at = 0;
	while (crash_markers_next_dead(&store->markers, &at, &digest)) {
		if (is_known_good(store, &digest) && store->n_suspects < STORE_MAX_SUSPECTS) {
			store->suspects[store->n_suspects++] = digest;
		} else {
			mark_crashed_as_bad(store, &digest);
		}
	}
}

bool store_is_suspect(const struct store *store, const struct digest *digest)
{
	for (size_t i = 0; i < store->n_suspects; i++) {
		if (digest_equal(&store->suspects[i], digest)) {
			return true;
		}
	}
	return false;
}

void store_open(struct store *store, const char *path, uint64_t cpu_features, const struct log *log)
{
	*store = (struct store){
		.log = log, .blobs = -1, .manifests = -1, .bad_folder = -1, .history = -1};
	store->blobs_ro = store->manifests_ro = store->history_ro = -1;
	store->packs.folder = -1;
	int code = state_open(store, path, cpu_features);
	if (code < 0) {
		folders_close(store);
		log_notice(log, "the state folder: %s: models are kept in memory",
			code == -EWOULDBLOCK ? "another edged uses it" : strerror(-code));
		return;
	}
	apply_crash_markers(store);
}

void store_close(struct store *store)
{
	folders_close(store);
	pack_files_deinit(&store->packs);
	crash_markers_close(&store->markers);
	free(store->bad);
	store->bad = NULL;
	store->n_bad = 0;
}

/* ---- manifests */

struct found {
	struct store *store;
	struct manifest *manifests;
	size_t n;
};

static int entry_read(void *context, const char *name, unsigned char type)
{
	struct found *found = context;
	struct store *store = found->store;
	(void)type;
	struct error err = {0};
	struct manifest manifest;
	if (!models_folder_name_valid(name, strlen(name))) {
		return 0;
	}
	int code = manifest_read(store->manifests_ro, name, &manifest, &err);
	if (code == 0) {
		struct manifest *one = array_add(&found->manifests, &found->n, sizeof(*one));
		if (one) {
			*one = manifest;
		}
		return one ? 0 : -ENOMEM;
	}
	log_warning(store->log, "the manifest of model %s is ignored: %s", name, err.text);
	if (code == -EINVAL && store->manifests >= 0) {
		unlinkat(store->manifests, name, 0);
	}
	return code == -ENOMEM ? code : 0;
}

int store_manifests(struct store *store, struct manifest **ret_manifests, size_t *ret_n)
{
	struct found found = {.store = store};
	int code = store->manifests_ro < 0
		? 0
		: file_each_entry(store->manifests_ro, entry_read, &found);
	if (code < 0) {
		free(found.manifests);
		return code;
	}
	*ret_manifests = found.manifests;
	*ret_n = found.n;
	return 0;
}

int store_save(struct store *store, const struct manifest *manifest, struct error *err)
{
	const int code = store->manifests < 0 ? 0 : manifest_write(store->manifests, manifest);
	return code == 0 ? 0 : error_set(err, code, "the store: %s", strerror(-code));
}

void store_drop(struct store *store, const char *name)
{
	if (store->manifests >= 0) {
		unlinkat(store->manifests, name, 0);
		unlinkat(store->history, name, 0);
	}
}

/* ---- bad files */

static const struct store_bad *bad_find(const struct store *store, const struct digest *digest)
{
	for (size_t i = 0; i < store->n_bad; i++) {
		if (digest_equal(&store->bad[i].digest, digest)) {
			return &store->bad[i];
		}
	}
	return NULL;
}

const char *store_find_bad(const struct store *store, const struct digest *digest)
{
	const struct store_bad *bad = bad_find(store, digest);
	return bad ? bad->reason : NULL;
}

static void bad_remove(struct store *store, size_t at)
{
	char name[DIGEST_TEXT_SIZE];
	digest_to_hex(&store->bad[at].digest, name);
	if (store->bad_folder >= 0) {
		unlinkat(store->bad_folder, name, 0);
	}
	array_remove(&store->bad, at, &store->n_bad, sizeof(store->bad[0]));
}

/* Returns the oldest entry of model @model_name; NULL: of any model. */
static size_t bad_oldest(const struct store *store, const char *model_name)
{
	size_t i = 0;
	while (model_name && strcmp(store->bad[i].model_name, model_name) != 0) {
		i++;
	}
	return i;
}

static size_t bad_count(const struct store *store, const char *model_name)
{
	size_t n = 0;
	for (size_t i = 0; i < store->n_bad; i++) {
		n += strcmp(store->bad[i].model_name, model_name) == 0;
	}
	return n;
}

/* Returns the model with the most entries. */
static const char *bad_noisiest_model(const struct store *store)
{
	const char *found = NULL;
	size_t max = 0;
	for (size_t i = 0; i < store->n_bad; i++) {
		size_t n = bad_count(store, store->bad[i].model_name);
		if (n > max) {
			max = n;
			found = store->bad[i].model_name;
		}
	}
	return found;
}

static void bad_make_room(struct store *store, const char *model_name)
{
	if (bad_count(store, model_name) >= STORE_MAX_BAD_OF_MODEL) {
		bad_remove(store, bad_oldest(store, model_name));
	} else if (store->n_bad >= STORE_MAX_BAD) {
		bad_remove(store, bad_oldest(store, bad_noisiest_model(store)));
	}
}

/* Parses a file of STATE/bad: the reason, and on a line of its own the model. */
static bool bad_parse(int folder, const char *name, struct store_bad *bad)
{
	char text[STORE_REASON_SIZE + LOADED_MODEL_NAME_SIZE];
	struct stat st;
	ssize_t n = digest_parse(name, &bad->digest)
		? file_read_in(folder, name, text, sizeof(text) - 1)
		: -ENOENT;
	if (n < 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return false;
	}
	text[n] = 0;
	const size_t length = strcspn(text, "\n");
	const char *model_name = text + length + (text[length] == '\n');
	const size_t of_length = strcspn(model_name, "\n");
	bad->since_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	error_clean(bad->reason, sizeof(bad->reason), text, length);
	if (of_length < sizeof(bad->model_name) &&
		models_folder_name_valid(model_name, of_length)) {
		memcpy(bad->model_name, model_name, of_length);
	}
	return true;
}

static int bad_compare(const void *a, const void *b)
{
	const struct store_bad *first = a, *second = b;
	return (first->since_ns > second->since_ns) - (first->since_ns < second->since_ns);
}

/* The folder STATE/bad while its files are read. */
struct bad_folder {
	struct store *store;
	int fd;
};

static int bad_read(void *context, const char *name, unsigned char type)
{
	const struct bad_folder *folder = context;
	struct store *store = folder->store;
	(void)type;
	/* without memory the next attempt lists it again */
	struct store_bad *bad = array_add(&store->bad, &store->n_bad, sizeof(*bad));
	if (bad && !bad_parse(folder->fd, name, bad)) {
		store->n_bad--;
	}
	return 0;
}

/* Reads the entries, oldest first. A missing folder has none. */
static void bad_load(struct store *store, int state)
{
	owned_fd int fd = openat(state, "bad", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct bad_folder folder = {store, fd};
	const int code = file_each_entry(fd, bad_read, &folder);
	(void)code;
	if (store->n_bad > 0) {
		qsort(store->bad, store->n_bad, sizeof(store->bad[0]), bad_compare);
	}
}

static void bad_log(const struct store *store, const struct store_bad *bad)
{
	char text[DIGEST_TEXT_SIZE];
	const struct notice_about about = {
		.model = bad->model_name[0] ? bad->model_name : NULL, .digest = &bad->digest};
	notice(store->log, NOTICE_FILE_BAD, &about, "file %s is bad: %s",
		digest_to_hex(&bad->digest, text), bad->reason);
}

int store_add_bad(struct store *store, const struct digest *digest, const char *model_name,
	const char *reason, struct error *err)
{
	char name[DIGEST_TEXT_SIZE], text[STORE_REASON_SIZE + LOADED_MODEL_NAME_SIZE + 2];
	if (bad_find(store, digest)) {
		return 0;
	}
	bad_make_room(store, model_name);
	struct store_bad *bad = array_add(&store->bad, &store->n_bad, sizeof(*bad));
	int code = bad ? 0 : -ENOMEM;
	if (bad) {
		bad->digest = *digest;
		snprintf(bad->reason, sizeof(bad->reason), "%s", reason);
		utf8_end(bad->reason);
		snprintf(bad->model_name, sizeof(bad->model_name), "%s", model_name);
		bad_log(store, bad);
	}
	if (code == 0 && store->bad_folder >= 0) {
		snprintf(text, sizeof(text), "%s\n%s\n", bad->reason, bad->model_name);
		code = atomic_write_bytes(
			store->bad_folder, digest_to_hex(digest, name), 0600, text, strlen(text));
	}
	return code == 0 ? 0 : error_set(err, code, "the store: %s", strerror(-code));
}

bool store_remove_bad(struct store *store, const struct digest *digest)
{
	const struct store_bad *bad = bad_find(store, digest);
	if (bad) {
		bad_remove(store, (size_t)(bad - store->bad));
	}
	return bad != NULL;
}

/* ---- unneeded files */

void store_sweep(struct store *store, bool (*wanted)(void *context, const struct digest *digest),
	void *context)
{
	size_t gone = blobs_sweep(store->blobs, wanted, context) +
		pack_files_sweep(&store->packs, wanted, context);
	if (gone > 0) {
		log_debug(store->log, "the store removed %zu files that nothing needs", gone);
	}
}

/* ---- history */

void store_history_add(struct store *store, const char *name, const char *format, ...)
{
	char text[HISTORY_LINE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (store->history >= 0) {
		history_add(store->history, name, text);
	}
}

int store_history_read(
	struct store *store, const char *name, size_t size, char **ret_text, struct error *err)
{
	if (store->history_ro < 0) {
		return error_set(err, -EOPNOTSUPP, "without a state folder there is no history");
	}
	return history_read(store->history_ro, name, size, ret_text, err);
}
