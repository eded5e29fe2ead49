/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/metadata.h"

#include <errno.h>
#include <math.h>

#include "engine/model/flatbuffer_verify.h"
#include "engine/model/schema.h"
#include "engine/model/view.h"
#include "engine/model/zip.h"

#define MAX_TENSORS 4096 /* models with more inputs or outputs go without metadata */
#define MAX_LOOKUPS 256 /* associated files looked for in the archive, over all tensors */

struct reader {
	struct flat flat; /* the metadata buffer */
	uint32_t root; /* 0: no metadata */
	struct zip zip;
	uint32_t lookups_left;
};

static bool text_is(struct text text, const char *word)
{
	return text.length == strlen(word) && memcmp(text.data, word, text.length) == 0;
}

/* The metadata buffer of the model, empty when it has none. */
static struct view_bytes find_buffer(const struct flat *f, uint32_t root)
{
	struct view_bytes bytes = {0};
	struct flat_vector metadata = flat_get_vector(f, root, SLOT(MODEL, metadata));
	struct flat_vector buffers = flat_get_vector(f, root, SLOT(MODEL, buffers));
	for (uint32_t i = 0; i < metadata.count; i++) {
		uint32_t entry = flat_vector_table(f, &metadata, i);
		struct text name = view_text(f, entry, SLOT(METADATA, name));
		if (name.data && text_is(name, "TFLITE_METADATA")) {
			uint32_t buffer = flat_get_u32(f, entry, SLOT(METADATA, buffer), 0);
			(void)view_buffer(f, flat_vector_table(f, &buffers, buffer), &bytes);
			return bytes;
		}
	}
	return bytes;
}

static struct reader open_reader(const struct flat *f, uint32_t root)
{
	struct reader reader = {.lookups_left = MAX_LOOKUPS};
	struct view_bytes bytes = find_buffer(f, root);
	/* The floats in it are used in place. */
	if (!bytes.data || (uintptr_t)bytes.data % 4 != 0) {
		return reader;
	}
	reader.flat = (struct flat){bytes.data, (uint32_t)bytes.size};
	if (flatbuffer_verify(&reader.flat, "M001", SCHEMA_MODEL_METADATA, &reader.root, NULL) <
		0) {
		reader.root = 0;
	} else if (zip_open(f->data, f->size, &reader.zip) < 0) {
		reader.zip.n_entries = 0;
	}
	return reader;
}

static void read_content(
	const struct reader *reader, uint32_t table, struct model_tensor_metadata *ret)
{
	const struct flat *f = &reader->flat;
	uint32_t content = flat_get_table(f, table, SLOT(TENSOR_METADATA, content));
	uint32_t value = flat_get_table(f, content, SLOT(CONTENT, content_properties));
	ret->content = flat_get_u8(f, content, SLOT(CONTENT, content_properties_type), 0);
	ret->has_content = ret->content != 0 && ret->content <= CONTENT_LAST;
	if (ret->content == CONTENT_IMAGE) {
		ret->colour_space = flat_get_u8(f, value, SLOT(IMAGE_PROPERTIES, color_space), 0);
	}
}

static void read_units(
	const struct reader *reader, uint32_t table, struct model_tensor_metadata *ret)
{
	const struct flat *f = &reader->flat;
	struct flat_vector units = flat_get_vector(f, table, SLOT(TENSOR_METADATA, process_units));
	for (uint32_t i = 0; i < units.count; i++) {
		uint32_t unit = flat_vector_table(f, &units, i);
		uint32_t options = flat_get_table(f, unit, SLOT(PROCESS_UNIT, options));
		uint8_t type = flat_get_u8(f, unit, SLOT(PROCESS_UNIT, options_type), 0);
		if (type == PROCESS_UNIT_NORMALIZATION) {
			struct flat_vector mean =
				flat_get_vector(f, options, SLOT(NORMALIZATION_OPTIONS, mean));
			struct flat_vector std =
				flat_get_vector(f, options, SLOT(NORMALIZATION_OPTIONS, std));
			ret->mean = (const float *)(const void *)mean.data;
			ret->std = (const float *)(const void *)std.data;
			ret->n_mean = mean.count;
			ret->n_std = std.count;
		} else if (type == PROCESS_UNIT_SCORE_THRESHOLDING) {
			ret->score_threshold = flat_get_f32(f, options,
				SLOT(SCORE_THRESHOLDING_OPTIONS, global_score_threshold), 0);
		}
	}
}

