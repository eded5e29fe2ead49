/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/resource.h"

#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/strings.h"
#include "engine/run/copy.h"
#include "engine/run/hash_table.h"

enum once {
	ONCE_NOT_YET,
	ONCE_IN_THIS_RUN,
	ONCE_DONE,
};

enum kind {
	KIND_VARIABLE,
	KIND_TABLE,
};

/* The contents of a variable. */
struct content {
	struct value value; /* from the heap; NULL data: not assigned */
	uint8_t type;
};

struct resource {
	uint8_t kind; /* enum kind */
	bool is_new, is_filled; /* in this run */
	struct text container, name; /* of a variable */
	int32_t table_id;
	struct content now, next; /* of a variable; next: assigned in this run */
	struct hash_table table;
};

int resources_init(struct resources *resources, struct heap *heap, uint32_t n_subgraphs)
{
	*resources = (struct resources){.heap = heap, .n_subgraphs = n_subgraphs};
	resources->calls = calloc((size_t)n_subgraphs + 1, 1);
	return resources->calls ? 0 : -ENOMEM;
}

static void content_clear(struct resources *resources, struct content *content)
{
	heap_free(resources->heap, content->value.data);
	*content = (struct content){0};
}

static void resource_clear(struct resources *resources, struct resource *resource)
{
	content_clear(resources, &resource->now);
	content_clear(resources, &resource->next);
	hash_table_clear(&resource->table, resources->heap);
}

void resources_reset(struct resources *resources)
{
	for (uint32_t i = 0; i < resources->n; i++) {
		resource_clear(resources, &resources->items[i]);
	}
	resources->n = 0;
	memset(resources->calls, ONCE_NOT_YET, resources->n_subgraphs);
}

void resources_deinit(struct resources *resources)
{
	if (resources->calls) {
		resources_reset(resources);
	}
	free(resources->items);
	free(resources->calls);
}

bool resources_first_call(struct resources *resources, uint32_t subgraph)
{
	bool first = resources->calls[subgraph] == ONCE_NOT_YET;
	if (first) {
		resources->calls[subgraph] = ONCE_IN_THIS_RUN;
	}
	return first;
}

static void settle_calls(struct resources *resources, bool commit)
{
	for (uint32_t i = 0; i < resources->n_subgraphs; i++) {
		if (resources->calls[i] == ONCE_IN_THIS_RUN) {
			resources->calls[i] = commit ? ONCE_DONE : ONCE_NOT_YET;
		}
	}
}

static void settle(struct resources *resources, struct resource *resource, bool commit)
{
	if (!commit && resource->is_filled) {
		hash_table_clear(&resource->table, resources->heap);
	}
	if (commit && resource->next.value.data) {
		content_clear(resources, &resource->now);
		resource->now = resource->next;
		resource->next = (struct content){0};
	}
	content_clear(resources, &resource->next);
	resource->is_new = resource->is_filled = false;
}

void resources_settle(struct resources *resources, bool commit)
{
	/* What a failed run has made is at the end of the list. */
	while (!commit && resources->n > 0 && resources->items[resources->n - 1].is_new) {
		resource_clear(resources, &resources->items[--resources->n]);
	}
	for (uint32_t i = 0; i < resources->n; i++) {
		settle(resources, &resources->items[i], commit);
	}
	settle_calls(resources, commit);
}

