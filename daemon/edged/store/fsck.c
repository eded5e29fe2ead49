/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"
#include "daemon/edged/store/blobs.h"
#include "daemon/edged/store/manifest.h"
#include "daemon/edged/store/models_folder.h"
#include "daemon/system/atomic_write.h"

#define MAX_LINES 1000

struct fsck {
	int state; /* borrowed */
	enum fsck_repair repair;
	FILE *out;
	size_t wrong;
	struct manifest *manifests; /* intact manifests */
	size_t n;
	bool unsure; /* a manifest is unreadable, so its blobs are unknown */
};

typedef void entry_fn(struct fsck *fsck, int folder, const char *name);

static void report(struct fsck *fsck, const char *folder, const char *name, const char *format, ...)
	printf_like(4, 5);

static void report(struct fsck *fsck, const char *folder, const char *name, const char *format, ...)
{
	char escaped[300];
	va_list arguments;
	if (fsck->wrong++ >= MAX_LINES) {
		return;
	}
	fprintf(fsck->out, "%s/%s: ", folder,
		error_escape(escaped, sizeof(escaped), name, strlen(name)));
	va_start(arguments, format);
	vfprintf(fsck->out, format, arguments);
	va_end(arguments);
	fputc('\n', fsck->out);
}

static void drop(const struct fsck *fsck, int folder, const char *name)
{
	if (fsck->repair != FSCK_CHECK) {
		int code = atomic_write_remove(folder, name);
		(void)code; /* the next check reports it again */
	}
}

/* Keeps files that a broken manifest may need until it is in quarantine. */
static void drop_unneeded(const struct fsck *fsck, int folder, const char *name)
{
	if (!fsck->unsure) {
		drop(fsck, folder, name);
	}
}

static void put_away(const struct fsck *fsck, int folder, const char *name)
{
	owned_fd int quarantine = -1;
	if (fsck->repair == FSCK_CHECK) {
		return;
	}
	if (atomic_write_folder(fsck->state, "quarantine", &quarantine) < 0 ||
		renameat(folder, name, quarantine, name) < 0) {
		drop(fsck, folder, name);
	}
}

/* A folder of the store while it is checked. */
struct fsck_folder {
	struct fsck *fsck;
	int fd;
	entry_fn *each;
};

static int entry_check(void *context, const char *name, unsigned char type)
{
	const struct fsck_folder *folder = context;
	(void)type;
	folder->each(folder->fsck, folder->fd, name);
	return 0;
}

