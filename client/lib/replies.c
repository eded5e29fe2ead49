/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lib/replies.h"

#include <errno.h>

#include "base/strings.h"
#include "base/wire/wire.h"
#include "client/lib/reply_memory.h"

/* Limits for all signatures of a model. A struct is several times larger than its shortest
 * encoding, so a hostile peer could otherwise make the client allocate much more than it sent. */
#define MAX_TENSOR_INFOS 65536u
#define MAX_SIGNATURES 4096u

static void shape_to_public(const struct shape *from, struct edge_client_shape *to)
{
	_Static_assert(EDGE_CLIENT_MAX_RANK == SHAPE_MAX_RANK, "the same limit on both sides");
	to->rank = from->rank;
	memcpy(to->dim, from->dim, sizeof(to->dim));
}

/* ---- LIST */

void edge_client_list_free(struct edge_client_list *list)
{
	reply_memory_free(list);
}
DEFINE_OWNED(struct edge_client_list *, edge_client_list_free)

/* @type: WIRE_STORE_LIST, or WIRE_LIST and WIRE_EVENT, whose items are shorter. */
static int item_decode(struct bytes_reader *r, unsigned int type, struct wire_store_item *ret_item,
	struct error *err)
{
	*ret_item = (struct wire_store_item){.sha256 = wire_text_of("")};
	return type == WIRE_STORE_LIST ? wire_store_item_decode(r, ret_item, err)
				       : wire_list_item_decode(r, &ret_item->model, err);
}

static int fill_list(struct reply_memory *pool, struct edge_client_list *list,
	struct bytes_reader *r, unsigned int type, struct error *err)
{
	const size_t n = list->n_items;
	struct edge_client_list_item *items = reply_memory_get(pool, n + 1, sizeof(*items));
	list->items = items;
	for (size_t i = 0; items && i < n; i++) {
		struct wire_store_item all;
		int e = item_decode(r, type, &all, err);
		const struct wire_list_item item = all.model;
		if (e < 0) {
			return e;
		}
		items[i] = (struct edge_client_list_item){
			.name = reply_memory_text(pool, item.name),
			.version = reply_memory_text(pool, item.version),
			.state = reply_memory_text(pool, item.state),
			.reason = reply_memory_text(pool, item.reason),
			.generation = item.generation,
			.sha256 = reply_memory_text(pool, all.sha256),
			.since = all.since,
			.by = all.by,
			.last_good = all.last_good,
			.on_trial = (all.flags & WIRE_STORE_TRIAL) != 0,
			.pinned = (all.flags & WIRE_STORE_PINNED) != 0,
			.taught = all.flags >> WIRE_STORE_TAUGHT_SHIFT,
		};
	}
	return pool->failed ? error_no_memory(err) : wire_end(r, type, err);
}

int replies_list(const void *body, size_t size, unsigned int type,
	struct edge_client_list **ret_list, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	uint32_t n = 0;
	int e = type == WIRE_EVENT ? wire_event_decode(&r, &n, err) : wire_list_decode(&r, &n, err);
	if (e < 0) {
		return e;
	}
	struct reply_memory *pool = reply_memory_new(sizeof(**ret_list));
	if (!pool) {
		return error_no_memory(err);
	}
	owned(edge_client_list_free) struct edge_client_list *list = (void *)pool->reply;
	list->n_items = n;
	e = fill_list(pool, list, &r, type, err);
	if (e == 0) {
		*ret_list = take(list);
	}
	return e;
}

/* ---- DESCRIBE */

void edge_client_model_free(struct edge_client_model *model)
{
	reply_memory_free(model);
}
DEFINE_OWNED(struct edge_client_model *, edge_client_model_free)

static uint32_t copy_floats(const uint8_t *from, uint32_t n, float *to)
{
	/* More values than EDGE_CLIENT_MAX_CHANNELS are reported as none. */
	n = n > EDGE_CLIENT_MAX_CHANNELS ? 0 : n;
	for (uint32_t i = 0; i < n; i++) {
		to[i] = wire_f32(from, i);
	}
	return n;
}

