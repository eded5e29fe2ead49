/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline_targets - the models that a pipeline of edgectl asks: the daemon's, or files in this
 * process */
#ifndef CLIENT_PIPELINE_TARGETS_H
#define CLIENT_PIPELINE_TARGETS_H

#include "client/pipeline/pipeline.h"
#include "client/target.h"

#define PIPELINE_TARGETS_MAX 32

struct pipeline_targets {
	struct target_options options;
	struct {
		char *key; /* owned: "model\nsignature\nsession" */
		struct target *target; /* owned */
		uint64_t last_used;
	} items[PIPELINE_TARGETS_MAX];
	uint64_t uses;
	size_t n;
};

/* Zeroed but for the options. */
void pipeline_targets_deinit(struct pipeline_targets *targets);

/* Opened when they are first asked; a name as target_names_file() has it is a file. The
 * one not used for longest goes, with the state that it may keep, when there are too many. */
struct pipeline_models pipeline_targets_models(struct pipeline_targets *targets);

#endif
