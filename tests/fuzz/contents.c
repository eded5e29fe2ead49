/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/contents.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/strings.h"
#include "tests/fuzz/mutant.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_TEXT_BYTES (1u << 20) /* of one table */

static int64_t draw_integer(const struct contents *c, int64_t near, uint64_t *random)
{
	static const int64_t extremes[] = {INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX, 1 << 24,
		-(1 << 24), 65536, 32767, -32768, 255};
	uint64_t r = mutant_random(random);
	int64_t step = (int64_t)(r >> 8 & 3) - 1;
	int64_t size = c->n_sizes ? c->sizes[(r >> 40) % c->n_sizes] : 1;
	switch (r & 15) {
	case 0:
		return (int64_t)((uint64_t)near + (uint64_t)step);
	case 1:
		return step;
	case 2:
		return size + step;
	case 3:
		return -size + step;
	case 4:
		return (int64_t)(r >> 16 & 7) - 3;
	case 5:
		return extremes[(r >> 16) % COUNT(extremes)];
	case 6:
	case 7:
	case 8:
		return size > 0 ? (int64_t)(r >> 16 & 0xffffff) % size : 0;
	default:
		return near;
	}
}

static double draw_real(double near, uint64_t *random)
{
	static const double extremes[] = {0, -0.0, 1, -1, 0.5, 1e-45, -1e-45, 1e-38, 1e38, -3.4e38,
		3e9, -3e9, 1e19, 65504, 2147483647.5, INFINITY, -INFINITY, NAN};
	uint64_t r = mutant_random(random);
	switch (r & 3) {
	case 0:
		return extremes[(r >> 16) % COUNT(extremes)];
	case 1:
		return (double)(int64_t)(r >> 20 & 0xffff) / 4096 - 8;
	default:
		return near;
	}
}

/* Sign and exponent of a float32 or float64, cut down to a float16's; the rest is of no matter. */
static uint16_t half_of(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	int32_t exponent = (int32_t)(bits >> 23 & 0xff) - 127 + 15;
	exponent = exponent < 0 ? 0 : exponent > 31 ? 31 : exponent;
	return (uint16_t)(bits >> 16 & 0x8000) | (uint16_t)(exponent << 10) |
		(uint16_t)(bits >> 13 & 0x3ff);
}

static int64_t read_integer(const uint8_t *data, unsigned int bytes)
{
	int64_t v = 0;
	memcpy(&v, data, bytes);
	unsigned int shift = 64 - 8 * bytes;
	return (int64_t)((uint64_t)v << shift) >> shift;
}

static double read_real(unsigned int type, const uint8_t *data)
{
	float single = 0;
	double value = 0;
	if (type == DTYPE_FLOAT64 || type == DTYPE_COMPLEX128) {
		memcpy(&value, data, sizeof(value));
		return value;
	}
	if (type == DTYPE_FLOAT32 || type == DTYPE_COMPLEX64) {
		memcpy(&single, data, sizeof(single));
	}
	return single;
}

static void write_real(unsigned int type, uint8_t *data, double value)
{
	float single = (float)value;
	uint16_t half = half_of(single);
	uint32_t bits;
	switch (type) {
	case DTYPE_FLOAT64:
	case DTYPE_COMPLEX128:
		memcpy(data, &value, sizeof(value));
		return;
	case DTYPE_FLOAT16:
		memcpy(data, &half, sizeof(half));
		return;
	case DTYPE_BFLOAT16:
		memcpy(&bits, &single, sizeof(bits));
		half = (uint16_t)(bits >> 16);
		memcpy(data, &half, sizeof(half));
		return;
	default:
		memcpy(data, &single, sizeof(single));
	}
}

/* Bytes of a real number of the type, 0 for those that are none. */
static unsigned int real_width(unsigned int type)
{
	switch (type) {
	case DTYPE_FLOAT64:
	case DTYPE_COMPLEX128:
		return 8;
	case DTYPE_FLOAT32:
	case DTYPE_COMPLEX64:
		return 4;
	case DTYPE_FLOAT16:
	case DTYPE_BFLOAT16:
		return 2;
	default:
		return 0;
	}
}

static void fill_reals(const struct contents *c, uint8_t *data, uint64_t bytes, uint64_t *random)
{
	unsigned int width = real_width(c->type);
	uint64_t rare = mutant_random(random) & 1 ? 1 : 64; /* one in so many is wild */
	for (uint64_t i = 0; i + width <= bytes; i += width) {
		double v = i + width <= c->was_bytes ? read_real(c->type, c->was + i) : 0.5;
		if (mutant_random(random) % rare == 0) {
			v = draw_real(v, random);
		}
		write_real(c->type, data + i, v);
	}
}

