/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/edge.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/ref.h"
#include "engine/entry.h"
#include "engine/plan/packs.h"
#include "engine/plan/plan_cache.h"
#include "engine/run/call_frame.h"
#include "engine/run/session.h"
#include "engine/steps.h"

struct edge_model {
	struct ref ref;
	struct model *file;
	/* Of the file: each request looks at them, and the code that found them is given back. */
	const struct mapped *mapped;
	const struct model_metadata *metadata;
	struct plan_cache plans;
	struct packs packs;
	struct edge_model_info info;
};

struct edge_session {
	struct edge_model *model;
	struct entry entry;
	struct session *session;
};

static const struct edge_limits default_limits = {
	.file_bytes = 256u << 20,
	.arena_bytes = 256u << 20,
	.macs = 50000000000u,
	.prepared_bytes = 256u << 20,
	.nodes = 100000,
	.plans = 4,
	.loops = 10000000,
};

static struct edge_limits limits_of(const struct edge_options *options)
{
	struct edge_limits limits = options->limits;
	const struct edge_limits *d = &default_limits;
	limits.file_bytes = limits.file_bytes ? limits.file_bytes : d->file_bytes;
	limits.arena_bytes = limits.arena_bytes ? limits.arena_bytes : d->arena_bytes;
	limits.macs = limits.macs ? limits.macs : d->macs;
	limits.prepared_bytes = limits.prepared_bytes ? limits.prepared_bytes : d->prepared_bytes;
	limits.nodes = limits.nodes ? limits.nodes : d->nodes;
	limits.plans = limits.plans ? limits.plans : d->plans;
	limits.loops = limits.loops ? limits.loops : d->loops;
	return limits;
}

struct edge_model *edge_model_ref(struct edge_model *model)
{
	ref_get(&model->ref);
	return model;
}

void edge_model_unref(struct edge_model *model)
{
	if (!model || !ref_put(&model->ref)) {
		return;
	}
	plan_cache_deinit(&model->plans);
	packs_deinit(&model->packs);
	model_free(model->file);
	free(model);
}

static bool is_float(unsigned int type)
{
	return type == DTYPE_FLOAT32 || type == DTYPE_FLOAT16 || type == DTYPE_BFLOAT16 ||
		type == DTYPE_FLOAT64 || type == DTYPE_COMPLEX64 || type == DTYPE_COMPLEX128;
}

static bool touches_float(const struct subgraph *subgraph, const struct node *node)
{
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		if (node->inputs[i] >= 0 && is_float(subgraph->tensors[node->inputs[i]].type)) {
			return true;
		}
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		if (node->outputs[i] >= 0 && is_float(subgraph->tensors[node->outputs[i]].type)) {
			return true;
		}
	}
	return false;
}

static bool keeps_state(const struct node *node)
{
	const struct op_row *row = opinfo_find(node);
	return row && row->flags & OPINFO_STATE;
}

static bool uses_checkpoints(const struct node *node)
{
	return node->op == OP_FLEX_SAVE || node->op == OP_FLEX_RESTORE;
}

static void describe_subgraph(const struct subgraph *subgraph, struct edge_model_info *info)
{
	info->n_nodes += subgraph->n_nodes;
	for (uint32_t i = 0; i < subgraph->n_nodes; i++) {
		info->has_float |= touches_float(subgraph, &subgraph->nodes[i]);
		info->has_state |= keeps_state(&subgraph->nodes[i]);
		info->uses_checkpoints |= uses_checkpoints(&subgraph->nodes[i]);
	}
	for (uint32_t t = 0; t < subgraph->n_tensors; t++) {
		const struct tensor *tensor = &subgraph->tensors[t];
		uint64_t elements = 0;
		info->has_state |= tensor->is_variable;
		if (tensor->data && shape_elements(&tensor->shape, &elements) == 0) {
			info->parameters += elements;
		}
	}
}