/* The first label file that the archive has. */
static struct text find_labels(struct reader *reader, uint32_t table)
{
	const struct flat *f = &reader->flat;
	struct flat_vector files =
		flat_get_vector(f, table, SLOT(TENSOR_METADATA, associated_files));
	for (uint32_t i = 0; i < files.count && reader->lookups_left; i++) {
		uint32_t file = flat_vector_table(f, &files, i);
		uint8_t type = flat_get_u8(f, file, SLOT(ASSOCIATED_FILE, type), 0);
		struct text name = view_text(f, file, SLOT(ASSOCIATED_FILE, name));
		if (!name.data ||
			(type != ASSOCIATED_FILE_AXIS_LABELS &&
				type != ASSOCIATED_FILE_VALUE_LABELS)) {
			continue;
		}
		reader->lookups_left--;
		const struct zip_entry *entry = zip_find(&reader->zip, name);
		if (entry && entry->content.data) {
			return entry->content;
		}
	}
	return (struct text){0};
}

/* Tensors that the metadata leave out stay empty; more than there are are ignored. */
static void read_tensors(struct reader *reader, uint32_t subgraph, uint32_t slot, uint32_t n,
	struct model_tensor_metadata *ret_tensors)
{
	const struct flat *f = &reader->flat;
	struct flat_vector tensors = flat_get_vector(f, subgraph, slot);
	for (uint32_t i = 0; i < n; i++) {
		ret_tensors[i].score_threshold = NAN;
		if (i >= tensors.count) {
			continue;
		}
		uint32_t table = flat_vector_table(f, &tensors, i);
		ret_tensors[i].name = view_text(f, table, SLOT(TENSOR_METADATA, name));
		ret_tensors[i].description =
			view_text(f, table, SLOT(TENSOR_METADATA, description));
		ret_tensors[i].labels = find_labels(reader, table);
		read_content(reader, table, &ret_tensors[i]);
		read_units(reader, table, &ret_tensors[i]);
	}
}

static void read_model(struct reader *reader, struct model_metadata *ret_metadata)
{
	const struct flat *f = &reader->flat;
	struct flat_vector subgraphs =
		flat_get_vector(f, reader->root, SLOT(MODEL_METADATA, subgraph_metadata));
	uint32_t subgraph = subgraphs.count ? flat_vector_table(f, &subgraphs, 0) : 0;
	ret_metadata->name = view_text(f, reader->root, SLOT(MODEL_METADATA, name));
	ret_metadata->description = view_text(f, reader->root, SLOT(MODEL_METADATA, description));
	ret_metadata->version = view_text(f, reader->root, SLOT(MODEL_METADATA, version));
	ret_metadata->author = view_text(f, reader->root, SLOT(MODEL_METADATA, author));
	ret_metadata->license = view_text(f, reader->root, SLOT(MODEL_METADATA, license));
	read_tensors(reader, subgraph, SLOT(SUBGRAPH_METADATA, input_tensor_metadata),
		ret_metadata->n_inputs, ret_metadata->inputs);
	read_tensors(reader, subgraph, SLOT(SUBGRAPH_METADATA, output_tensor_metadata),
		ret_metadata->n_outputs, ret_metadata->outputs);
}

int metadata_build(const struct flat *f, uint32_t root, const struct graph *graph,
	struct model_metadata **ret_metadata, struct error *err)
{
	struct reader reader = open_reader(f, root);
	uint32_t n_inputs = graph->subgraphs[0].n_inputs, n_outputs = graph->subgraphs[0].n_outputs;
	if (reader.root == 0 || n_inputs > MAX_TENSORS || n_outputs > MAX_TENSORS) {
		reader.root = 0;
		n_inputs = n_outputs = 0;
	}
	struct model_metadata *metadata = calloc(1,
		sizeof(*metadata) +
			((size_t)n_inputs + n_outputs) * sizeof(struct model_tensor_metadata));
	if (!metadata) {
		return error_no_memory(err);
	}
	metadata->n_inputs = n_inputs;
	metadata->n_outputs = n_outputs;
	metadata->inputs = (struct model_tensor_metadata *)(void *)(metadata + 1);
	metadata->outputs = metadata->inputs + n_inputs;
	if (reader.root) {
		read_model(&reader, metadata);
	}
	*ret_metadata = metadata;
	return 0;
}
