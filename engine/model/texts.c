/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"

#define MOST_BYTES (128u << 10) /* a hostile file may name one long text many times */
#define ALIGNMENT 8

/* Walked twice: once to count, once with a block to copy to. */
struct copier {
	uint8_t *block; /* NULL while counting */
	size_t used;
};

/* Where the copy of the @bytes at @data will be used instead. */
static const void *copy(struct copier *copier, const void *data, uint64_t bytes)
{
	const size_t at = copier->used;
	if (!data || bytes > MOST_BYTES - at) {
		return data;
	}
	copier->used = (size_t)bytes_align_up(at + bytes, ALIGNMENT);
	if (!copier->block) {
		return data;
	}
	memcpy(copier->block + at, data, (size_t)bytes);
	return copier->block + at;
}

static void copy_text(struct copier *copier, struct text *text)
{
	text->data = copy(copier, text->data, text->length);
}

/* Of a weight's many scales nobody is told. */
static void copy_tensor(struct copier *copier, struct tensor *tensor)
{
	struct quant *quant = &tensor->quant;
	copy_text(copier, &tensor->name);
	if (quant->n_scales == 1) {
		quant->scale = copy(copier, quant->scale, sizeof(*quant->scale));
	}
	if (quant->n_scales == 1 && quant->n_zero_points == 1) {
		quant->zero_point = copy(copier, quant->zero_point, sizeof(int64_t));
	}
}

static void copy_signature_tensors(
	struct copier *copier, struct signature_tensor *tensors, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		copy_text(copier, &tensors[i].name);
	}
}

static void copy_subgraph(struct copier *copier, struct subgraph *subgraph)
{
	for (uint32_t i = 0; i < subgraph->n_inputs; i++) {
		copy_tensor(copier, &subgraph->tensors[subgraph->inputs[i]]);
	}
	for (uint32_t i = 0; i < subgraph->n_outputs; i++) {
		copy_tensor(copier, &subgraph->tensors[subgraph->outputs[i]]);
	}
}

/* The main subgraph, and those of signatures: callers see no others. */
static void copy_graph(struct copier *copier, struct graph *graph)
{
	copy_text(copier, &graph->description);
	copy_subgraph(copier, &graph->subgraphs[0]);
	for (uint32_t i = 0; i < graph->n_signatures; i++) {
		struct signature *signature = &graph->signatures[i];
		copy_text(copier, &signature->key);
		copy_signature_tensors(copier, signature->inputs, signature->n_inputs);
		copy_signature_tensors(copier, signature->outputs, signature->n_outputs);
		if (signature->subgraph > 0) {
			copy_subgraph(copier, &graph->subgraphs[signature->subgraph]);
		}
	}
}

static void copy_described(struct copier *copier, struct model_tensor_metadata *tensors, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct model_tensor_metadata *tensor = &tensors[i];
		copy_text(copier, &tensor->name);
		copy_text(copier, &tensor->description);
		copy_text(copier, &tensor->labels);
		tensor->mean = copy(copier, tensor->mean, tensor->n_mean * sizeof(float));
		tensor->std = copy(copier, tensor->std, tensor->n_std * sizeof(float));
	}
}

static void copy_all(struct copier *copier, struct graph *graph, struct model_metadata *metadata)
{
	copy_graph(copier, graph);
	copy_text(copier, &metadata->name);
	copy_text(copier, &metadata->description);
	copy_text(copier, &metadata->version);
	copy_text(copier, &metadata->author);
	copy_described(copier, metadata->inputs, metadata->n_inputs);
	copy_described(copier, metadata->outputs, metadata->n_outputs);
}

int texts_copy(
	struct graph *graph, struct model_metadata *metadata, void **ret_texts, struct error *err)
{
	struct copier copier = {0};
	copy_all(&copier, graph, metadata);
	copier.block = malloc(copier.used + 1);
	if (!copier.block) {
		return error_no_memory(err);
	}
	copier.used = 0;
	copy_all(&copier, graph, metadata);
	*ret_texts = copier.block;
	return 0;
}
