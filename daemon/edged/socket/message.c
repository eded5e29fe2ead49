/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/message.h"

#include <errno.h>

#include "base/clock.h"
#include "daemon/edged/install/loader.h"
#include "daemon/edged/models/models.h"
#include "daemon/system/process.h"

#define MAX_TITLE 4096u /* limit for titles and descriptions from a model's metadata, in bytes */

/* -ENOMEM if @w failed. max-body is checked when the reply is sent. */
static int done(const struct bytes_writer *w, struct error *err)
{
	return w->failed ? error_no_memory(err) : 0;
}

int message_hello(const struct config *config, const struct wire_hello *hello, bool shares,
	struct bytes_writer *w, uint64_t *ret_capabilities, struct error *err)
{
	const uint64_t max_sessions = config->max_sessions;
	bool sessions = hello->minor >= 1 && max_sessions > 0;
	uint64_t offered = shares ? WIRE_CAP_SHARED_MEMORY : 0;
	offered |= hello->minor >= 3 ? WIRE_CAP_STREAMS | (shares ? WIRE_CAP_RINGS : 0) : 0;
	offered |= (sessions ? WIRE_CAP_SESSIONS : 0) | (hello->minor >= 2 ? WIRE_CAP_ADMIN : 0);
	const uint64_t capabilities = hello->capabilities & offered;
	if (hello->major != WIRE_MAJOR) {
		return error_set(err, -EOPNOTSUPP, "edged speaks version %d.%d, not %u.%u",
			WIRE_MAJOR, WIRE_MINOR, hello->major, hello->minor);
	}
	const struct wire_hello_reply reply = {
		.major = WIRE_MAJOR,
		.minor = WIRE_MINOR,
		.capabilities = capabilities,
		.max_body = (uint32_t)config->max_body,
		.max_in_flight = (uint32_t)config->max_in_flight,
		.max_tensors = WIRE_MAX_TENSORS,
		.name = wire_text_of("edged"),
		.version = wire_text_of(EDGED_VERSION),
		.max_sessions = capabilities & WIRE_CAP_SESSIONS ? (uint32_t)max_sessions : 0,
	};
	wire_hello_reply_encode(w, &reply);
	*ret_capabilities = capabilities;
	return done(w, err);
}

struct wire_list_item message_item(const struct models_entry *model)
{
	return (struct wire_list_item){
		.name = wire_text_of(model->name),
		.version = wire_text_of(model->version),
		.state = wire_text_of(models_model_state(model)),
		.reason = wire_text_of(
			model->reason[0] || !model->unloaded ? model->reason : model->why),
		.generation = model->loaded ? model->loaded->generation : 0,
	};
}

int message_list(const struct serve *serve, struct bytes_writer *w, struct error *err)
{
	const struct models *models = serve->models;
	wire_list_encode(w, (uint32_t)models->n);
	for (size_t i = 0; i < models->n; i++) {
		const struct wire_list_item item = message_item(&models->entries[i]);
		wire_list_item_encode(w, &item);
	}
	return done(w, err);
}

static void store_item_encode(struct bytes_writer *w, const struct models_entry *model)
{
	const struct models_facts *about = &model->facts;
	char sha256[DIGEST_TEXT_SIZE];
	digest_to_hex(&about->digest, sha256);
	const struct wire_store_item item = {
		.model = message_item(model),
		.sha256 = wire_text_of(digest_is_zero(&about->digest) ? "" : sha256),
		.since = about->since,
		.by = about->by,
		.last_good = about->last_good,
		.flags = (about->trial ? WIRE_STORE_TRIAL : 0) |
			(about->pinned ? WIRE_STORE_PINNED : 0) |
			about->taught << WIRE_STORE_TAUGHT_SHIFT,
	};
	wire_store_item_encode(w, &item);
}

int message_store_list(const struct serve *serve, struct bytes_writer *w, struct error *err)
{
	const struct models *models = serve->models;
	wire_list_encode(w, (uint32_t)models->n);
	for (size_t i = 0; i < models->n; i++) {
		store_item_encode(w, &models->entries[i]);
	}
	return done(w, err);
}

/* ---- DESCRIBE */

static struct wire_text cut(struct text text, uint32_t max)
{
	return (struct wire_text){
		.data = text.data, .length = text.length < max ? text.length : max};
}

static void tensor_encode(struct bytes_writer *w, const struct edge_tensor_info *info)
{
	const struct wire_tensor_info out = {
		.name = cut(info->name, WIRE_MAX_NAME),
		.type = info->type,
		.flags = (uint8_t)((info->run_time_shape ? WIRE_TENSOR_RUN_TIME_SHAPE : 0) |
			(info->has_content ? WIRE_TENSOR_CONTENT : 0)),
		.content = info->content,
		.colour_space = info->colour_space,
		.shape = info->shape,
		.declared = info->declared,
		.scale = info->scale,
		.zero_point = info->zero_point,
		.bytes = info->bytes,
		.score_threshold = info->score_threshold,
		.n_mean = info->n_mean,
		.n_std = info->n_std,
		.mean = (const uint8_t *)info->mean,
		.std = (const uint8_t *)info->std,
		.labels = cut(info->labels, UINT32_MAX),
	};
	wire_tensor_info_encode(w, &out);
}

