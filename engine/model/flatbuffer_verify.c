/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/flatbuffer_verify.h"

#include <errno.h>
#include <stdio.h>

#include "engine/model/view.h"
#include "engine/operators.h"

#define MAX_DEPTH 64 /* as the FlatBuffers verifier */
#define MAX_VISITS 1000000 /* as the FlatBuffers verifier's max_tables */

struct walk {
	const struct flat *f;
	uint32_t visits_left;
	uint32_t depth;
	uint32_t root; /* table */
	struct error *err;
};

/* Where the walk is, for error texts: fields from the root down. */
struct place {
	const struct place *above;
	const char *field;
	int64_t index; /* -1 where the field is not a vector */
	const char *note; /* NULL, or what the field is of: an operator's name */
};

static void place_format(const struct place *place, char *out, size_t size)
{
	const struct place *path[MAX_DEPTH];
	size_t n = 0, used = 0;
	for (; place && n < MAX_DEPTH; place = place->above) {
		path[n++] = place;
	}
	out[0] = 0;
	while (n > 0 && used < size) {
		const struct place *at = path[--n];
		int k = snprintf(out + used, size - used, "%s%s", used ? "." : "", at->field);
		used += k > 0 ? (size_t)k : 0;
		if (at->index >= 0 && used < size) {
			k = snprintf(out + used, size - used, "[%lld]", (long long)at->index);
			used += k > 0 ? (size_t)k : 0;
		}
		if (at->note && used < size) {
			k = snprintf(out + used, size - used, " (%s)", at->note);
			used += k > 0 ? (size_t)k : 0;
		}
	}
}

static int refuse(const struct walk *w, const struct place *place, const char *why)
{
	char where[160];
	place_format(place, where, sizeof(where));
	return error_set(w->err, -EBADMSG, "%s: %s", where[0] ? where : "root table", why);
}

/* A table or string more; more than the file can hold without sharing them is an attack on time. */
static int visit(struct walk *w, const struct place *place)
{
	if (w->visits_left == 0) {
		return refuse(w, place, "more tables and strings than a file of this size holds");
	}
	w->visits_left--;
	return 0;
}

static int walk_table(
	struct walk *w, enum schema_type type, uint32_t table, const struct place *place);

static int walk_string(struct walk *w, uint32_t at, const struct place *place)
{
	int r = visit(w, place);
	if (r < 0) {
		return r;
	}
	const char *why = flat_check_string(w->f, at);
	return why ? refuse(w, place, why) : 0;
}

