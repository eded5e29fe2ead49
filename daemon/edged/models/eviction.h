/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eviction - decides which models stay in memory
 *
 * The memory budget or a memory shortage makes edged unload. It drops first: versions kept for a
 * rollback, then idle sessions, then idle models. The first model to go is the one with the least
 * expected cost of its absence: load time multiplied by recent requests. Never unloaded are pinned
 * models, models in use, and models that the store cannot load again. A request for an unloaded
 * model loads it again (dispatch_park()). Loop thread only.
 */
#ifndef DAEMON_EDGED_MODELS_EVICTION_H
#define DAEMON_EDGED_MODELS_EVICTION_H

#include "daemon/edged/install/store_command.h"
#include "daemon/edged/models/models.h"

/* All pointers are borrowed from edged. */
struct eviction {
	struct models *models;
	struct loader *loader;
	const struct config *config;
	struct budget *budget;
	/* Called after a model was unloaded; must not call eviction_ functions. NULL: no callback. */
	void (*changed)(void *context);
	void *context;
	/* time of the last eviction_relieve() (CLOCK_MONOTONIC); 0: never called */
	uint64_t relieved_ns;
};

/* Counts one answered request of @loaded for the eviction order. */
void eviction_note_use(struct loaded_model *loaded, uint64_t now_ns);

/* Unloads until the budget holds, as far as idle models allow. */
void eviction_enforce(struct eviction *eviction);

/* Orders the loader to load each model that a request waits for, if the budget has or can get
 * space. */
void eviction_load_requested(struct eviction *eviction);

/* Handles a memory shortage: drops caches, and unloads a model if the last shortage is less than 30
 * s old and no cache was left. Returns true if anything was dropped or this is a first shortage. */
bool eviction_relieve(struct eviction *eviction, uint64_t now_ns);

/* Executes STORE_COMMAND_UNLOAD and prepares STORE_COMMAND_LOAD, commands of an administrator. 1 if
 * @command is done, 0 if the loader must execute it. -ENOENT; -EPERM if the model is pinned;
 * -EOPNOTSUPP if the store cannot load it again; -EAGAIN without space in the budget. Requests that
 * run keep their reference. */
int must_check eviction_try_command(
	struct eviction *eviction, const struct store_command *command, struct error *err);

#endif
