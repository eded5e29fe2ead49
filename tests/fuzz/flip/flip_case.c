/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/flip/flip_case.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/backends.h"
#include "base/strings.h"
#include "tests/fuzz/contents.h"

#define FEW_BYTES 64 /* of inputs: too few for poison in an answer to be seen */
#define SMALL_COST (UINT64_C(1) << 30)
#define MAX_MACS 50000000 /* that no operand can make a run cost more than */

/* The case of a folder, or none for the model's file itself; then its descriptor. */
static int open_model(const char *path, struct golden_case **ret_golden)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		return open(path, O_RDONLY | O_CLOEXEC);
	}
	return golden_case_read(path, ret_golden, NULL) < 0
		? -1
		: open((*ret_golden)->model, O_RDONLY | O_CLOEXEC);
}

/* The case's inputs belong to subgraph 0 only where no signature is asked for. */
static const struct golden_entry *golden_input(const struct golden_case *golden, uint32_t i)
{
	for (size_t k = 0; golden && !golden->signature && k < golden->n_entries; k++) {
		const struct golden_entry *e = &golden->entries[k];
		if (e->kind == GOLDEN_IN && e->step == 0 && e->index == i) {
			return e;
		}
	}
	return NULL;
}

static void fill_strings(uint8_t *data, uint64_t bytes)
{
	struct strings_writer w = strings_writer_of(data, (uint32_t)(bytes / 4 - 2));
	for (uint64_t k = 0; k < bytes / 4 - 2; k++) {
		strings_put(&w, "", 0);
	}
}

static bool bind_operand(struct flip_case *c, uint32_t i, enum flip_placement placement)
{
	struct flip_operand *o = &c->operands[i];
	int32_t t = c->opened.inputs[i];
	const struct tensor *tensor = &c->opened.subgraph->tensors[t];
	const struct golden_entry *e = golden_input(c->golden, i);
	const uint8_t *was = c->opened.was[t];
	uint64_t bytes = session_get_input(c->session, i)->bytes, random = 0x5eed + i;
	o->type = tensor->type;
	if (o->type == DTYPE_STRING) {
		bytes = was ? tensor->data_bytes : e ? e->bytes : bytes;
	}
	o->benign = contents_memory(bytes);
	if (!o->benign || !flip_memory_share(&o->shared, bytes, placement)) {
		return false;
	}
	if ((was && bytes == tensor->data_bytes) || (e && bytes == e->bytes)) {
		memcpy(o->benign, was ? was : e->data, (size_t)bytes);
	} else if (o->type == DTYPE_STRING) {
		fill_strings(o->benign, bytes);
	} else {
		contents_fill_mildly(o->type, o->benign, bytes, &random);
	}
	memcpy(o->shared.view, o->benign, (size_t)bytes);
	return session_bind_input(c->session, i, o->shared.bound, bytes, NULL) == 0;
}

static bool new_session(struct flip_case *c, enum flip_placement placement)
{
	const struct subgraph_plan *plan = NULL;
	c->plans = (struct plan_cache){
		.graph = c->opened.graph,
		.backends = backends_builtin(),
		.cpu_features = ~0ull,
		.rewrites = REWRITES_ALL,
		.max_arena_bytes = 16u << 20,
		.max_prepared_bytes = 64u << 20,
		.max_macs = MAX_MACS,
		.max_loops = 1000,
		.max_plans = 4,
	};
	if (plan_cache_init(&c->plans, NULL) < 0 || plan_cache_enter(&c->plans, 0, NULL) < 0 ||
		session_new(&c->plans, 0, &c->session, NULL) < 0) {
		return false;
	}
	for (uint32_t i = 0; i < c->n_operands; i++) {
		const struct golden_entry *e = golden_input(c->golden, i);
		if (e && session_resize(c->session, i, &e->shape, NULL) < 0) {
			return false;
		}
	}
	for (uint32_t i = 0; i < c->n_operands; i++) {
		if (!bind_operand(c, i, placement)) {
			return false;
		}
	}
	if (session_plan(c->session, &plan, NULL) < 0) {
		return false;
	}
	session_reset(c->session); /* its block of variables is new, so edged takes it for 0 */
	return true;
}

bool flip_case_open(
	struct flip_case *c, const char *path, enum opening opening, enum flip_placement placement)
{
	*c = (struct flip_case){0};
	owned_fd int fd = open_model(path, &c->golden);
	if (fd < 0 || model_open_fd(fd, &(struct model_limits){0}, &c->model, NULL) < 0) {
		return false;
	}
	struct graph *graph = (struct graph *)(uintptr_t)model_graph(c->model);
	if (!opened_init(&c->opened, graph, 0, opening) ||
		c->opened.subgraph->n_inputs > FLIP_MAX_OPERANDS) {
		return false;
	}
	c->n_operands = c->opened.subgraph->n_inputs;
	return new_session(c, placement);
}

void flip_case_close(struct flip_case *c)
{
	session_free(c->session);
	plan_cache_deinit(&c->plans);
	for (uint32_t i = 0; i < c->n_operands; i++) {
		flip_memory_unshare(&c->operands[i].shared);
		free(c->operands[i].benign);
	}
	opened_deinit(&c->opened);
	model_free(c->model);
	golden_case_free(c->golden);
	*c = (struct flip_case){0};
}

static bool has_strings(const struct graph *graph)
{
	const struct subgraph *part = &graph->subgraphs[0];
	for (uint32_t i = 0; i < part->n_tensors; i++) {
		if (part->tensors[i].type == DTYPE_STRING) {
			return true;
		}
	}
	return false;
}

uint64_t flip_case_cost(const char *path, bool *used)
{
	owned(golden_case_free) struct golden_case *golden = NULL;
	owned(model_free) struct model *model = NULL;
	struct stat st;
	owned_fd int fd = open_model(path, &golden);
	if (fd < 0 || fstat(fd, &st) < 0 || (golden && golden_case_fails(golden, 0)) ||
		model_open_fd(fd, &(struct model_limits){0}, &model, NULL) < 0) {
		return 0;
	}
	const struct graph *graph = model_graph(model);
	uint64_t bytes = (uint64_t)st.st_size;
	size_t further = has_strings(graph) ? FLIP_OPS : 0;
	for (uint32_t s = 0; s < graph->n_subgraphs; s++) {
		for (uint32_t i = 0; i < graph->subgraphs[s].n_nodes; i++) {
			unsigned int op = graph->subgraphs[s].nodes[i].op;
			if (op < FLIP_OPS) {
				used[op + further] = true;
			}
		}
	}
	uint64_t input_bytes = 0;
	for (size_t i = 0; golden && i < golden->n_entries; i++) {
		const struct golden_entry *e = &golden->entries[i];
		input_bytes += e->kind == GOLDEN_IN && e->step == 0 ? e->bytes : 0;
	}
	return bytes + input_bytes + (input_bytes < FEW_BYTES ? SMALL_COST : 0);
}
