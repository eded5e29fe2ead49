/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_custom - options of the custom operators that edged knows, from bytes to struct op_options
 *
 * Most have a FlexBuffers map, whose keys are the fields; those of MediaPipe have TFLite's C
 * structures as they lie in memory: int32 little endian, one behind the other. A key or a word that
 * is left out leaves 0, as the reference's readers do. Ranges are the rules' business.
 */
#ifndef ENGINE_MODEL_OPTIONS_CUSTOM_H
#define ENGINE_MODEL_OPTIONS_CUSTOM_H

#include "base/error.h"
#include "engine/op_options.h"

/*
 * Decodes the @size bytes of options of custom operator @op (of engine/operators.h). No bytes, or an
 * operator without options: ret_options->table is OPTIONS_NONE and the rest is zero; else the table
 * is @op. -EBADMSG for bytes that are no options, and for numbers beyond int32, with the key.
 */
int must_check options_custom_decode(unsigned int op, const void *data, size_t size,
	struct op_options *ret_options, struct error *err);

#endif
