/* SPDX-License-Identifier: Apache-2.0 */
/* options - an operator's options table, from the file's bytes to struct op_options */
#ifndef ENGINE_MODEL_OPTIONS_H
#define ENGINE_MODEL_OPTIONS_H

#include "base/error.h"
#include "engine/model/flatbuffer.h"
#include "engine/op_options.h"

/*
 * The options of @operator (an Operator table of a walked file) are of the kind that builtin
 * operator @op has, or left out, and lists in them fit struct op_options. @op is below OP_COUNT.
 */
int must_check options_verify(
	const struct flat *f, uint32_t operator, unsigned int op, struct error *err);

/* How many elements and characters lists and texts of @operator's options have, all together: what
 * rules may have to look at. */
uint64_t options_length(const struct flat *f, uint32_t operator);

/*
 * Decodes what options_verify() approved. A field that the file leaves out has the schema's
 * default; where the whole table is left out, or is of a kind that edged does not decode, the union
 * is zero.
 */
void options_decode(const struct flat *f, uint32_t operator, struct op_options * ret_options);

#endif