static bool text_equal(const struct text *a, const struct text *b)
{
	return a->length == b->length &&
		(a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

static bool is_same(const struct resource *a, const struct resource *b)
{
	if (a->kind != b->kind) {
		return false;
	}
	return a->kind == KIND_TABLE
		? a->table_id == b->table_id
		: text_equal(&a->container, &b->container) && text_equal(&a->name, &b->name);
}

/* The index of the resource that is like @wanted, made if there is none. */
static int find_or_add(struct resources *resources, const struct resource *wanted,
	uint32_t *ret_index, struct error *err)
{
	for (uint32_t i = 0; i < resources->n; i++) {
		if (is_same(&resources->items[i], wanted)) {
			*ret_index = i;
			return 0;
		}
	}
	if (!array_room(&resources->items, resources->n, sizeof(struct resource))) {
		return error_no_memory(err);
	}
	*ret_index = resources->n;
	resources->items[resources->n] = *wanted;
	resources->items[resources->n++].is_new = true;
	return 0;
}

/* The resource of the handle in input @i; NULL with the error set. */
static struct resource *open_handle(struct resources *resources, const struct call_frame *frame,
	const struct node *node, enum kind kind, struct error *err)
{
	const struct value *handle = &frame->values[node->inputs[0]];
	int32_t index = -1;
	if (handle->bytes == sizeof(index)) {
		memcpy(&index, handle->data, sizeof(index));
	}
	if (index < 0 || (uint32_t)index >= resources->n || resources->items[index].kind != kind) {
		error_set(err, -EINVAL, "the handle is of no %s",
			kind == KIND_TABLE ? "table" : "variable");
		return NULL;
	}
	return &resources->items[index];
}

static int give_handle(struct resources *resources, struct call_frame *frame,
	const struct node *node, const struct resource *wanted, struct error *err)
{
	uint32_t index = 0;
	const struct value *out = &frame->values[node->outputs[0]];
	int r = find_or_add(resources, wanted, &index, err);
	if (r < 0) {
		return r;
	}
	const struct value handle = {&index, sizeof(index), out->shape};
	return call_frame_put(frame, (uint32_t)node->outputs[0], &handle, err);
}

static int var_handle(struct resources *resources, struct call_frame *frame,
	const struct node *node, struct error *err)
{
	const struct resource wanted = {
		.kind = KIND_VARIABLE,
		.container = node->options.var_handle.container,
		.name = node->options.var_handle.shared_name,
	};
	return give_handle(resources, frame, node, &wanted, err);
}

static int read_variable(struct resources *resources, struct call_frame *frame,
	const struct node *node, struct error *err)
{
	struct resource *resource = open_handle(resources, frame, node, KIND_VARIABLE, err);
	unsigned int type = frame->subgraph->tensors[node->outputs[0]].type;
	if (!resource) {
		return -EINVAL;
	}
	const struct content *content =
		resource->next.value.data ? &resource->next : &resource->now;
	char name[48];
	error_escape(name, sizeof(name), resource->name.data, resource->name.length);
	if (!content->value.data) {
		return error_set(err, -EINVAL, "variable '%s' is read before it is assigned", name);
	}
	if (content->type != type) {
		return error_set(err, -EINVAL, "variable '%s' holds %s, is read as %s", name,
			dtype_name(content->type), dtype_name(type));
	}
	struct value value = content->value;
	if (frame->subgraph->tensors[node->outputs[0]].shape.rank > 0) {
		const struct value *out = &frame->values[node->outputs[0]];
		value.shape = out->shape;
		value.bytes = out->bytes;
	}
	if (value.bytes > content->value.bytes) {
		return error_set(err, -EINVAL,
			"variable '%s' holds %" PRIu64 " bytes, %" PRIu64 " are read", name,
			content->value.bytes, value.bytes);
	}
	return call_frame_put(frame, (uint32_t)node->outputs[0], &value, err);
}

static int assign_variable(struct resources *resources, struct call_frame *frame,
	const struct node *node, struct error *err)
{
	struct resource *resource = open_handle(resources, frame, node, KIND_VARIABLE, err);
	const struct value *from = &frame->values[node->inputs[1]];
	void *data = NULL;
	if (!resource) {
		return -EINVAL;
	}
	int r = heap_alloc(resources->heap, from->bytes, &data, err);
	if (r < 0) {
		return r;
	}
	r = copy_bytes(data, from->data, from->bytes, frame->control, err);
	if (r < 0) {
		heap_free(resources->heap, data);
		return r;
	}
	content_clear(resources, &resource->next);
	resource->next = (struct content){
		{data, from->bytes, from->shape}, frame->subgraph->tensors[node->inputs[1]].type};
	return 0;
}

static int make_table(struct resources *resources, struct call_frame *frame,
	const struct node *node, struct error *err)
{
	const struct options_hashtable *o = &node->options.hashtable;
	const struct resource wanted = {
		.kind = KIND_TABLE,
		.table_id = o->table_id,
		.table = {.key_type = (uint8_t)o->key_type, .value_type = (uint8_t)o->value_type},
	};
	return give_handle(resources, frame, node, &wanted, err);
}

/* The table of input 0, and that the tensors of its keys and values have its types. */
static struct resource *open_table(struct resources *resources, const struct call_frame *frame,
	const struct node *node, int32_t keys, int32_t values, struct error *err)
{
	struct resource *resource = open_handle(resources, frame, node, KIND_TABLE, err);
	if (resource &&
		(frame->subgraph->tensors[keys].type != resource->table.key_type ||
			frame->subgraph->tensors[values].type != resource->table.value_type)) {
		error_set(err, -EINVAL, "the table is from %s to %s",
			dtype_name(resource->table.key_type),
			dtype_name(resource->table.value_type));
		return NULL;
	}
	return resource;
}

static int import(struct resources *resources, struct call_frame *frame, const struct node *node,
	const struct run_control *control, struct error *err)
{
	struct resource *resource =
		open_table(resources, frame, node, node->inputs[1], node->inputs[2], err);
	if (!resource) {
		return -EINVAL;
	}
	resource->is_filled |= resource->table.order == NULL;
	return hash_table_fill(&resource->table, resources->heap, &frame->values[node->inputs[1]],
		&frame->values[node->inputs[2]], control, err);
}

static int find(struct resources *resources, struct call_frame *frame, const struct node *node,
	const struct run_control *control, struct error *err)
{
	const struct value *keys = &frame->values[node->inputs[1]];
	const struct value *fallback = &frame->values[node->inputs[2]];
	uint32_t out = (uint32_t)node->outputs[0];
	uint64_t bytes = 0;
	struct resource *resource =
		open_table(resources, frame, node, node->inputs[1], (int32_t)out, err);
	if (!resource) {
		return -EINVAL;
	}
	int r = hash_table_measure(&resource->table, keys, fallback, control, &bytes, err);
	if (r == 0) {
		r = call_frame_give(frame, out, &keys->shape, bytes, err);
	}
	if (r == 0) {
		r = hash_table_find(&resource->table, keys, fallback, control,
			frame->values[out].data, bytes, err);
	}
	return r;
}

static int table_size(struct resources *resources, struct call_frame *frame,
	const struct node *node, struct error *err)
{
	struct resource *resource = open_handle(resources, frame, node, KIND_TABLE, err);
	if (!resource) {
		return -EINVAL;
	}
	int64_t n = resource->table.n;
	const struct value size = {&n, sizeof(n), frame->values[node->outputs[0]].shape};
	return call_frame_put(frame, (uint32_t)node->outputs[0], &size, err);
}

int resources_run(struct resources *resources, struct call_frame *frame, const struct node *node,
	const struct run_control *control, struct error *err)
{
	switch (node->op) {
	case OP_VAR_HANDLE:
		return var_handle(resources, frame, node, err);
	case OP_READ_VARIABLE:
		return read_variable(resources, frame, node, err);
	case OP_ASSIGN_VARIABLE:
		return assign_variable(resources, frame, node, err);
	case OP_HASHTABLE:
		return make_table(resources, frame, node, err);
	case OP_HASHTABLE_IMPORT:
		return import(resources, frame, node, control, err);
	case OP_HASHTABLE_FIND:
		return find(resources, frame, node, control, err);
	case OP_HASHTABLE_SIZE:
		return table_size(resources, frame, node, err);
	default:
		return error_set(
			err, -EOPNOTSUPP, "%s is not the session's", operators_name(node->op));
	}
}
