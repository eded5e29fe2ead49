/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts - copies of what callers are told about a model
 *
 * Names, labels and scales of inputs and outputs lie all over the file. Each of them, read once, brings a
 * piece of the mapping into memory that runs never look at. Copied, they take a few KiB together.
 */
#ifndef ENGINE_MODEL_TEXTS_H
#define ENGINE_MODEL_TEXTS_H

#include "base/error.h"
#include "engine/model/model_metadata.h"

/*
 * Copies what @graph and @metadata say of signatures, inputs, outputs and the model as a whole, and
 * points them to the copies. *ret_texts: the one allocation that holds those, for free() when graph and
 * metadata have gone. What has no room in 128 KiB stays in the file. -ENOMEM only.
 */
int must_check texts_copy(
	struct graph *graph, struct model_metadata *metadata, void **ret_texts, struct error *err);

#endif
