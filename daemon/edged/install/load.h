/* SPDX-License-Identifier: Apache-2.0 */
/* load - makes a loaded model from blobs of the store */
#ifndef DAEMON_EDGED_INSTALL_LOAD_H
#define DAEMON_EDGED_INSTALL_LOAD_H

#include <stdatomic.h>

#include "daemon/check/check.h"
#include "daemon/edged/config/config.h"
#include "daemon/edged/model/loaded_model.h"
#include "daemon/edged/store/store.h"
#include "daemon/edged/store/trust.h"

struct load_context {
	const struct config *config;
	uint64_t cpu_features;
	struct store *store;
	int watch; /* inotify descriptor for watch_folder() */
	atomic_bool *network; /* as struct watch; NULL: not set */
	const atomic_bool *cancelled; /* set to true to end runs and checks; NULL: never */
	struct budget *budget; /* counts the memory of loaded models; NULL: not counted */
	struct trust *trust; /* trusted keys */
	const char *check; /* program that checks files first; NULL: none */
	struct check_memory *check_memory; /* files that passed; NULL: none are remembered */
};

/* The settings of edged-check: the limits of @context. */
struct check load_check(const struct load_context *context);

/*
 * Opens @blob as a version of model @name. @blob stays the caller's; nobody may be able to write
 * it. Takes @labels, also on error. Errors: from edge_model_open_fd() and loaded_model_new(), with text.
 */
int must_check load_model(const struct load_context *context, const char *name,
	const struct manifest_version *version, int blob, char *labels, uint32_t labels_length,
	struct loaded_model **ret_loaded, struct error *err);

/* Loads a version from the store by its digests. -EBADMSG if a blob does not match its digest. */
int must_check load_version(const struct load_context *context, const char *name,
	const struct manifest_version *version, struct loaded_model **ret_loaded,
	struct error *err);

#endif
