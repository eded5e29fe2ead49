/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry - the models that the store and the models folder have
 *
 * A record outlives its model: the version number given last and the highest signed version stay
 * known while edged runs. The loop's thread owns the registry. It changes between two jobs only
 * (job.h), so that a running job may read it.
 */
#ifndef DAEMON_EDGED_INSTALL_REGISTRY_H
#define DAEMON_EDGED_INSTALL_REGISTRY_H

#include "daemon/edged/install/candidate.h"
#include "daemon/edged/store/models_folder.h"

#define REGISTRY_REASON_SIZE 240
#define REGISTRY_MAX_TRIED (SCAN_MAX_VERSIONS + 2) /* version folders, NAME.tar, NAME.tflite */

/* Result of one attempt to install a file. */
struct registry_tried {
	uint64_t number; /* version number from the folder's name; 0: NAME.tflite or NAME.tar */
	bool bundle; /* the file was NAME.tar */
	struct candidate_identity identity;
	struct digest digest; /* digest of the model's file; none: refused before it was hashed */
	bool settled; /* the same files would give the same result */
	char reason[200]; /* why it was refused; empty: it was not */
};

/* Record of one model. */
struct registry_model {
	struct manifest manifest;
	bool restored; /* loading from the store was tried */
	bool lost; /* the store has lost the file that serves: the next scan looks for another */
	bool folder_scan; /* the last scan found files of the model in the models folder */
	bool seen; /* found by the scan in progress */
	size_t n;
	struct registry_tried tried[REGISTRY_MAX_TRIED];
};

struct registry {
	struct registry_model **models; /* sorted by name */
	size_t n;
};

void registry_deinit(struct registry *registry);

/* Returns the record of @name, or NULL. */
struct registry_model *registry_find(const struct registry *registry, const char *name);
/* Finds or adds the record of @name; NULL without memory. */
struct registry_model *registry_add(struct registry *registry, const char *name);
/* Finds or adds the record of @name, for a file outside the models folder. -ENOSPC if there are
 * @max models, -ENOMEM. */
int must_check registry_find_or_add(struct registry *registry, const char *name, size_t max,
	struct registry_model **ret_model, struct error *err);
/* Forgets the record of @name, if there is one. */
void registry_drop(struct registry *registry, const char *name);

/* Returns true if the record is that of a model in the store or in the models folder. */
bool registry_is_known(const struct registry_model *model); /* NULL is fine */

/* Makes the next scan retry refused files, because keys or policies changed. */
void registry_retry(struct registry *registry);
/* Makes the next scan retry files with this digest. */
void registry_retry_digest(struct registry *registry, const struct digest *digest);
/* Makes the next scan repeat every attempt for one model. */
void registry_invalidate_model(struct registry_model *model);

#endif