/* Calls @each for each entry of folder @name. A missing folder is empty. */
static int folder_walk(struct fsck *fsck, const char *name, entry_fn *each, struct error *err)
{
	owned_fd int fd =
		openat(fsck->state, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct fsck_folder folder = {fsck, fd, each};
	const int code = fd < 0 ? -errno : file_each_entry(fd, entry_check, &folder);
	return code == 0 || code == -ENOENT ? 0
					    : error_set(err, code, "%s: %s", name, strerror(-code));
}

/* Returns true, and reports it, for an unfinished or non-regular file. */
static bool is_stray(struct fsck *fsck, const char *where, int folder, const char *name)
{
	struct stat st;
	bool there = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (name[0] != '.' && there && S_ISREG(st.st_mode)) {
		return false;
	}
	report(fsck, where, name, "%s", name[0] == '.' ? "unfinished" : "not a file of the store");
	if (name[0] != '.' && there && S_ISDIR(st.st_mode)) {
		put_away(fsck, folder, name);
	} else {
		drop(fsck, folder, name);
	}
	return true;
}

/* ---- manifests */

static void check_manifest(struct fsck *fsck, int folder, const char *name)
{
	struct error err = {0};
	struct manifest manifest;
	if (is_stray(fsck, "manifests", folder, name)) {
		return;
	}
	if (!models_folder_name_valid(name, strlen(name))) {
		report(fsck, "manifests", name, "not the name of a model");
		put_away(fsck, folder, name);
		return;
	}
	int code = manifest_read(folder, name, &manifest, &err);
	if (code == 0) {
		struct manifest *intact = array_add(&fsck->manifests, &fsck->n, sizeof(*intact));
		if (intact) {
			*intact = manifest;
			return;
		}
		code = error_no_memory(&err);
	}
	fsck->unsure = true;
	report(fsck, "manifests", name, "%s", err.text);
	if (code == -EINVAL) {
		put_away(fsck, folder, name);
	}
}

/* ---- blobs */

static bool is_wanted(const struct fsck *fsck, const struct digest *digest)
{
	for (size_t i = 0; i < fsck->n; i++) {
		if (manifest_wants(&fsck->manifests[i], digest)) {
			return true;
		}
	}
	return false;
}

static void check_blob(struct fsck *fsck, int folder, const char *name)
{
	struct digest digest;
	owned_fd int fd = -1;
	if (is_stray(fsck, "blobs", folder, name)) {
		return;
	}
	if (!digest_parse(name, &digest) || !is_wanted(fsck, &digest)) {
		report(fsck, "blobs", name, "nothing needs it");
		drop_unneeded(fsck, folder, name);
		return;
	}
	int code = blobs_open(folder, &digest, &fd);
	if (code < 0) {
		report(fsck, "blobs", name, "%s",
			code == -EBADMSG ? "not what its name says" : strerror(-code));
	}
	if (code < 0 && code != -ENOMEM) {
		put_away(fsck, folder, name);
	}
}

/* ---- blobs of manifests */

static bool is_there(int blobs, const struct digest *digest)
{
	char name[DIGEST_TEXT_SIZE];
	struct stat st;
	return fstatat(blobs, digest_to_hex(digest, name), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(st.st_mode);
}

/* Returns the index of the first version with a missing blob, or manifest->n. */
static size_t missing_find(struct fsck *fsck, int blobs, const struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->n; i++) {
		const struct manifest_version *version = &manifest->versions[i];
		bool model = is_there(blobs, &version->model);
		if (!model ||
			(!digest_is_zero(&version->labels) && !is_there(blobs, &version->labels))) {
			report(fsck, "manifests", manifest->name, "version %llu has lost its %s",
				(unsigned long long)version->version, model ? "labels" : "file");
			return i;
		}
	}
	return manifest->n;
}

/* Checks companion files, without which a version can still serve. */
static void check_companions(struct fsck *fsck, int blobs, struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->n; i++) {
		struct manifest_version *version = &manifest->versions[i];
		struct digest *const digests[] = {
			&version->golden, &version->conf, &version->minisig, &version->examples};
		static const char *const names[] = {
			"self-test", "settings", "signature", "examples"};
		for (size_t k = 0; k < sizeof(digests) / sizeof(digests[0]); k++) {
			if (!digest_is_zero(digests[k]) && !is_there(blobs, digests[k])) {
				report(fsck, "manifests", manifest->name,
					"version %llu has lost its %s",
					(unsigned long long)version->version, names[k]);
				*digests[k] = (struct digest){0};
			}
		}
	}
}

/* Removes the manifest of a removed model, unless it holds a highest signed version. */
static int save(const struct fsck *fsck, const struct manifest *manifest)
{
	owned_fd int folder = -1;
	int code = atomic_write_folder(fsck->state, "manifests", &folder);
	if (code < 0) {
		return code;
	}
	if (digest_is_zero(&manifest->active) && manifest->signed_newest == 0) {
		return unlinkat(folder, manifest->name, 0) < 0 ? -errno : 0;
	}
	return manifest_write(folder, manifest);
}

static int manifest_mend(struct fsck *fsck, int blobs, struct manifest *manifest)
{
	const size_t before = fsck->wrong;
	for (size_t at; (at = missing_find(fsck, blobs, manifest)) < manifest->n;) {
		manifest_lose(manifest, at);
	}
	check_companions(fsck, blobs, manifest);
	if (!digest_is_zero(&manifest->active) && !manifest_find(manifest, &manifest->active)) {
		report(fsck, "manifests", manifest->name,
			"what should serve is not among its versions");
		manifest->active = (struct digest){0};
	}
	return fsck->wrong != before && fsck->repair == FSCK_REPAIR ? save(fsck, manifest) : 0;
}

