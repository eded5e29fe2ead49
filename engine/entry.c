/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/entry.h"

#include <math.h>

bool entry_find(const struct graph *graph, uint32_t index, struct entry *ret_entry)
{
	if (index > graph->n_signatures) {
		return false;
	}
	const struct signature *signature = index > 0 ? &graph->signatures[index - 1] : NULL;
	uint32_t subgraph = signature ? signature->subgraph : 0;
	*ret_entry = (struct entry){&graph->subgraphs[subgraph], subgraph, signature};
	return true;
}

uint32_t entry_count(const struct entry *entry, enum entry_side side)
{
	if (entry->signature) {
		return side == ENTRY_INPUTS ? entry->signature->n_inputs
					    : entry->signature->n_outputs;
	}
	return side == ENTRY_INPUTS ? entry->subgraph->n_inputs : entry->subgraph->n_outputs;
}

static const struct signature_tensor *named(
	const struct entry *entry, enum entry_side side, uint32_t index)
{
	return side == ENTRY_INPUTS ? &entry->signature->inputs[index]
				    : &entry->signature->outputs[index];
}

int64_t entry_position(const struct entry *entry, enum entry_side side, uint32_t index)
{
	const struct subgraph *subgraph = entry->subgraph;
	const int32_t *list = side == ENTRY_INPUTS ? subgraph->inputs : subgraph->outputs;
	uint32_t n = side == ENTRY_INPUTS ? subgraph->n_inputs : subgraph->n_outputs;
	if (index >= entry_count(entry, side)) {
		return -1;
	}
	if (!entry->signature) {
		return index;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (list[i] == named(entry, side, index)->tensor) {
			return i;
		}
	}
	return -1;
}

bool entry_is_whole(const struct entry *entry)
{
	for (int side = ENTRY_INPUTS; side <= ENTRY_OUTPUTS; side++) {
		for (uint32_t i = 0; i < entry_count(entry, (enum entry_side)side); i++) {
			if (entry_position(entry, (enum entry_side)side, i) < 0) {
				return false;
			}
		}
	}
	return true;
}

/* From a number of the metadata schema's union ContentProperties to enum edge_content. */
static uint8_t content_of(uint8_t number)
{
	static const uint8_t contents[] = {0, EDGE_CONTENT_FEATURE, EDGE_CONTENT_IMAGE,
		EDGE_CONTENT_BOUNDING_BOX, EDGE_CONTENT_AUDIO};
	return number < sizeof(contents) ? contents[number] : 0;
}

static void add_metadata(
	const struct model_tensor_metadata *metadata, struct edge_tensor_info *ret_info)
{
	ret_info->labels = metadata->labels;
	ret_info->n_mean = metadata->n_mean;
	ret_info->n_std = metadata->n_std;
	ret_info->mean = metadata->mean;
	ret_info->std = metadata->std;
	ret_info->has_content = metadata->has_content;
	ret_info->content = content_of(metadata->content);
	ret_info->colour_space = metadata->colour_space;
	ret_info->score_threshold = metadata->score_threshold;
}

void entry_describe(const struct entry *entry, const struct model_metadata *metadata,
	enum entry_side side, uint32_t index, struct edge_tensor_info *ret_info)
{
	const struct subgraph *subgraph = entry->subgraph;
	uint32_t position = (uint32_t)entry_position(entry, side, index);
	int32_t t = side == ENTRY_INPUTS ? subgraph->inputs[position] : subgraph->outputs[position];
	const struct tensor *tensor = &subgraph->tensors[t];
	*ret_info = (struct edge_tensor_info){
		.name = entry->signature ? named(entry, side, index)->name : tensor->name,
		.type = tensor->type,
		.declared = tensor->shape,
		.score_threshold = NAN,
	};
	if (tensor->quant.n_scales == 1) {
		ret_info->scale = tensor->quant.scale[0];
		ret_info->zero_point = (int32_t)quant_zero(&tensor->quant, 0);
	}
	uint32_t n = side == ENTRY_INPUTS ? metadata->n_inputs : metadata->n_outputs;
	if (entry->subgraph_index == 0 && position < n) {
		add_metadata(side == ENTRY_INPUTS ? &metadata->inputs[position]
						  : &metadata->outputs[position],
			ret_info);
	}
}
