/* SPDX-License-Identifier: Apache-2.0 */
/* load - the bytes that will run, and their labels, become a served model */
#ifndef DAEMON_LOAD_H
#define DAEMON_LOAD_H

#include <stdatomic.h>

#include "daemon/config.h"
#include "daemon/depot.h"
#include "daemon/served.h"
#include "daemon/trust.h"

struct check_memory;

struct load_context {
	const struct config *config;
	uint64_t cpu_features;
	struct depot *depot;
	int watch; /* for watch_folder() */
	atomic_bool *network; /* of struct watch; may be NULL */
	bool (*stopping)(void *context); /* true: whatever goes on is given up; may be NULL */
	void *stopping_context;
	const atomic_bool *cancelled; /* the same for runs; may be NULL */
	struct budget *budget; /* NULL: nothing is counted */
	/* Has the loop let go of what serves under @name, which stays the model: for room. */
	void (*unload)(void *context, const char *name);
	/* Has it let go of the version that it would go back to: a third one comes. */
	void (*alone)(void *context, const char *name);
	void *unload_context; /* of both */
	const struct trust *trust; /* whose signatures count; NULL: nobody's */
	const char *check; /* program for check_run(); NULL: none */
	struct check_memory *check_memory; /* for check_files_once(); NULL: nothing is remembered */
};

struct edge_options load_options(const struct load_context *context);

/*
 * Opens @blob, which stays the caller's and which nobody can write, as a version of model @name.
 * Takes @labels, also on failure. Errors: those of edge_model_open_fd() and served_new(), with text.
 */
int must_check load_model(const struct load_context *context, const char *name,
	const struct manifest_version *version, int blob, char *labels, uint32_t labels_length,
	struct served **ret_served, struct error *err);

/* From the store: blob and labels by their digests. -EBADMSG when a blob is not what it was. */
int must_check load_version(const struct load_context *context, const char *name,
	const struct manifest_version *version, struct served **ret_served, struct error *err);

/* Reads a file of @size bytes whole; malloc'ed, the caller's. */
int must_check load_bytes(int fd, off_t size, char **ret_bytes);

#endif
