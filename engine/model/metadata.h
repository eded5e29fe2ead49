/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metadata - what TFLite metadata says of a model: names, normalisation, labels
 *
 * It stands in the buffer that the model calls TFLITE_METADATA, a FlatBuffer of its own
 * (metadata_schema.fbs, identifier M001), and in the ZIP archive behind the model. It only helps
 * clients, and LiteRT runs a model whatever its metadata are: so broken metadata are no metadata,
 * and never refuse a model.
 */
#ifndef ENGINE_MODEL_METADATA_H
#define ENGINE_MODEL_METADATA_H

#include "engine/model/flatbuffer.h"
#include "engine/model/model_metadata.h"

/*
 * Reads the metadata of the verified Model @root, whose file is @f and whose graph is @graph.
 * *ret_metadata is one allocation, for free(); all empty when there are none or they are broken.
 * -ENOMEM only.
 */
int must_check metadata_build(const struct flat *f, uint32_t root, const struct graph *graph,
	struct model_metadata **ret_metadata, struct error *err);

#endif
