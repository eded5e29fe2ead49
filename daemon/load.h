/* SPDX-License-Identifier: Apache-2.0 */
/* load - one version of a model: its file and labels become a served model */
#ifndef DAEMON_LOAD_H
#define DAEMON_LOAD_H

#include "daemon/config.h"
#include "daemon/import.h"
#include "daemon/served.h"

struct load_context {
	const struct config *config;
	uint64_t cpu_features;
	int state_folder; /* -1: copies in memory */
};

/* Where a version's two files are. */
struct load_place {
	int folder; /* borrowed */
	char name[SERVED_NAME_SIZE]; /* of the model */
	char model[SERVED_NAME_SIZE + 8];
	char labels[SERVED_NAME_SIZE + 12];
};

struct load_identity {
	struct import_identity file, labels; /* all zero: not there */
};

/* *ret_identity is filled on failure too, as far as it got. Errors: those of import_copy(),
 * edge_model_open_fd() and served_new(), with text. */
int must_check load_model(const struct load_context *context, const struct load_place *place,
	struct load_identity *ret_identity, struct served **ret_served, struct error *err);

/* What the two files are now. */
void load_identify(const struct load_place *place, struct load_identity *ret_identity);

/* True when loading the same files again would give @code again. */
bool load_settled(int code, const struct load_identity *identity);

#endif