static void fill_info(struct reply_memory *pool, const struct wire_tensor_info *from,
	struct edge_client_tensor_info *to)
{
	*to = (struct edge_client_tensor_info){
		.name = reply_memory_text(pool, from->name),
		.type = from->type,
		.run_time_shape = (from->flags & WIRE_TENSOR_RUN_TIME_SHAPE) != 0,
		.scale = from->scale,
		.zero_point = from->zero_point,
		.bytes = from->bytes,
		.has_content = (from->flags & WIRE_TENSOR_CONTENT) != 0,
		.content = from->content,
		.colour_space = from->colour_space,
		.score_threshold = from->score_threshold,
		.labels = reply_memory_text(pool, from->labels),
	};
	shape_to_public(&from->shape, &to->shape);
	shape_to_public(&from->declared, &to->declared);
	to->n_mean = copy_floats(from->mean, from->n_mean, to->mean);
	to->n_std = copy_floats(from->std, from->n_std, to->std);
}

/* *n_infos: tensors of the whole model so far. */
static int read_infos(struct reply_memory *pool, struct bytes_reader *r, uint32_t n,
	uint32_t *n_infos, const struct edge_client_tensor_info **ret_infos, struct error *err)
{
	*n_infos += n;
	if (n > MAX_TENSOR_INFOS || *n_infos > MAX_TENSOR_INFOS) {
		return error_set(err, -EPROTO, "DESCRIBE: more than %u tensors", MAX_TENSOR_INFOS);
	}
	struct edge_client_tensor_info *infos =
		reply_memory_get(pool, (size_t)n + 1, sizeof(*infos));
	for (uint32_t i = 0; infos && i < n; i++) {
		struct wire_tensor_info info = {0};
		int e = wire_tensor_info_decode(r, &info, err);
		if (e < 0) {
			return e;
		}
		fill_info(pool, &info, &infos[i]);
	}
	*ret_infos = infos;
	return pool->failed ? error_no_memory(err) : 0;
}

static int read_signature(struct reply_memory *pool, struct bytes_reader *r, uint32_t *n_infos,
	struct edge_client_signature *signature, struct error *err)
{
	struct wire_signature from = {0};
	int e = wire_signature_decode(r, &from, err);
	if (e < 0) {
		return e;
	}
	signature->key = reply_memory_text(pool, from.key);
	signature->n_inputs = from.n_inputs;
	signature->n_outputs = from.n_outputs;
	e = read_infos(pool, r, from.n_inputs, n_infos, &signature->inputs, err);
	return e < 0 ? e : read_infos(pool, r, from.n_outputs, n_infos, &signature->outputs, err);
}

static void fill_model(
	struct reply_memory *pool, const struct wire_model *from, struct edge_client_model *model)
{
	*model = (struct edge_client_model){
		.name = reply_memory_text(pool, from->name),
		.version = reply_memory_text(pool, from->version),
		.title = reply_memory_text(pool, from->title),
		.description = reply_memory_text(pool, from->description),
		.author_version = reply_memory_text(pool, from->author_version),
		.labels = reply_memory_text(pool, from->labels),
		.generation = from->generation,
		.file_bytes = from->file_bytes,
		.arena_bytes = from->arena_bytes,
		.prepared_bytes = from->prepared_bytes,
		.macs = from->macs,
		.n_nodes = from->n_nodes,
		.n_subgraphs = from->n_subgraphs,
		.has_float = (from->flags & WIRE_MODEL_FLOAT) != 0,
		.has_state = (from->flags & WIRE_MODEL_STATE) != 0,
	};
}

static int read_signatures(struct reply_memory *pool, struct bytes_reader *r, uint32_t n,
	struct edge_client_model *model, struct error *err)
{
	uint32_t n_infos = 0;
	if (n == 0 || n > MAX_SIGNATURES) {
		return error_set(err, -EPROTO, "DESCRIBE: %u signatures", n);
	}
	struct edge_client_signature *signatures = reply_memory_get(pool, n, sizeof(*signatures));
	if (!signatures) {
		return error_no_memory(err);
	}
	model->signatures = signatures;
	model->n_signatures = n;
	for (uint32_t i = 0; i < n; i++) {
		int e = read_signature(pool, r, &n_infos, &signatures[i], err);
		if (e < 0) {
			return e;
		}
	}
	return wire_end(r, WIRE_DESCRIBE, err);
}