/* A vector of offsets to tables of @type, or to strings when that is SCHEMA_NONE. */
static int walk_offsets(
	struct walk *w, uint32_t vector, enum schema_type type, const struct place *place)
{
	const char *why = flat_check_vector(w->f, vector, 4);
	if (why) {
		return refuse(w, place, why);
	}
	uint32_t count = bytes_get_u32(w->f->data + vector);
	for (uint32_t i = 0; i < count; i++) {
		struct place element = {place->above, place->field, i, NULL};
		uint32_t target = 0;
		why = flat_check_offset(w->f, vector + 4 + 4 * i, &target);
		if (why) {
			return refuse(w, &element, why);
		}
		int r = type == SCHEMA_NONE ? walk_string(w, target, &element)
					    : walk_table(w, type, target, &element);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int walk_number(
	struct walk *w, const struct schema_field *field, uint32_t at, const struct place *place)
{
	const char *why = flat_check_bytes(w->f, at, field->width, field->width);
	if (why) {
		return refuse(w, place, why);
	}
	if (field->kind == SCHEMA_ENUM) {
		uint32_t value =
			field->width == 1 ? w->f->data[at] : bytes_get_u32(w->f->data + at);
		if (value > field->limit) {
			char text[48];
			snprintf(text, sizeof(text), "%u is not in 0..%u", value, field->limit);
			return refuse(w, place, text);
		}
	}
	return 0;
}

/* The name of the operator whose table is @operator. The codes have been walked before: they stand
 * in an earlier slot of the root table. */
static const char *operator_of(const struct walk *w, uint32_t operator)
{
	struct flat_vector codes = flat_get_vector(w->f, w->root, SLOT(MODEL, operator_codes));
	uint32_t index = flat_get_u32(w->f, operator, SLOT(OPERATOR, opcode_index), 0);
	return index < codes.count ? operators_name((unsigned int)view_builtin_code(
					     w->f, flat_vector_table(w->f, &codes, index)))
				   : NULL;
}

/* The schema type of the union value in @slot, SCHEMA_NONE where nothing is to be followed. */
static enum schema_type union_type(
	const struct walk *w, const struct schema_field *field, uint32_t table, uint32_t slot)
{
	uint8_t number = flat_get_u8(w->f, table, slot - 1, 0);
	const struct schema_union_table *types = &schema_unions[field->type];
	return number < types->n_types ? types->types[number] : SCHEMA_NONE;
}

static bool is_operator(const struct schema_field *union_field)
{
	return union_field->type == SCHEMA_UNION_BUILTIN_OPTIONS ||
		union_field->type == SCHEMA_UNION_BUILTIN_OPTIONS_2;
}

static int walk_offset(struct walk *w, const struct schema_field *field, uint32_t table,
	uint32_t slot, uint32_t at, const struct place *place)
{
	uint32_t target = 0;
	const char *why = flat_check_offset(w->f, at, &target);
	if (why) {
		return refuse(w, place, why);
	}
	enum schema_type type = field->type;
	switch (field->kind) {
	case SCHEMA_STRING:
		return walk_string(w, target, place);
	case SCHEMA_VECTOR:
		why = flat_check_vector(w->f, target, field->width);
		return why ? refuse(w, place, why) : 0;
	case SCHEMA_TABLES:
	case SCHEMA_STRINGS:
		return walk_offsets(w, target, type, place);
	case SCHEMA_UNION:
		type = union_type(w, field, table, slot);
		return type == SCHEMA_NONE
			? 0
			: walk_table(w, type, target,
				  &(struct place){place->above, place->field, place->index,
					  is_operator(field) ? operator_of(w, table) : NULL});
	default:
		return walk_table(w, type, target, place);
	}
}

static int walk_field(struct walk *w, const struct schema_table *schema, uint32_t table,
	uint32_t slot, const struct place *above)
{
	const struct schema_field *field = &schema->fields[slot];
	struct place place = {above, field->name, -1, NULL};
	uint32_t at = flat_field(w->f, table, slot);
	if (at == 0 || field->kind == SCHEMA_SKIP) {
		return 0;
	}
	if (field->kind == SCHEMA_SCALAR || field->kind == SCHEMA_ENUM ||
		field->kind == SCHEMA_UNION_TYPE) {
		return walk_number(w, field, at, &place);
	}
	return walk_offset(w, field, table, slot, at, &place);
}

static int walk_table(
	struct walk *w, enum schema_type type, uint32_t table, const struct place *place)
{
	int r = visit(w, place);
	if (r < 0) {
		return r;
	}
	const char *why = flat_check_table(w->f, table);
	if (why) {
		return refuse(w, place, why);
	}
	if (w->depth == MAX_DEPTH) {
		return refuse(w, place, "nested too deeply");
	}
	w->depth++;
	const struct schema_table *schema = &schema_tables[type];
	for (uint32_t slot = 0; r == 0 && slot < schema->n_fields; slot++) {
		r = walk_field(w, schema, table, slot, place);
	}
	w->depth--;
	return r;
}

int flatbuffer_verify(const struct flat *f, const char identifier[4], enum schema_type root,
	uint32_t *ret_root, struct error *err)
{
	uint32_t table = 0;
	if (f->size < 8 || memcmp(f->data + 4, identifier, 4) != 0) {
		return error_set(err, -EBADMSG, "file identifier: not %.4s", identifier);
	}
	uint32_t visits = f->size / 8 + 64;
	struct walk w = {
		.f = f, .visits_left = visits < MAX_VISITS ? visits : MAX_VISITS, .err = err};
	const char *why = flat_check_offset(f, 0, &table);
	if (why) {
		return error_set(err, -EBADMSG, "root offset: %s", why);
	}
	w.root = table;
	int r = walk_table(&w, root, table, NULL);
	if (r == 0) {
		*ret_root = table;
	}
	return r;
}
