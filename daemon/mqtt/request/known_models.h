/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known_models - the models that edged serves
 *
 * Filled from edged's responses. Threshold and enabled, set over MQTT, are kept by model name, also
 * while edged does not serve the model, and in a file of the state folder. When the table is full,
 * a new model takes the place of a removed one: first of the oldest without settings, then of the
 * oldest.
 */
#ifndef DAEMON_MQTT_REQUEST_KNOWN_MODELS_H
#define DAEMON_MQTT_REQUEST_KNOWN_MODELS_H

#include "base/bytes.h"
#include "client/lib/edge_client.h"
#include "client/media/labels.h"
#include "client/media/tensor_spec.h"
#include "daemon/mqtt/request/mqtt_request.h"
#include "daemon/mqtt/worker/decode.h"

#define MODELS_MAX 256
#define MODELS_MAX_OUTPUTS 16

enum known_models_kind {
	MODELS_TENSORS,
	MODELS_CLASSES,
	MODELS_ANOMALY
};

/* Hashes of the last published payloads; 0: none; or BROKERS_PUBLISH_AGAIN. */
struct known_models_published {
	uint64_t state, threshold, enable, pin;
};

struct model_entry {
	char name[64], version[64], state[16], reason[240], sha256[65];
	uint64_t generation;
	uint64_t described; /* generation of the description in @inputs and @outputs; 0: none */
	bool describe_sent; /* the description was requested */
	/* edge_client_list_item's "taught" of the examples that pipelines have */
	uint32_t taught;
	bool examples_sent; /* new examples were requested */
	char no_examples[240]; /* why the examples could not be read; "" */
	bool listed; /* in edged's last list */
	struct known_models_published published;
	bool usable; /* has a description within the limits of this struct */
	bool pinned;
	struct tensor_spec inputs[DECODE_MAX_INPUTS], outputs[MODELS_MAX_OUTPUTS];
	uint32_t n_inputs, n_outputs;
	struct labels labels; /* of the output, if there is one only */
	enum known_models_kind kind;
	bool off; /* enable was set to OFF: requests are refused */
	double threshold; /* set over MQTT; NaN: the model's own */
	uint64_t requests;
	/* bytes of the largest response so far, by enum mqtt_request_response; 0: none */
	size_t response_bytes[MQTT_REQUEST_N_RESPONSES];
};

struct known_models {
	struct model_entry *entries[MODELS_MAX];
	size_t n;
	bool listed; /* edged has sent its list of models */
};

void known_models_deinit(struct known_models *models);

/* Returns NULL if there is no model of that name. */
struct model_entry *known_models_find(const struct known_models *models, const char *name);
/* Returns NULL without memory, or if no entry can be replaced: all are listed or have topics to
 * empty. */
struct model_entry *known_models_add(struct known_models *models, const char *name);

/* Returns true if edged lists the model, it has a usable description and is loaded. */
bool known_models_is_ready(const struct model_entry *model);

/* Stores the default signature. Sets @usable to false if it exceeds the limits of struct
 * model_entry. */
int must_check known_models_describe(
	struct model_entry *model, const struct edge_client_model *from, struct error *err);

/* Makes edged_client.c request the description and the examples again. The old ones serve until
 * then. */
void known_models_forget_description(struct known_models *models, const char *name);

/* Reads the settings of all models from set.conf. Invalid lines are skipped; the first one is
 * returned with -EINVAL. @folder "": reads nothing. known_models_write_settings() writes the file's text
 * (state_file.h). */
int must_check known_models_load_settings(
	struct known_models *models, const char *folder, struct error *err);
void known_models_write_settings(const struct known_models *models, struct bytes_writer *w);

#endif