static int signature_encode(
	struct bytes_writer *w, const struct edge_model *model, uint32_t index, struct error *err)
{
	struct edge_signature_info signature;
	struct edge_tensor_info info;
	int code = edge_model_signature(model, index, &signature);
	if (code < 0) {
		return error_set(err, code, "signature %u cannot be described", index);
	}
	const struct wire_signature out = {.key = cut(signature.key, WIRE_MAX_NAME),
		.n_inputs = signature.n_inputs,
		.n_outputs = signature.n_outputs};
	wire_signature_encode(w, &out);
	for (uint32_t i = 0; i < signature.n_inputs + signature.n_outputs; i++) {
		code = i < signature.n_inputs
			? edge_model_input(model, index, i, &info)
			: edge_model_output(model, index, i - signature.n_inputs, &info);
		if (code < 0) {
			return error_set(err, code, "tensor %u cannot be described", i);
		}
		tensor_encode(w, &info);
	}
	return 0;
}

static void model_encode(struct bytes_writer *w, const struct loaded_model *loaded)
{
	const struct edge_model_info *info = edge_model_info(loaded->model);
	const struct wire_model model = {
		.name = wire_text_of(loaded->name),
		.version = wire_text_of(loaded->version),
		.generation = loaded->generation,
		.title = cut(info->name, MAX_TITLE),
		.description = cut(info->description, MAX_TITLE),
		.author_version = cut(info->version, MAX_TITLE),
		.file_bytes = info->file_bytes,
		.arena_bytes = info->arena_bytes,
		.prepared_bytes = info->prepared_bytes,
		.macs = info->macs,
		.n_nodes = info->n_nodes,
		.n_subgraphs = info->n_subgraphs,
		.flags = (info->has_float ? WIRE_MODEL_FLOAT : 0) |
			(info->has_state ? WIRE_MODEL_STATE : 0),
		.labels = {.data = loaded->labels, .length = loaded->labels_length},
		.n_signatures = info->n_signatures,
	};
	wire_model_encode(w, &model);
}

int message_describe(const struct serve *serve, const void *body, uint32_t bytes,
	struct bytes_writer *w, struct error *err)
{
	owned(loaded_model_unref) struct loaded_model *loaded = NULL;
	struct wire_describe describe;
	int code = wire_describe_decode(body, bytes, &describe, err);
	if (code == 0) {
		code = models_get(serve->models, describe.model, describe.version, &loaded, err);
	}
	if (code != 0) {
		return code;
	}
	model_encode(w, loaded);
	uint32_t n = edge_model_info(loaded->model)->n_signatures;
	for (uint32_t i = 0; i < n && code == 0; i++) {
		code = signature_encode(w, loaded->model, i, err);
	}
	if (edge_model_broken(loaded->model)) {
		return error_set(err, -EIO, "the disk did not give a part of the model");
	}
	return code < 0 ? code : done(w, err);
}

/* ---- STATUS */

int message_status(struct serve *serve, bool memory, struct bytes_writer *w, struct error *err)
{
	const struct metrics *metrics = &serve->metrics;
	struct models_count count = models_count(serve->models);
	struct wire_status status = {
		.uptime_us = (clock_now_ns() - metrics->started_ns) / 1000,
		.models_ready = count.ready,
		.models_loading = count.loading,
		.models_refused = count.refused,
		.clients = serve->accounts.clients,
		.workers = serve->workers.n,
		.resident_bytes = process_resident_bytes(),
		.charged_bytes = serve->accounts.charged,
		.queue_us = metrics->queue_us,
		.run_us = metrics->run_us,
		.n_counts = EDGE_STATUS_COUNT,
		.memory = memory,
		.models_unloaded = count.unloaded,
		.held_bytes = atomic_load(&serve->budget->held),
		.budget_bytes = atomic_load(&serve->budget->limit),
	};
	sched_count(&serve->sched, &status.queue_length, &status.running);
	status.queue_length += serve->n_waiting;
	memcpy(status.counts, metrics->counts, sizeof(status.counts));
	wire_status_encode(w, &status);
	return done(w, err);
}

/* ---- POWER */

int message_power(const struct serve *serve, const void *body, uint32_t bytes,
	struct bytes_writer *w, struct error *err)
{
	const struct models_entry *model = NULL;
	struct wire_text name;
	int code = wire_power_ask_decode(body, bytes, &name, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; i < serve->models->n && name.length > 0 && !model; i++) {
		struct models_entry *at = &serve->models->entries[i];
		model = wire_text_is(name, at->name) ? at : NULL;
	}
	if (name.length > 0 && !model) {
		return error_set(err, -ENOENT, "there is no model of that name");
	}
	const struct wire_power power = power_report(&serve->power, model ? model->loaded : NULL);
	wire_power_encode(w, &power);
	return done(w, err);
}