static int manifests_mend(struct fsck *fsck, struct error *err)
{
	owned_fd int blobs = openat(fsck->state, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < fsck->n; i++) {
		int code = manifest_mend(fsck, blobs, &fsck->manifests[i]);
		if (code < 0) {
			return error_set(err, code, "manifests/%s: %s", fsck->manifests[i].name,
				strerror(-code));
		}
	}
	return 0;
}

/* ---- other folders */

static void check_bad(struct fsck *fsck, int folder, const char *name)
{
	struct digest digest;
	if (!is_stray(fsck, "bad", folder, name) && !digest_parse(name, &digest)) {
		report(fsck, "bad", name, "not a digest");
		drop(fsck, folder, name);
	}
}

static void check_pack(struct fsck *fsck, int folder, const char *name)
{
	char text[DIGEST_TEXT_SIZE];
	struct digest digest;
	if (is_stray(fsck, "packs", folder, name)) {
		return;
	}
	snprintf(text, sizeof(text), "%s", name);
	if (!digest_parse(text, &digest) || !is_wanted(fsck, &digest)) {
		report(fsck, "packs", name, "nothing needs it");
		drop_unneeded(fsck, folder, name);
	}
}

static void check_history(struct fsck *fsck, int folder, const char *name)
{
	if (!is_stray(fsck, "history", folder, name) &&
		!models_folder_name_valid(name, strlen(name))) {
		report(fsck, "history", name, "not the name of a model");
		drop(fsck, folder, name);
	}
}

static void check_quarantine(struct fsck *fsck, int folder, const char *name)
{
	report(fsck, "quarantine", name, "a corrupt file in quarantine");
	drop(fsck, folder, name);
}

int fsck_run(int state, enum fsck_repair repair, FILE *out, size_t *ret_wrong, struct error *err)
{
	static const struct {
		const char *folder;
		entry_fn *each;
	} steps[] = {
		{"quarantine", check_quarantine},
		{"manifests", check_manifest},
		{"blobs", check_blob},
		{"bad", check_bad},
		{"packs", check_pack},
		{"history", check_history},
	};
	struct fsck fsck = {.state = state, .repair = repair, .out = out};
	int code = 0;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && code == 0; i++) {
		code = folder_walk(&fsck, steps[i].folder, steps[i].each, err);
	}
	if (code == 0) {
		code = manifests_mend(&fsck, err);
	}
	free(fsck.manifests);
	if (fsck.wrong > MAX_LINES) {
		fprintf(out, "and %zu more\n", fsck.wrong - MAX_LINES);
	}
	*ret_wrong = fsck.wrong;
	return code;
}

/* Takes the lock that a running edged holds (store.c). */
static int lock_take(int state, int *ret_lock, struct error *err)
{
	owned_fd int blobs = openat(state, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (blobs < 0) {
		return errno == ENOENT ? 0 : error_set(err, -errno, "blobs: %s", strerror(errno));
	}
	if (flock(blobs, LOCK_EX | LOCK_NB) < 0) {
		return error_set(err, -errno, "%s",
			errno == EWOULDBLOCK ? "an edged uses it: ask that" : strerror(errno));
	}
	*ret_lock = take_fd(blobs);
	return 0;
}

int fsck_main(const char *path, enum fsck_repair repair)
{
	struct error err = {0};
	size_t wrong = 0;
	owned_fd int lock = -1;
	owned_fd int state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = state < 0 ? error_set(&err, -errno, "%s", strerror(errno))
			     : lock_take(state, &lock, &err);
	if (code == 0) {
		code = fsck_run(state, repair, stdout, &wrong, &err);
	}
	if (code == 0 && fflush(stdout) != 0) {
		code = error_set(&err, -errno, "standard output: %s", strerror(errno));
	}
	if (code < 0) {
		fprintf(stderr, "edged: %s: %s\n", path, err.text);
		return 2;
	}
	return wrong > 0;
}
