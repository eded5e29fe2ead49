/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fields.h"

#include "engine/model/flatbuffer.h"
#include "engine/model/flatbuffer_verify.h"
#include "engine/model/schema.h"

#define ELEMENTS 24 /* of a list */
#define SMALL_BUFFER 64 /* bytes: axes, paddings, sizes, heads of string tables */
#define CUSTOM_BYTES 256 /* of custom options, first and last ones: FlexBuffers begin at the end */

struct finder {
	struct flat flat;
	struct mutant_site *site;
	uint32_t n;
};

static void add(struct finder *f, uint64_t at, uint32_t width)
{
	if (f->n < MUTANT_MAX_SITES && at + width <= f->flat.size) {
		f->site[f->n++] = (struct mutant_site){(uint32_t)at, (uint8_t)width};
	}
}

static void find_vector(struct finder *f, uint32_t at, uint32_t width)
{
	uint32_t count = bytes_get_u32(f->flat.data + at);
	uint32_t step = width == 1 ? 4 : width;
	/* Of weights one element is enough. */
	uint32_t elements = width == 1 && count > SMALL_BUFFER ? 4 : ELEMENTS;
	add(f, at, 4);
	for (uint32_t i = 0; i < elements && (uint64_t)i * step < (uint64_t)count * width; i++) {
		add(f, (uint64_t)at + 4 + (uint64_t)i * step, step);
	}
}

/* Types, widths and offsets of FlexBuffers are single bytes. */
static void find_custom(struct finder *f, uint32_t at)
{
	uint32_t count = bytes_get_u32(f->flat.data + at);
	add(f, at, 4);
	for (uint32_t i = 0; i < count && i < CUSTOM_BYTES; i++) {
		add(f, (uint64_t)at + 4 + i, 1);
	}
	for (uint32_t i = 0; i + CUSTOM_BYTES < count && i < CUSTOM_BYTES; i++) {
		add(f, (uint64_t)at + 3 + count - i, 1);
	}
}

static void find_table(struct finder *f, enum schema_type type, uint32_t table);

static void find_tables(struct finder *f, enum schema_type type, uint32_t at)
{
	struct flat_vector v = {f->flat.data + at + 4, bytes_get_u32(f->flat.data + at)};
	for (uint32_t i = 0; i < v.count; i++) {
		find_table(f, type, flat_vector_table(&f->flat, &v, i));
	}
}

static void find_union(
	struct finder *f, const struct schema_field *field, uint8_t number, uint32_t table)
{
	const struct schema_union_table *types = &schema_unions[field->type];
	if (number < types->n_types && types->types[number] != SCHEMA_NONE) {
		find_table(f, types->types[number], table);
	}
}

static void find_field(struct finder *f, enum schema_type type, uint32_t table, uint32_t slot)
{
	const struct schema_field *field = &schema_tables[type].fields[slot];
	uint32_t at = flat_field(&f->flat, table, slot);
	if (at == 0) {
		return;
	}
	uint8_t number = slot ? flat_get_u8(&f->flat, table, slot - 1, 0) : 0;
	switch (field->kind) {
	case SCHEMA_SCALAR:
	case SCHEMA_ENUM:
	case SCHEMA_UNION_TYPE:
		add(f, at, field->width);
		break;
	case SCHEMA_VECTOR:
		if (type == SCHEMA_OPERATOR && slot == SLOT(OPERATOR, custom_options)) {
			find_custom(f, flat_get_table(&f->flat, table, slot));
		} else {
			find_vector(f, flat_get_table(&f->flat, table, slot), field->width);
		}
		break;
	case SCHEMA_TABLES:
		find_tables(f, field->type, flat_get_table(&f->flat, table, slot));
		break;
	case SCHEMA_TABLE:
		find_table(f, field->type, flat_get_table(&f->flat, table, slot));
		break;
	case SCHEMA_UNION:
		find_union(f, field, number, flat_get_table(&f->flat, table, slot));
		break;
	default:
		break;
	}
}

static void find_table(struct finder *f, enum schema_type type, uint32_t table)
{
	for (uint32_t slot = 0; slot < schema_tables[type].n_fields; slot++) {
		find_field(f, type, table, slot);
	}
}

uint32_t fields_find(const uint8_t *file, size_t size, struct mutant_site *ret_sites)
{
	struct finder f = {.flat = {file, (uint32_t)size}, .site = ret_sites};
	uint32_t root = 0;
	if (flatbuffer_verify(&f.flat, "TFL3", SCHEMA_MODEL, &root, NULL) == 0) {
		find_table(&f, SCHEMA_MODEL, root);
	}
	return f.n;
}