int replies_model(
	const void *body, size_t size, struct edge_client_model **ret_model, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_model from = {0};
	int e = wire_model_decode(&r, &from, err);
	if (e < 0) {
		return e;
	}
	struct reply_memory *pool = reply_memory_new(sizeof(**ret_model));
	if (!pool) {
		return error_no_memory(err);
	}
	owned(edge_client_model_free) struct edge_client_model *model = (void *)pool->reply;
	fill_model(pool, &from, model);
	e = read_signatures(pool, &r, from.n_signatures, model, err);
	if (e == 0) {
		*ret_model = take(model);
	}
	return e;
}

/* ---- INFER */

struct answer_owner {
	struct edge_client_answer answer; /* first, because the caller gets its address */
	void *body; /* holds the tensors' data */
	struct edge_client_tensor outputs[]; /* followed by the texts */
};

void edge_client_answer_free(struct edge_client_answer *answer)
{
	struct answer_owner *owner = (struct answer_owner *)answer;
	if (owner) {
		free(owner->body);
		free(owner);
	}
}

/* Checks the offsets of a string tensor, because callers follow them. Tensors in regions are not
 * checked. */
static int check_strings(const struct wire_tensor *tensor, uint32_t i, struct error *err)
{
	struct strings strings;
	uint64_t elements = 0;
	const bool here = tensor->type == DTYPE_STRING && tensor->region == 0;
	int e = here ? shape_elements(&tensor->shape, &elements) : 0;
	if (e == 0 && here) {
		e = strings_open(&strings, tensor->data, tensor->bytes, elements, err);
	}
	if (e < 0) {
		char why[sizeof(err->text)];
		memcpy(why, err->text, sizeof(why));
		return error_set(err, -EPROTO, "INFER: output %u: %.200s", i, why);
	}
	return 0;
}

/* Copies @text with a zero byte to *at and advances *at. */
static const char *put_text(char **at, struct wire_text text)
{
	char *copy = *at;
	if (text.length > 0) {
		memcpy(copy, text.data, text.length);
	}
	copy[text.length] = 0;
	*at += text.length + 1;
	return copy;
}

/* Allocates the answer with room for the outputs and all texts. */
static struct answer_owner *new_owner(const struct wire_infer_reply *from)
{
	size_t bytes = sizeof(struct answer_owner) +
		from->n_outputs * sizeof(struct edge_client_tensor) + from->version.length + 1;
	for (uint32_t i = 0; i < from->n_outputs; i++) {
		bytes += from->outputs[i].name.length + 1;
	}
	return malloc(bytes);
}

static void fill_answer(struct answer_owner *owner, const struct wire_infer_reply *from)
{
	char *texts = (char *)&owner->outputs[from->n_outputs];
	owner->answer = (struct edge_client_answer){
		.version = put_text(&texts, from->version),
		.generation = from->generation,
		.queue_us = from->queue_us,
		.run_us = from->run_us,
		.n_outputs = from->n_outputs,
		.outputs = owner->outputs,
	};
	for (uint32_t i = 0; i < from->n_outputs; i++) {
		const struct wire_tensor *tensor = &from->outputs[i];
		owner->outputs[i] = (struct edge_client_tensor){
			.name = put_text(&texts, tensor->name),
			.index = tensor->index,
			.type = tensor->type,
			.data = tensor->data,
			.bytes = tensor->bytes,
			.region = tensor->region,
			.offset = tensor->offset,
		};
		shape_to_public(&tensor->shape, &owner->outputs[i].shape);
	}
}

