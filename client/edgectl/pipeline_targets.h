/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline_targets - runs the models of edgectl's pipelines: by the daemon, or from files in
 * this process */
#ifndef CLIENT_EDGECTL_PIPELINE_TARGETS_H
#define CLIENT_EDGECTL_PIPELINE_TARGETS_H

#include "client/edgectl/target.h"
#include "client/pipeline/pipeline.h"

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

/* @targets is zeroed at first, except the options. */
void pipeline_targets_deinit(struct pipeline_targets *targets);

/* Opens each model at its first use; target_names_file() decides if a name is a file. Above
 * PIPELINE_TARGETS_MAX the least recently used one is closed, with its state. */
struct pipeline_models pipeline_targets_models(struct pipeline_targets *targets);

#endif
