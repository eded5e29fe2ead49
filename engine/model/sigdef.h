/* SPDX-License-Identifier: Apache-2.0 */
/* sigdef - named entry points of a model: signatures and the names they give to tensors */
#ifndef ENGINE_MODEL_SIGDEF_H
#define ENGINE_MODEL_SIGDEF_H

#include "base/error.h"
#include "engine/graph.h"
#include "engine/model/flatbuffer.h"

/* How many struct signature_tensor the SignatureDef @signature needs. */
uint32_t sigdef_count(const struct flat *f, uint32_t signature);

/*
 * Fills @ret_signature from the verified SignatureDef @signature, with sigdef_count() elements at
 * @tensors; sorted by name, bytes compared as unsigned, as LiteRT lists them. -EBADMSG where a name
 * is there twice.
 */
int must_check sigdef_build(const struct flat *f, uint32_t signature,
	struct signature_tensor *tensors, struct signature *ret_signature, struct error *err);

#endif