static void describe(struct edge_model *model)
{
	const struct graph *graph = model->plans.graph;
	const struct model_metadata *metadata = model->metadata;
	const struct plan *first = model->plans.declared[0];
	struct edge_model_info *info = &model->info;
	*info = (struct edge_model_info){
		.name = metadata->name,
		.description = metadata->description,
		.version = metadata->version,
		.n_signatures = 1 + graph->n_signatures,
		.file_bytes = model_file_bytes(model->file),
		.pack_bytes = packs_bytes(&model->packs),
		.arena_bytes = first->arena_bytes,
		.macs = first->macs,
		.n_subgraphs = graph->n_subgraphs,
	};
	for (uint32_t i = 0; i < graph->n_subgraphs; i++) {
		const struct plan *plan = model->plans.declared[i];
		info->prepared_bytes += plan ? plan->prepared_bytes : 0;
		info->session_bytes += plan ? plan->session_bytes : 0;
		info->session_bytes += call_frame_table_bytes(&graph->subgraphs[i]);
		describe_subgraph(&graph->subgraphs[i], info);
	}
}

/* Comparisons that finding all names of all signatures takes; real models are far below. */
#define SIGNATURE_WORK 100000000u
#define PACKS_SPARE_BYTES (1u << 20) /* heads and padding of many small weights */

static int check_signature_work(const struct graph *graph, struct error *err)
{
	uint64_t work = 0;
	for (uint32_t i = 0; i < graph->n_signatures && work <= SIGNATURE_WORK; i++) {
		const struct signature *signature = &graph->signatures[i];
		const struct subgraph *subgraph = &graph->subgraphs[signature->subgraph];
		work += (uint64_t)signature->n_inputs * subgraph->n_inputs +
			(uint64_t)signature->n_outputs * subgraph->n_outputs;
	}
	return work <= SIGNATURE_WORK
		? 0
		: error_set(err, -EFBIG, "signatures with too many names to look up");
}

