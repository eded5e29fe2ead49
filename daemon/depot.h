/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depot - the store on disk
 *
 *   STATE/blobs/SHA256      models and labels (blobs.h)
 *   STATE/packs/SHA256-...  packed weights of models (pack_files.h)
 *   STATE/manifests/NAME    what is known of a model (manifest.h)
 *   STATE/bad/SHA256        why that file is never tried again
 *   STATE/history/NAME      what happened to a model, a line each
 *   STATE/running           which file was being run when edged died (marks.h)
 *
 * Opens whatever a crash left: what is unfinished or broken is removed, with a line in the log.
 * A folder that can only be read is read, and what is new is in memory; without one everything is in memory
 * and ends with edged. One user: the loader's thread.
 */
#ifndef DAEMON_DEPOT_H
#define DAEMON_DEPOT_H

#include "base/log.h"
#include "daemon/manifest.h"
#include "daemon/marks.h"
#include "daemon/pack_files.h"

#define DEPOT_REASON_SIZE 200

struct depot_bad {
	struct digest model;
	char of[SERVED_NAME_SIZE]; /* the model that it was a version of; empty: not known */
	char reason[DEPOT_REASON_SIZE];
	int64_t since_ns; /* of the calendar, when it was read from the disk; 0: later */
};

/* Of one model, and of all: beyond that the oldest is forgotten, of the model that has most. */
#define DEPOT_BAD_OF_MODEL 64
#define DEPOT_BAD 4096
#define DEPOT_SUSPECTS 64

struct depot {
	const struct log *log;
	int blobs, manifests, bad_folder, history; /* to be written; -1: in memory */
	int stored, known, told; /* blobs, manifests and history to be read; -1: there are none */
	struct marks marks;
	size_t n_suspects;
	struct digest
		suspects[DEPOT_SUSPECTS]; /* proved themselves, but edged died twice over them */
	struct pack_files packs;
	size_t n_bad, bad_capacity;
	struct depot_bad *bad;
};

/* Never fails: where @path cannot be used it says so, and nothing will last. @cpu_features: those that
 * kernels may use. */
void depot_open(
	struct depot *depot, const char *path, uint64_t cpu_features, const struct log *log);
void depot_close(struct depot *depot);

/* All manifests; the caller's to free. What cannot be read is removed and logged. */
int must_check depot_manifests(struct depot *depot, struct manifest **ret_manifests, size_t *ret_n);

/* On disk when it returns. */
int must_check depot_save(struct depot *depot, const struct manifest *manifest, struct error *err);

/* Forgets a model and what happened to it. */
void depot_drop(struct depot *depot, const char *name);

/* True for a version that has proved itself, but was being opened or run when edged died twice: any
 * two deaths may look so, so it is not bad, but better opened elsewhere first. */
bool depot_is_suspect(const struct depot *depot, const struct digest *model);

/* Why it is bad, or NULL; valid until the next change. */
const char *depot_find_bad(const struct depot *depot, const struct digest *model);
/* The log has a line of it. On error it is bad all the same, until edged ends. */
int must_check depot_add_bad(struct depot *depot, const struct digest *model, const char *of,
	const char *reason, struct error *err);
/* As the next, and one that was not bad is fine. */
void depot_unlist_bad(struct depot *depot, const struct digest *model);
/* -ENOENT if it was not bad. */
int must_check depot_forget_bad(struct depot *depot, const struct digest *model, struct error *err);

/* Removes the blobs that @wanted does not want, and what was packed for them or by other kernels. */
void depot_sweep(struct depot *depot, bool (*wanted)(void *context, const struct digest *digest),
	void *context);

/* A line of a model's history; what cannot be written is not told. */
void depot_note(struct depot *depot, const char *name, const char *format, ...) printf_like(3, 4);
/* The newest lines, oldest first, at most @size bytes; malloc'ed. */
int must_check depot_history(
	struct depot *depot, const char *name, size_t size, char **ret_text, struct error *err);

#endif
