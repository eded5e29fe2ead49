/* SPDX-License-Identifier: Apache-2.0 */
/* flatbuffer_verify - follows every offset that a schema knows, once, and proves that it stays in the file */
#ifndef ENGINE_MODEL_FLATBUFFER_VERIFY_H
#define ENGINE_MODEL_FLATBUFFER_VERIFY_H

#include "base/error.h"
#include "engine/model/flatbuffer.h"
#include "engine/model/schema.h"

/*
 * Judges the FlatBuffer @f with its 4-byte file @identifier and a root table of type @root: what
 * the FlatBuffers verifier refuses is refused, and enumerations out of the schema's range besides.
 * Unions of a type that the schema does not have are not followed. The number of tables and strings
 * visited is at most size / 8 + 64 and a million, the depth 64, so the time is linear in the size
 * even where tables are shared. -EBADMSG with the place, as in "subgraphs[0].tensors[3].name: ...".
 * *ret_root is the root table.
 */
int must_check flatbuffer_verify(const struct flat *f, const char identifier[4],
	enum schema_type root, uint32_t *ret_root, struct error *err);

#endif
