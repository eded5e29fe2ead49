/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operators - the numbers of TensorFlow Lite's builtin operators (enum BuiltinOperator of
 * schema.fbs, version 3), and numbers of our own for the custom operators that edged knows
 */
#ifndef ENGINE_OPERATORS_H
#define ENGINE_OPERATORS_H

#include <stdbool.h>
#include <stddef.h>

enum op {
#define OPERATOR(name, number, options) OP_##name = (number),
#define CUSTOM_OPERATOR(name, text)
#include "engine/operators_list.h"
	OP_COUNT,

	/* Custom operators, known by name. */
	OP_CUSTOM_FIRST = 1024,
	OP_CUSTOM_BEFORE_FIRST = OP_CUSTOM_FIRST - 1,
#define OPERATOR(name, number, options)
#define CUSTOM_OPERATOR(name, text) OP_##name,
#include "engine/operators_list.h"
	OP_CUSTOM_END
};

/* "CONV_2D", a custom operator's own name, or "UNKNOWN" for a number that is neither. */
const char *operators_name(unsigned int op);

/* True when LiteRT's reference resolver (BUILTIN_REF of ai-edge-litert 2.3.0) runs the builtin
 * operator in that version; false for what its default resolver alone has, and for those that
 * neither has. */
bool operators_in_reference(unsigned int op, unsigned int version);

/* The number of the custom operator of that name; OP_CUSTOM when edged does not know it. */
unsigned int operators_find_custom(const char *name, size_t length);

/* What a custom operator of that name needs, where it is known that edged will never run it: "compiled
 * for an Edge TPU; needs the edgetpu delegate". NULL for any other name. */
const char *operators_custom_need(const char *name, size_t length);

#endif
