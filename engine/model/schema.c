/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/schema.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TYPES(...)                                                                                 \
	{                                                                                          \
		(const uint8_t[]){SCHEMA_NONE, __VA_ARGS__},                                       \
			COUNT(((const uint8_t[]){SCHEMA_NONE, __VA_ARGS__}))                       \
	}

#define FIELD(name, kind, width, limit, type) {#name, SCHEMA_##kind, width, limit, type},
#define NUMBER(name, bytes) FIELD(name, SCALAR, bytes, 0, 0)
#define ENUM(name, last) FIELD(name, ENUM, 1, last, 0)
#define ENUM32(name, last) FIELD(name, ENUM, 4, last, 0)
#define STRING(name) FIELD(name, STRING, 0, 0, 0)
#define STRINGS(name) FIELD(name, STRINGS, 4, 0, 0)
#define VECTOR(name, bytes) FIELD(name, VECTOR, bytes, 0, 0)
#define TABLE(name, type) FIELD(name, TABLE, 0, 0, SCHEMA_##type)
#define TABLES(name, type) FIELD(name, TABLES, 4, 0, SCHEMA_##type)
#define UNION(name, type)                                                                          \
	FIELD(name##_type, UNION_TYPE, 1, 0, SCHEMA_UNION_##type)                                  \
	FIELD(name, UNION, 0, 0, SCHEMA_UNION_##type)
#define SKIP(name) FIELD(name, SKIP, 0, 0, 0)
#define SCHEMA_TABLE(name, fields)                                                                 \
	[SCHEMA_##name] = {                                                                        \
		(const struct schema_field[]){fields}, sizeof(struct schema_slots_##name)},

const struct schema_table schema_tables[SCHEMA_TYPE_COUNT] = {
#include "engine/model/schema_tables.h"
};

static const uint8_t builtin_options[] = {
#define OPTIONS(name, number, fields) [number] = SCHEMA_##fields,
#define OPTIONS_2(name, number, fields)
#include "engine/options_list.h"
};

static const uint8_t builtin_options_2[] = {
#define OPTIONS(name, number, fields)
#define OPTIONS_2(name, number, fields) [number] = SCHEMA_##fields,
#include "engine/options_list.h"
};

const struct schema_union_table schema_unions[SCHEMA_UNION_COUNT] = {
	[SCHEMA_UNION_QUANTIZATION_DETAILS] = TYPES(SCHEMA_CUSTOM_QUANTIZATION,
		SCHEMA_BLOCKWISE_QUANTIZATION, SCHEMA_MULTI_AXIS_QUANTIZATION),
	[SCHEMA_UNION_SPARSE_INDEX_VECTOR] =
		TYPES(SCHEMA_INT32_VECTOR, SCHEMA_UINT16_VECTOR, SCHEMA_UINT8_VECTOR),
	[SCHEMA_UNION_BUILTIN_OPTIONS] = {builtin_options, COUNT(builtin_options)},
	[SCHEMA_UNION_BUILTIN_OPTIONS_2] = {builtin_options_2, COUNT(builtin_options_2)},
	[SCHEMA_UNION_CONTENT_PROPERTIES] = TYPES(SCHEMA_EMPTY, SCHEMA_IMAGE_PROPERTIES,
		SCHEMA_BOUNDING_BOX_PROPERTIES, SCHEMA_AUDIO_PROPERTIES),
	[SCHEMA_UNION_PROCESS_UNIT_OPTIONS] =
		TYPES(SCHEMA_NORMALIZATION_OPTIONS, SCHEMA_SCORE_CALIBRATION_OPTIONS,
			SCHEMA_SCORE_THRESHOLDING_OPTIONS, SCHEMA_BERT_TOKENIZER_OPTIONS,
			SCHEMA_SENTENCE_PIECE_TOKENIZER_OPTIONS, SCHEMA_REGEX_TOKENIZER_OPTIONS),
};