int replies_answer(void *body, size_t size, unsigned int flags,
	struct edge_client_answer **ret_answer, struct error *err)
{
	struct wire_infer_reply from;
	int e = wire_infer_reply_decode(body, size, flags, &from, err);
	if (e < 0) {
		return e;
	}
	for (uint32_t i = 0; i < from.n_outputs && e == 0; i++) {
		e = check_strings(&from.outputs[i], i, err);
	}
	if (e < 0) {
		return e;
	}
	struct answer_owner *owner = new_owner(&from);
	if (!owner) {
		return error_no_memory(err);
	}
	fill_answer(owner, &from);
	owner->body = body;
	*ret_answer = &owner->answer;
	return 0;
}

/* ---- STATUS and RELOAD */

int replies_status(
	const void *body, size_t size, struct edge_client_status *ret_status, struct error *err)
{
	_Static_assert(
		(int)EDGE_CLIENT_N_CODES == (int)EDGE_STATUS_COUNT, "every status is counted");
	struct wire_status from = {0};
	int e = wire_status_decode(body, size, &from, err);
	if (e < 0) {
		return e;
	}
	*ret_status = (struct edge_client_status){
		.uptime_us = from.uptime_us,
		.models_ready = from.models_ready,
		.models_loading = from.models_loading,
		.models_refused = from.models_refused,
		.clients = from.clients,
		.workers = from.workers,
		.queue_length = from.queue_length,
		.running = from.running,
		.resident_bytes = from.resident_bytes,
		.charged_bytes = from.charged_bytes,
		.queue_us = from.queue_us,
		.run_us = from.run_us,
		.models_unloaded = from.models_unloaded,
		.held_bytes = from.held_bytes,
		.budget_bytes = from.budget_bytes,
	};
	for (uint32_t i = 0; i < from.n_counts && i < EDGE_CLIENT_N_CODES; i++) {
		ret_status->counts[i] = from.counts[i];
	}
	return 0;
}

int replies_power(
	const void *body, size_t size, struct edge_client_power *ret_power, struct error *err)
{
	static const char *const policies[] = {"performance", "balanced", "cool"};
	struct wire_power from;
	int e = wire_power_decode(body, size, &from, err);
	if (e < 0) {
		return e;
	}
	*ret_power = (struct edge_client_power){
		.policy = from.policy < 3 ? policies[from.policy] : "unknown",
		.refuses_batch = (from.flags & WIRE_POWER_REFUSES_BATCH) != 0,
		.duty = from.duty,
		.current = (from.flags & WIRE_POWER_LIVE) != 0,
		.has_temperature = (from.flags & WIRE_POWER_TEMPERATURE) != 0,
		.has_meter = (from.flags & WIRE_POWER_METER) != 0,
		.temperature_mc = from.temperature_mc,
		.limit_mc = from.limit_mc,
		.power_mw = from.power_mw,
		.idle_mw = from.idle_mw,
		.model_runs = from.model_runs,
		.model_nj = from.model_nj,
	};
	error_escape(
		ret_power->sensor, sizeof(ret_power->sensor), from.sensor.data, from.sensor.length);
	return 0;
}

int replies_reload(
	const void *body, size_t size, struct edge_client_reload *ret_reload, struct error *err)
{
	struct wire_reload_reply from = {0};
	int e = wire_reload_reply_decode(body, size, &from, err);
	if (e == 0) {
		*ret_reload = (struct edge_client_reload){
			.models_ready = from.models_ready, .models_refused = from.models_refused};
	}
	return e;
}

int replies_session(const void *body, size_t size, uint32_t *ret_session, struct error *err)
{
	struct wire_session_open_reply from = {0};
	int e = wire_session_open_reply_decode(body, size, &from, err);
	if (e == 0) {
		*ret_session = from.session;
	}
	return e;
}

int replies_store(const void *body, size_t size, char **ret_text, struct error *err)
{
	struct wire_text lines;
	int e = wire_store_reply_decode(body, size, &lines, err);
	if (e < 0) {
		return e;
	}
	char *text = malloc((size_t)lines.length + 1);
	if (!text) {
		return error_no_memory(err);
	}
	memcpy(text, lines.data, lines.length);
	text[lines.length] = 0;
	*ret_text = text;
	return 0;
}
