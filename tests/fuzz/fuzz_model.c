/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a model file: refused with a place and a reason, or a graph whose every byte can be
 * read, and a plan that runs on zeros within its budgets.
 */
#include <assert.h>
#include <string.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "engine/edge.h"
#include "engine/model/model.h"

#define RUN_LIMIT_NS 100000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads the ends of all that the graph says is there, so that the sanitizers see it. */
static uint32_t touch(const struct subgraph *g)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < g->n_tensors; i++) {
		const struct tensor *t = &g->tensors[i];
		sum += t->data_bytes ? t->data[0] + t->data[t->data_bytes - 1] : 0;
		if (t->quant.n_scales) {
			sum += (uint32_t)quant_zero(&t->quant, t->quant.n_scales - 1);
		}
	}
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		for (uint32_t k = 0; k < g->nodes[i].n_outputs; k++) {
			assert((uint32_t)g->nodes[i].outputs[k] < g->n_tensors);
		}
	}
	return sum;
}

static void read_graph(const uint8_t *data, size_t size)
{
	struct error err = {0};
	struct model *model = NULL;
	if (model_open_bytes(data, size, NULL, &model, &err) < 0) {
		assert(err.code < 0 && strchr(err.text, ':'));
		return;
	}
	const struct graph *graph = model_graph(model);
	for (uint32_t i = 0; i < graph->n_subgraphs; i++) {
		volatile uint32_t read = touch(&graph->subgraphs[i]);
		(void)read;
	}
	model_free(model);
}

static void run(const uint8_t *data, size_t size)
{
	owned(edge_model_unref) struct edge_model *model = NULL;
	owned(edge_session_free) struct edge_session *session = NULL;
	const struct edge_options options = {
		.backends = backends_builtin(),
		.cpu_features = ~0ull,
		.limits = {.arena_bytes = 16u << 20, .prepared_bytes = 16u << 20, .macs = 10000000},
	};
	const struct run_control control = {.deadline_ns = clock_now_ns() + RUN_LIMIT_NS};
	if (edge_model_open_bytes(data, size, &options, &model, NULL) == 0 &&
		edge_session_new(model, 0, &session, NULL) == 0) {
		(void)!edge_session_run(session, &control, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_graph(data, size);
	run(data, size);
	return 0;
}
