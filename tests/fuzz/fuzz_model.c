/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a model file: refused with a place and a reason, or a graph that can be walked. */
#include <assert.h>
#include <string.h>

#include "engine/model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte that the graph says is there, so that the sanitizers see it. */
static uint32_t touch(const struct graph *graph)
{
	uint32_t sum = 0;
	for (uint32_t s = 0; s < graph->n_subgraphs; s++) {
		const struct subgraph *g = &graph->subgraphs[s];
		for (uint32_t i = 0; i < g->n_tensors; i++) {
			const struct tensor *t = &g->tensors[i];
			sum += t->data_bytes ? t->data[0] + t->data[t->data_bytes - 1] : 0;
			sum += t->quant.n_scales
				? (uint32_t)quant_zero(&t->quant, t->quant.n_scales - 1)
				: 0;
		}
		for (uint32_t i = 0; i < g->n_nodes; i++) {
			for (uint32_t k = 0; k < g->nodes[i].n_outputs; k++) {
				assert((uint32_t)g->nodes[i].outputs[k] < g->n_tensors);
			}
		}
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {0};
	struct model *model = NULL;
	static volatile uint32_t sink;
	if (model_open_bytes(data, size, NULL, &model, &err) < 0) {
		assert(err.code < 0 && strchr(err.text, ':'));
		return 0;
	}
	sink = touch(model_graph(model));
	(void)sink;
	model_free(model);
	return 0;
}
