/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store - the store on disk
 *
 *   STATE/blobs/SHA256      models and companion files (blobs.h)
 *   STATE/packs/SHA256-...  packed weights of models (pack_files.h)
 *   STATE/manifests/NAME    versions of a model (manifest.h)
 *   STATE/bad/SHA256        why this file is never tried again
 *   STATE/history/NAME      log of changes of a model (history.h)
 *   STATE/running           crash markers (crash_markers.h)
 *
 * store_open() repairs the state after a crash: it removes and logs unfinished and broken files.
 * With a read-only folder changes stay in memory; without a folder everything does, and ends with
 * edged. Loader's thread only.
 */
#ifndef DAEMON_EDGED_STORE_STORE_H
#define DAEMON_EDGED_STORE_STORE_H

#include "base/log.h"
#include "daemon/edged/model/crash_markers.h"
#include "daemon/edged/store/manifest.h"
#include "daemon/edged/store/pack_files.h"

#define STORE_REASON_SIZE 200

struct store_bad {
	struct digest digest; /* of the model's file */
	char model_name[LOADED_MODEL_NAME_SIZE]; /* empty: not known */
	char reason[STORE_REASON_SIZE];
	/* wall-clock time in ns of an entry read from disk; 0: added since the start */
	int64_t since_ns;
};

/* Limits for one model and for all. Above the limit the model with the most entries loses its
 * oldest. */
#define STORE_MAX_BAD_OF_MODEL 64
#define STORE_MAX_BAD 4096
#define STORE_MAX_SUSPECTS 64

struct store {
	const struct log *log;
	int blobs, manifests, bad_folder, history; /* folders for writing; -1: kept in memory */
	int blobs_ro, manifests_ro,
		history_ro; /* blobs, manifests and history for reading; -1: none */
	struct crash_markers markers;
	size_t n_suspects;
	/* good versions that were open or running in two crashes of edged */
	struct digest suspects[STORE_MAX_SUSPECTS];
	struct pack_files packs;
	size_t n_bad;
	struct store_bad *bad;
};

/* Opens the store. Never fails: if @path cannot be used it logs a notice and keeps everything in
 * memory. @cpu_features: features that kernels may use. */
void store_open(
	struct store *store, const char *path, uint64_t cpu_features, const struct log *log);
void store_close(struct store *store);

/* Reads all manifests. The caller frees *ret_manifests. Logs unreadable ones, and removes malformed
 * ones. */
int must_check store_manifests(struct store *store, struct manifest **ret_manifests, size_t *ret_n);

/* Writes a manifest. It is on disk at return. */
int must_check store_save(struct store *store, const struct manifest *manifest, struct error *err);

/* Removes the manifest and the history of a model. */
void store_drop(struct store *store, const char *name);

/* Returns true for a good version that was open or running in two crashes of edged. Two crashes can
 * be a coincidence, so the version is not bad, but is opened in a child process first. */
bool store_is_suspect(const struct store *store, const struct digest *digest);

/* Returns why the file is bad, or NULL. The text is valid until the next change. */
const char *store_find_bad(const struct store *store, const struct digest *digest);
/* Lists and logs a file as bad. After an error the file is bad until edged ends. */
int must_check store_add_bad(struct store *store, const struct digest *digest,
	const char *model_name, const char *reason, struct error *err);
/* Removes a file from the list. Returns false if it was not there. */
bool store_remove_bad(struct store *store, const struct digest *digest);

/* Removes blobs for which @wanted is false, and packed weights of removed blobs or other
 * kernels. */
void store_sweep(struct store *store, bool (*wanted)(void *context, const struct digest *digest),
	void *context);

/* Appends a line to a model's history. Ignores write errors. */
void store_history_add(struct store *store, const char *name, const char *format, ...)
	printf_like(3, 4);
/* Reads the newest lines of the history, oldest first, at most @size bytes. The caller frees
 * *ret_text. */
int must_check store_history_read(
	struct store *store, const char *name, size_t size, char **ret_text, struct error *err);

#endif