static void fill_integers(const struct contents *c, uint8_t *data, uint64_t bytes, uint64_t *random)
{
	unsigned int width = dtype_bits(c->type) / 8;
	uint64_t r = mutant_random(random);
	uint64_t rare = r & 1 ? 1 : (uint64_t)2 << (r >> 1 & 7);
	for (uint64_t i = 0; i + width <= bytes; i += width) {
		int64_t v = i + width <= c->was_bytes ? read_integer(c->was + i, width) : 0;
		if (mutant_random(random) % rare == 0) {
			v = draw_integer(c, v, random);
		}
		memcpy(data + i, &v, width);
	}
}

static void fill_bits(uint8_t *data, uint64_t bytes, uint64_t *random)
{
	for (uint64_t i = 0; i < bytes; i++) {
		data[i] = (uint8_t)(mutant_random(random) >> 32);
	}
}

void contents_fill(const struct contents *c, uint8_t *data, uint64_t bytes, uint64_t *random)
{
	uint64_t r = mutant_random(random);
	if (c->type == DTYPE_BOOL && r % 4) {
		for (uint64_t i = 0; i < bytes; i++) {
			data[i] = mutant_random(random) >> 32 & 1;
		}
	} else if (r % 16 == 0 || c->type == DTYPE_INT4) {
		fill_bits(data, bytes, random);
	} else if (real_width(c->type)) {
		fill_reals(c, data, bytes, random);
	} else {
		fill_integers(c, data, bytes, random);
	}
}

void contents_fill_mildly(unsigned int type, uint8_t *data, uint64_t bytes, uint64_t *random)
{
	unsigned int width = real_width(type);
	memset(data, 0, (size_t)bytes);
	for (uint64_t i = 0; width && i + width <= bytes; i += width) {
		write_real(type, data + i, (double)(mutant_random(random) >> 40 & 0xff) / 128 - 1);
	}
	if (!width && dtype_bits(type) <= 8 && type != DTYPE_BOOL) {
		fill_bits(data, bytes, random);
	}
}

uint8_t *contents_memory(uint64_t bytes)
{
	void *memory = NULL;
	return posix_memalign(&memory, 16, bytes ? (size_t)bytes : 1) == 0 ? memory : NULL;
}

static uint32_t draw_length(uint64_t room, uint64_t *random)
{
	static const uint32_t lengths[] = {0, 0, 1, 1, 2, 3, 5, 8, 17, 100, 1000, 70000};
	uint32_t length = lengths[mutant_random(random) % COUNT(lengths)];
	return length <= room ? length : 0;
}

static void break_table(uint8_t *table, uint64_t count, uint64_t *ret_bytes, uint64_t *random)
{
	static const uint32_t hostile[] = {
		0, 1, 3, 7, 0x7fffffff, 0x80000000, 0xffffffff, 1u << 24};
	uint64_t r = mutant_random(random);
	if (r & 1) {
		*ret_bytes = (r >> 8) % (*ret_bytes + 1);
		return;
	}
	uint32_t v = hostile[(r >> 8) % COUNT(hostile)];
	memcpy(table + 4 * ((r >> 16) % (count + 2)), &v, sizeof(v));
}

uint8_t *contents_strings(uint64_t count, uint64_t *random, uint64_t *ret_bytes)
{
	static const char text[] = "the quick brown  fox \xc3\xa9\xff\n 12 -7 1e5 zebra\0x ";
	uint64_t random_then = *random, bytes = strings_head_bytes(count), left = MAX_TEXT_BYTES;
	for (uint64_t i = 0; i < count; i++) {
		uint32_t length = draw_length(left, random);
		bytes += length;
		left -= length;
	}
	uint8_t *table = contents_memory(bytes);
	if (!table) {
		return NULL;
	}
	struct strings_writer w = strings_writer_of(table, (uint32_t)count);
	left = MAX_TEXT_BYTES;
	*random = random_then; /* the same lengths again */
	for (uint64_t i = 0; i < count; i++) {
		uint32_t length = draw_length(left, random);
		char *string = strings_reserve(&w, length);
		left -= length;
		for (uint32_t k = 0; k < length; k++) {
			string[k] = text[(k + i) % sizeof(text)];
		}
	}
	*ret_bytes = bytes;
	if (mutant_random(random) % 4 == 0) {
		break_table(table, count, ret_bytes, random);
	}
	return table;
}