/* Every entry of the model can be run, or the model is refused. */
static int enter_all(struct edge_model *model, struct error *err)
{
	const struct graph *graph = model->plans.graph;
	int r = check_signature_work(graph, err);
	if (r < 0) {
		return r;
	}
	if (graph->n_subgraphs == 0) {
		return error_set(err, -EBADMSG, "the model has no subgraph");
	}
	for (uint32_t i = 0; i <= graph->n_signatures; i++) {
		struct entry entry;
		if (!entry_find(graph, i, &entry) || !entry_is_whole(&entry)) {
			return error_set(err, -EBADMSG,
				"signature %u: names a tensor that is no input or output of its "
				"subgraph",
				i);
		}
		r = plan_cache_enter(&model->plans, entry.subgraph_index, err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* No weight becomes more than eight times as long; what does not fit is packed in the heap. */
static void open_packs(struct edge_model *model, const struct edge_packs *packs, uint64_t limit)
{
	const uint64_t most = 8 * model_file_bytes(model->file) + PACKS_SPARE_BYTES;
	if (packs) {
		packs_open(&model->packs, packs->folder, packs->key, most < limit ? most : limit);
		model->plans.packs = &model->packs.memory;
	}
}

bool edge_model_broken(const struct edge_model *model)
{
	return mapped_broken(model->mapped) || mapped_broken(model->packs.note);
}

/* @code, unless it came of bytes that are none of the model's. */
static int check_disk(const struct edge_model *model, int code, struct error *err)
{
	return edge_model_broken(model)
		? error_set(err, -EIO, "the disk did not give a part of the model")
		: code;
}

/* Plans every entry, and packs weights. */
static int prepare(struct edge_model *model, const struct edge_options *options,
	const struct edge_limits *limits, struct error *err)
{
	int r = plan_cache_init(&model->plans, err);
	if (r == 0) {
		open_packs(model, options->packs, limits->prepared_bytes);
		r = enter_all(model, err);
	}
	if (r == 0) {
		packs_seal(&model->packs);
	}
	return r;
}

/* Takes over @file. */
static int open_file(struct model *file, const struct edge_options *options,
	const struct edge_limits *limits, struct edge_model **ret_model, struct error *err)
{
	owned(edge_model_unref) struct edge_model *model = calloc(1, sizeof(*model));
	if (!model) {
		model_free(file);
		return error_no_memory(err);
	}
	ref_init(&model->ref);
	model->file = file;
	model->mapped = model_mapped(file);
	model->metadata = model_get_metadata(file);
	model->plans = (struct plan_cache){
		.graph = model_graph(file),
		.backends = options->backends,
		.cpu_features = options->cpu_features,
		.threads = options->threads,
		.rewrites = (REWRITES_ALL & ~options->disabled_rewrites) |
			(options->disabled_rewrites & REWRITE_EAGER),
		.max_arena_bytes = limits->arena_bytes,
		.max_macs = limits->macs,
		.max_loops = limits->loops,
		.max_prepared_bytes = limits->prepared_bytes,
		.max_plans = limits->plans,
	};
	int r = prepare(model, options, limits, err);
	if (r == 0) {
		describe(model);
	}
	r = check_disk(model, r, err);
	if (r < 0) {
		return r;
	}
	*ret_model = take(model);
	return 0;
}

int edge_model_open_fd(int fd, const struct edge_options *options, struct edge_model **ret_model,
	struct error *err)
{
	const struct edge_limits limits = limits_of(options);
	const struct model_limits file_limits = {limits.file_bytes, limits.nodes};
	struct model *file = NULL;
	int r = model_open_fd(fd, &file_limits, &file, err);
	return r < 0 ? r : open_file(file, options, &limits, ret_model, err);
}

int edge_model_open_file(const char *path, const struct edge_options *options,
	struct edge_model **ret_model, struct error *err)
{
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		int code = -errno;
		return error_set(err, code, "cannot be opened: %s", strerror(-code));
	}
	return edge_model_open_fd(fd, options, ret_model, err);
}

int edge_model_open_bytes(const void *data, size_t size, const struct edge_options *options,
	struct edge_model **ret_model, struct error *err)
{
	const struct edge_limits limits = limits_of(options);
	const struct model_limits file_limits = {limits.file_bytes, limits.nodes};
	struct model *file = NULL;
	int r = model_open_bytes(data, size, &file_limits, &file, err);
	return r < 0 ? r : open_file(file, options, &limits, ret_model, err);
}

int edge_model_keep(struct edge_model *model, struct error *err)
{
	model_forget_pages(model->file);
	int r = packs_keep(&model->packs) < 0 ? error_no_memory(err) : 0;
	return check_disk(model, r, err);
}

const struct edge_model_info *edge_model_info(const struct edge_model *model)
{
	return &model->info;
}

int edge_model_signature(
	const struct edge_model *model, uint32_t index, struct edge_signature_info *ret_info)
{
	struct entry entry;
	if (!entry_find(model->plans.graph, index, &entry)) {
		return -ENOENT;
	}
	*ret_info = (struct edge_signature_info){
		.key = entry.signature ? entry.signature->key : (struct text){"", 0},
		.n_inputs = entry_count(&entry, ENTRY_INPUTS),
		.n_outputs = entry_count(&entry, ENTRY_OUTPUTS),
	};
	return 0;
}

int edge_model_find_signature(const struct edge_model *model, const char *key)
{
	const struct graph *graph = model->plans.graph;
	size_t length = strlen(key);
	for (uint32_t i = 0; i < graph->n_signatures; i++) {
		const struct text *own = &graph->signatures[i].key;
		if (own->length == length && memcmp(own->data, key, length) == 0) {
			return (int)i + 1;
		}
	}
	return -1;
}

/* The description of one input or output, with the shape that it has in @part. */
static int tensor_info(const struct edge_model *model, const struct entry *entry,
	const struct subgraph_plan *part, enum entry_side side, uint32_t index,
	struct edge_tensor_info *ret_info)
{
	int64_t position = entry_position(entry, side, index);
	if (position < 0) {
		return -ENOENT;
	}
	const struct subgraph *subgraph = entry->subgraph;
	int32_t t = side == ENTRY_INPUTS ? subgraph->inputs[position] : subgraph->outputs[position];
	entry_describe(entry, model->metadata, side, index, ret_info);
	ret_info->shape = part->shapes[t];
	ret_info->bytes = part->tensors[t].bytes;
	ret_info->run_time_shape = part->tensors[t].place == PLACE_RUN_TIME;
	return 0;
}

static int model_tensor_info(const struct edge_model *model, uint32_t signature,
	enum entry_side side, uint32_t index, struct edge_tensor_info *ret_info)
{
	struct entry entry;
	if (!entry_find(model->plans.graph, signature, &entry)) {
		return -ENOENT;
	}
	const struct plan *plan = model->plans.declared[entry.subgraph_index];
	return tensor_info(model, &entry, plan_entered(plan), side, index, ret_info);
}

int edge_model_input(const struct edge_model *model, uint32_t signature, uint32_t index,
	struct edge_tensor_info *ret_info)
{
	return model_tensor_info(model, signature, ENTRY_INPUTS, index, ret_info);
}

int edge_model_output(const struct edge_model *model, uint32_t signature, uint32_t index,
	struct edge_tensor_info *ret_info)
{
	return model_tensor_info(model, signature, ENTRY_OUTPUTS, index, ret_info);
}

uint32_t edge_model_node_count(const struct edge_model *model)
{
	return model->plans.graph->subgraphs[0].n_nodes;
}

int edge_model_node(const struct edge_model *model, uint32_t signature, uint32_t index,
	struct edge_node_info *ret_info)
{
	struct entry entry;
	if (!entry_find(model->plans.graph, signature, &entry)) {
		return -ENOENT;
	}
	const struct subgraph_plan *part =
		plan_entered(model->plans.declared[entry.subgraph_index]);
	if (index >= part->subgraph->n_nodes) {
		return -ENOENT;
	}
	const struct node *node = &part->subgraph->nodes[index];
	*ret_info = (struct edge_node_info){
		.op = operators_name(node->op),
		.detail = steps_detail(part, index),
		.macs = part->node_macs[index],
	};
	if (node->n_outputs > 0) {
		ret_info->output = part->shapes[node->outputs[0]];
		ret_info->type = part->subgraph->tensors[node->outputs[0]].type;
	}
	return 0;
}

int edge_model_steps(
	const struct edge_model *model, uint32_t signature, edge_step_function *each, void *context)
{
	struct entry entry;
	return entry_find(model->plans.graph, signature, &entry)
		? steps_walk(model->plans.declared[entry.subgraph_index], each, context)
		: -ENOENT;
}

void edge_session_free(struct edge_session *session)
{
	if (!session) {
		return;
	}
	session_free(session->session);
	edge_model_unref(session->model);
	free(session);
}

int edge_session_new(struct edge_model *model, uint32_t signature,
	struct edge_session **ret_session, struct error *err)
{
	owned(edge_session_free) struct edge_session *session = calloc(1, sizeof(*session));
	if (!session) {
		return error_no_memory(err);
	}
	if (!entry_find(model->plans.graph, signature, &session->entry)) {
		return error_set(
			err, -ENOENT, "signature %u of %u", signature, model->info.n_signatures);
	}
	session->model = edge_model_ref(model);
	int r = session_new(&model->plans, session->entry.subgraph_index, &session->session, err);
	if (r < 0) {
		return r;
	}
	*ret_session = take(session);
	return 0;
}

int edge_session_enter(struct edge_session *session, uint32_t signature, struct error *err)
{
	struct entry entry;
	if (!entry_find(session->model->plans.graph, signature, &entry)) {
		return error_set(err, -ENOENT, "signature %u of %u", signature,
			session->model->info.n_signatures);
	}
	int r = session_enter(session->session, entry.subgraph_index, err);
	if (r == 0) {
		session->entry = entry;
	}
	return r;
}

/* The subgraph's position of the entry's input @index; -EINVAL with the error set. */
static int64_t input_position(const struct edge_session *session, uint32_t index, struct error *err)
{
	int64_t position = entry_position(&session->entry, ENTRY_INPUTS, index);
	return position >= 0 ? position
			     : error_set(err, -EINVAL, "input %u of %u", index,
				       entry_count(&session->entry, ENTRY_INPUTS));
}

int edge_session_resize(
	struct edge_session *session, uint32_t index, const struct shape *shape, struct error *err)
{
	int64_t position = input_position(session, index, err);
	return position < 0 ? (int)position
			    : session_resize(session->session, (uint32_t)position, shape, err);
}

int edge_session_input_info(struct edge_session *session, uint32_t index,
	struct edge_tensor_info *ret_info, struct error *err)
{
	int64_t position = input_position(session, index, err);
	if (position < 0) {
		return (int)position;
	}
	/* What is asked for needs no plan: the shape and its bytes are known. */
	entry_describe(&session->entry, session->model->metadata, ENTRY_INPUTS, index, ret_info);
	const struct session_input *input = session_get_input(session->session, (uint32_t)position);
	ret_info->shape = input->shape;
	ret_info->bytes = input->bytes;
	return 0;
}

int edge_session_output_info(struct edge_session *session, uint32_t index,
	struct edge_tensor_info *ret_info, struct error *err)
{
	const struct subgraph_plan *part = NULL;
	int r = session_plan(session->session, &part, err);
	if (r < 0) {
		return r;
	}
	r = tensor_info(session->model, &session->entry, part, ENTRY_OUTPUTS, index, ret_info);
	if (r < 0) {
		return error_set(err, -EINVAL, "output %u of %u", index,
			entry_count(&session->entry, ENTRY_OUTPUTS));
	}
	int64_t position = entry_position(&session->entry, ENTRY_OUTPUTS, index);
	const struct value *value = session_output_value(session->session, (uint32_t)position);
	if (value) {
		ret_info->shape = value->shape;
		ret_info->bytes = value->bytes;
	}
	return 0;
}

int edge_session_bind_input(struct edge_session *session, uint32_t index, const void *data,
	uint64_t bytes, struct error *err)
{
	int64_t position = input_position(session, index, err);
	return position < 0
		? (int)position
		: session_bind_input(session->session, (uint32_t)position, data, bytes, err);
}

void *edge_session_input(struct edge_session *session, uint32_t index, uint64_t *ret_bytes)
{
	int64_t position = input_position(session, index, NULL);
	return position < 0 ? NULL : session_input(session->session, (uint32_t)position, ret_bytes);
}

int edge_session_run(
	struct edge_session *session, const struct run_control *control, struct error *err)
{
	return check_disk(session->model, session_run(session->session, control, err), err);
}

const void *edge_session_output(struct edge_session *session, uint32_t index, uint64_t *ret_bytes)
{
	int64_t position = entry_position(&session->entry, ENTRY_OUTPUTS, index);
	return position < 0 ? NULL
			    : session_output(session->session, (uint32_t)position, ret_bytes);
}

uint64_t edge_session_bytes(const struct edge_session *session)
{
	return session_bytes(session->session);
}

void edge_session_reset(struct edge_session *session)
{
	session_reset(session->session);
}

void edge_session_fill(struct edge_session *session, uint8_t value)
{
	session_fill(session->session, value);
}

void edge_session_set_checkpoints(struct edge_session *session, int folder, uint64_t max_bytes)
{
	session_set_checkpoints(session->session, folder, max_bytes);
}

int edge_session_profile(struct edge_session *session, bool on)
{
	return session_profile(session->session, on);
}

const uint64_t *edge_session_node_ns(const struct edge_session *session)
{
	return session_node_ns(session->session);
}
