/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/flip/flip_change.h"

#include <string.h>

#include "tests/fuzz/contents.h"
#include "tests/fuzz/mutant.h"

#define MAX_SIZES 64

static const char *const names[FLIP_CHANGES] = {
	"ones", "zeros", "most", "least", "random", "near", "same"};

const char *flip_change_name(enum flip_change change)
{
	return names[change];
}

enum flip_change flip_change_find(const char *name)
{
	for (int i = 0; i < FLIP_CHANGES; i++) {
		if (strcmp(name, names[i]) == 0) {
			return (enum flip_change)i;
		}
	}
	return FLIP_CHANGES;
}

static void fill_repeated(uint8_t *data, uint64_t bytes, const uint8_t *element, unsigned int width)
{
	for (uint64_t i = 0; i + width <= bytes; i += width) {
		memcpy(data + i, element, width);
	}
}

/* The greatest number of the type, or the least one: little-endian, so the sign is in the last byte. */
static void fill_extreme(unsigned int type, uint8_t *data, uint64_t bytes, bool most)
{
	static const uint8_t halves[2][2] = {{0xff, 0xfb}, {0xff, 0x7b}};
	static const uint8_t brains[2][2] = {{0x7f, 0xff}, {0x7f, 0x7f}};
	static const uint8_t singles[2][4] = {{0xff, 0xff, 0x7f, 0xff}, {0xff, 0xff, 0x7f, 0x7f}};
	static const uint8_t doubles[2][8] = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xef, 0xff},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xef, 0x7f}};
	unsigned int width = dtype_bits(type) / 8;
	uint8_t integer[16];
	switch (type) {
	case DTYPE_FLOAT16:
		fill_repeated(data, bytes, halves[most], 2);
		return;
	case DTYPE_BFLOAT16:
		fill_repeated(data, bytes, brains[most], 2);
		return;
	case DTYPE_FLOAT32:
	case DTYPE_COMPLEX64:
		fill_repeated(data, bytes, singles[most], 4);
		return;
	case DTYPE_FLOAT64:
	case DTYPE_COMPLEX128:
		fill_repeated(data, bytes, doubles[most], 8);
		return;
	default:
		width = width ? width : 1;
		memset(integer, most ? 0xff : 0, sizeof(integer));
		integer[width - 1] = most ? 0x7f : 0x80;
		fill_repeated(data, bytes, integer, width);
	}
}

static void fill_near(const struct flip_case *c, const struct flip_operand *o, uint64_t *random)
{
	int64_t sizes[MAX_SIZES];
	struct contents contents = {
		.type = o->type, .was = o->benign, .was_bytes = o->shared.bytes, .sizes = sizes};
	for (uint32_t i = 0; i < c->n_operands; i++) {
		const struct shape *shape = &session_get_input(c->session, i)->shape;
		for (uint32_t k = 0; k < shape->rank && contents.n_sizes < MAX_SIZES; k++) {
			sizes[contents.n_sizes++] = shape->dim[k];
		}
	}
	contents_fill(&contents, o->shared.view, o->shared.bytes, random);
}

static void fill_same(const struct flip_operand *o, uint64_t *random)
{
	unsigned int width = dtype_bits(o->type) / 8;
	width = width && width <= o->shared.bytes ? width : 1;
	uint64_t i = (mutant_random(random) >> 8) % (o->shared.bytes / width);
	fill_repeated(o->shared.view, o->shared.bytes, o->benign + i * width, width);
}

void flip_change_make(
	const struct flip_case *c, uint32_t operand, enum flip_change change, uint64_t random)
{
	const struct flip_operand *o = &c->operands[operand];
	random ^= (uint64_t)operand << 4 ^ change;
	random = random ? random : 1;
	switch (change) {
	case FLIP_ONES:
		memset(o->shared.view, 0xff, (size_t)o->shared.bytes);
		return;
	case FLIP_ZEROS:
		memset(o->shared.view, 0, (size_t)o->shared.bytes);
		return;
	case FLIP_MOST:
	case FLIP_LEAST:
		fill_extreme(o->type, o->shared.view, o->shared.bytes, change == FLIP_MOST);
		return;
	case FLIP_RANDOM:
		for (uint64_t i = 0; i < o->shared.bytes; i++) {
			o->shared.view[i] = (uint8_t)(mutant_random(&random) >> 32);
		}
		return;
	case FLIP_SAME:
		fill_same(o, &random);
		return;
	default:
		fill_near(c, o, &random);
	}
}

bool flip_change_is_one(const struct flip_case *c, uint32_t operand)
{
	const struct flip_operand *o = &c->operands[operand];
	return memcmp(o->shared.view, o->benign, (size_t)o->shared.bytes) != 0;
}

void flip_change_restore(const struct flip_case *c, uint32_t operand)
{
	const struct flip_operand *o = &c->operands[operand];
	memcpy(o->shared.view, o->benign, (size_t)o->shared.bytes);
}
