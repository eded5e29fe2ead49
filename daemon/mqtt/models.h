/* SPDX-License-Identifier: Apache-2.0 */
/*
 * models - what edged-mqtt knows of the models that edged serves
 *
 * Filled from edged's answers. What somebody sets over MQTT (threshold, enabled) stays with a model's
 * name, also while the model is away, and in a file of the state folder. A model that has gone leaves its place to a new one
 * where all are taken: one of which nothing was set first, then the one that came first.
 */
#ifndef DAEMON_MQTT_MODELS_H
#define DAEMON_MQTT_MODELS_H

#include "client/edge_client.h"
#include "client/pipeline/labels.h"
#include "client/pipeline/spec.h"
#include "daemon/mqtt/ask.h"
#include "daemon/mqtt/decode.h"

#define MODELS_MAX 256
#define MODELS_MAX_OUTPUTS 16

enum models_kind {
	MODELS_TENSORS,
	MODELS_CLASSES,
	MODELS_ANOMALY
};

/* What was said last of it, so that only news is said: hashes; 0: nothing; or BRIDGE_SAY_AGAIN. */
struct models_said {
	uint64_t state, threshold, enable, pin;
};

struct model_entry {
	char name[64], version[64], state[16], reason[240], sha256[65];
	uint64_t generation;
	uint64_t described; /* the generation that @inputs are of; 0: none */
	bool asked; /* the description is on its way */
	uint32_t taught; /* of the examples that pipelines have; as edge_client_list_item's */
	bool examples_asked; /* others are on their way */
	char no_examples[240]; /* why they did not come; "" */
	bool listed; /* in the last list */
	struct models_said said;
	bool usable; /* described, and not beyond the limits below */
	bool pinned;
	struct spec inputs[DECODE_MAX_INPUTS], outputs[MODELS_MAX_OUTPUTS];
	uint32_t n_inputs, n_outputs;
	struct labels labels; /* of the only output */
	enum models_kind kind;
	bool off; /* set to OFF: requests are refused */
	double threshold; /* NaN: the model's own */
	uint64_t requests, errors;
	size_t answer_bytes[ASK_N_ANSWERS]; /* of the largest so far; 0: none */
};

struct models {
	struct model_entry *entries[MODELS_MAX];
	size_t n;
};

void models_deinit(struct models *models);

/* NULL: none of that name. */
struct model_entry *models_find(const struct models *models, const char *name);
/* NULL without memory or room: MODELS_MAX are listed, or their end is still to be told. */
struct model_entry *models_add(struct models *models, const char *name);

/* Can it be asked now? */
bool models_is_ready(const struct model_entry *model);

/* The default signature. @usable becomes false for one that is beyond what is kept here. */
int must_check models_describe(
	struct model_entry *model, const struct edge_client_model *from, struct error *err);

/* It is asked for anew. */
void models_forget_description(struct models *models, const char *name);

/* What was set, of all models: read at the start, written when it changes (saver.h). What could not have been set leaves everything
 * as it is, and is told (-EINVAL, the first of it); the rest counts. @folder "": nothing is kept. */
int must_check models_load_settings(struct models *models, const char *folder, struct error *err);
void models_write_settings(const struct models *models, struct bytes_writer *w);

#endif
