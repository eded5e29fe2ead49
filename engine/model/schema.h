/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema - the numbers of the model file's schema and of its metadata, as const tables
 *
 * One table per table of schema.fbs (version 3d: TensorFlow Lite and LiteRT, file identifier TFL3)
 * and of metadata_schema.fbs (file identifier M001): engine/model/schema_tables.h. The walk
 * (engine/model/flatbuffer_verify.c) judges a file by them; the rest reads fields by SLOT().
 */
#ifndef ENGINE_MODEL_SCHEMA_H
#define ENGINE_MODEL_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "engine/op_options.h"

enum schema_type {
	SCHEMA_NONE, /* a number that the schema does not have: its bytes are never followed */
	SCHEMA_EMPTY, /* a table that has no fields */
#define SCHEMA_TABLE(name, fields) SCHEMA_##name,
#include "engine/model/schema_tables.h"
	SCHEMA_TYPE_COUNT
};

enum schema_union {
	SCHEMA_UNION_QUANTIZATION_DETAILS,
	SCHEMA_UNION_SPARSE_INDEX_VECTOR,
	SCHEMA_UNION_BUILTIN_OPTIONS,
	SCHEMA_UNION_BUILTIN_OPTIONS_2,
	SCHEMA_UNION_CONTENT_PROPERTIES,
	SCHEMA_UNION_PROCESS_UNIT_OPTIONS,
	SCHEMA_UNION_COUNT
};

enum schema_kind {
	SCHEMA_SKIP, /* deprecated: never read */
	SCHEMA_SCALAR, /* of @width bytes */
	SCHEMA_ENUM, /* of @width bytes, 0 to @limit */
	SCHEMA_STRING,
	SCHEMA_VECTOR, /* of scalars of @width bytes */
	SCHEMA_TABLE, /* of type @type */
	SCHEMA_TABLES, /* vector of them */
	SCHEMA_STRINGS, /* vector of strings */
	SCHEMA_UNION_TYPE, /* one byte; the value is in the next slot */
	SCHEMA_UNION, /* table whose type union @type tells from the slot before */
};

struct schema_field {
	const char *name;
	uint8_t kind; /* enum schema_kind */
	uint8_t width;
	uint8_t limit;
	uint8_t type; /* enum schema_type or enum schema_union */
};

struct schema_table {
	const struct schema_field *fields; /* by slot */
	uint8_t n_fields;
};

struct schema_union_table {
	const uint8_t *types; /* enum schema_type by the union's number; 0 is NONE */
	uint8_t n_types;
};

extern const struct schema_table schema_tables[SCHEMA_TYPE_COUNT];
extern const struct schema_union_table schema_unions[SCHEMA_UNION_COUNT];

enum {
	QUANTIZATION_DETAILS_BLOCKWISE = 2,
	SPARSE_INDEX_INT32 = 1,
	SPARSE_INDEX_UINT16 = 2,
	SPARSE_INDEX_UINT8 = 3,
	PROCESS_UNIT_NORMALIZATION = 1,
	PROCESS_UNIT_SCORE_THRESHOLDING = 3,
	CONTENT_IMAGE = 2,
	CONTENT_LAST = 4,
	ASSOCIATED_FILE_AXIS_LABELS = 2,
	ASSOCIATED_FILE_VALUE_LABELS = 3,
};

/* One byte for each slot, so that a field's offset is its slot. */
#define SCHEMA_TABLE(name, fields)                                                                 \
	struct schema_slots_##name {                                                               \
		fields                                                                             \
	};
#define NUMBER(name, bytes) char name;
#define ENUM(name, last) char name;
#define ENUM32(name, last) char name;
#define STRING(name) char name;
#define STRINGS(name) char name;
#define VECTOR(name, bytes) char name;
#define TABLE(name, type) char name;
#define TABLES(name, type) char name;
#define UNION(name, type)                                                                          \
	char name##_type;                                                                          \
	char name;
#define SKIP(name) char name;
#include "engine/model/schema_tables.h"

/* SLOT(CONV_2D_OPTIONS, padding) is 0. */
#define SLOT(table, field) ((uint32_t)offsetof(struct schema_slots_##table, field))

#endif
