/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/tensor_values.h"

#include <math.h>
#include <string.h>

bool tensor_values_are_numbers(unsigned int type)
{
	switch (type) {
	case DTYPE_STRING:
	case DTYPE_COMPLEX64:
	case DTYPE_COMPLEX128:
	case DTYPE_RESOURCE:
	case DTYPE_VARIANT:
		return false;
	default:
		return type < DTYPE_COUNT;
	}
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
static double half_to_double(uint16_t bits)
{
	int exponent = bits >> 10 & 31, fraction = bits & 1023;
	double magnitude = exponent == 31 ? (fraction ? NAN : INFINITY)
		: exponent == 0           ? ldexp(fraction, -24)
					  : ldexp(1024 + fraction, exponent - 25);
	return bits >> 15 ? -magnitude : magnitude;
}

/* Rounds to nearest, ties to even; above the largest finite value: infinity. */
static uint16_t half_of_double(double real)
{
	uint16_t sign = signbit(real) ? 0x8000 : 0;
	double magnitude = fabs(real);
	if (isnan(real)) {
		return sign | 0x7e00;
	}
	if (magnitude >= 65520) {
		return sign | 0x7c00;
	}
	if (magnitude == 0) {
		return sign;
	}
	int exponent = 0;
	frexp(magnitude, &exponent);
	int unit = exponent - 11 < -24 ? -24 : exponent - 11; /* weight of the last bit */
	uint32_t steps = (uint32_t)nearbyint(ldexp(magnitude, -unit));
	/* Steps 1024..2047 include the leading bit, which adds one to the exponent field. */
	return sign | (uint16_t)(((uint32_t)(unit + 24) << 10) + steps);
}

static double bfloat_to_double(uint16_t bits)
{
	uint32_t wide = (uint32_t)bits << 16;
	float value;
	memcpy(&value, &wide, sizeof(value));
	return value;
}

static uint16_t bfloat_of_double(double real)
{
	float value = (float)real;
	uint32_t wide;
	memcpy(&wide, &value, sizeof(wide));
	return isnan(value) ? 0x7fc0 : (uint16_t)((wide + 0x7fff + (wide >> 16 & 1)) >> 16);
}

static double get_float(unsigned int type, const uint8_t *at)
{
	float single;
	double value;
	uint16_t half;
	switch (type) {
	case DTYPE_FLOAT32:
		memcpy(&single, at, sizeof(single));
		return single;
	case DTYPE_FLOAT64:
		memcpy(&value, at, sizeof(value));
		return value;
	default:
		memcpy(&half, at, sizeof(half));
		return type == DTYPE_FLOAT16 ? half_to_double(half) : bfloat_to_double(half);
	}
}

/* Reads a little-endian integer of @bytes bytes, sign-extended if @is_signed. */
static int64_t get_integer(const uint8_t *at, size_t bytes, bool is_signed)
{
	uint64_t value = 0;
	memcpy(&value, at, bytes);
	uint64_t sign = (uint64_t)1 << (8 * bytes - 1);
	return is_signed && value & sign ? (int64_t)(value | ~(sign - 1)) : (int64_t)value;
}

static bool is_float(unsigned int type)
{
	return type == DTYPE_FLOAT32 || type == DTYPE_FLOAT64 || type == DTYPE_FLOAT16 ||
		type == DTYPE_BFLOAT16;
}

static int64_t get_stored(unsigned int type, const uint8_t *data, size_t index)
{
	if (type == DTYPE_INT4) {
		int nibble = data[index / 2] >> (index % 2 * 4) & 15;
		return nibble >= 8 ? nibble - 16 : nibble;
	}
	int64_t lowest = 0, highest = 0;
	tensor_spec_range(type, &lowest, &highest);
	size_t bytes = dtype_bits(type) / 8;
	return get_integer(data + index * bytes, bytes, lowest < 0);
}

double tensor_values_get(const struct tensor_spec *spec, const void *data, size_t index)
{
	if (is_float(spec->type)) {
		const uint8_t *bytes = data;
		return get_float(spec->type, bytes + index * (dtype_bits(spec->type) / 8));
	}
	int64_t stored = get_stored(spec->type, data, index);
	return spec->scale > 0 ? spec->scale * (double)(stored - spec->zero_point) : (double)stored;
}

static void put_float(unsigned int type, uint8_t *at, double real)
{
	float single = (float)real;
	uint16_t half;
	switch (type) {
	case DTYPE_FLOAT32:
		memcpy(at, &single, sizeof(single));
		break;
	case DTYPE_FLOAT64:
		memcpy(at, &real, sizeof(real));
		break;
	default:
		half = type == DTYPE_FLOAT16 ? half_of_double(real) : bfloat_of_double(real);
		memcpy(at, &half, sizeof(half));
		break;
	}
}

static void put_stored(unsigned int type, uint8_t *data, size_t index, int64_t stored)
{
	if (type == DTYPE_INT4) {
		unsigned int shift = index % 2 * 4;
		data[index / 2] = (uint8_t)((data[index / 2] & ~(15u << shift)) |
			((uint32_t)stored & 15u) << shift);
		return;
	}
	size_t bytes = dtype_bits(type) / 8;
	memcpy(data + index * bytes, &stored, bytes);
}

bool tensor_values_put(const struct tensor_spec *spec, void *data, size_t index, double real)
{
	if (is_float(spec->type)) {
		uint8_t *bytes = data;
		put_float(spec->type, bytes + index * (dtype_bits(spec->type) / 8), real);
		return true;
	}
	int64_t lowest = 0, highest = 0;
	tensor_spec_range(spec->type, &lowest, &highest);
	bool quantised = spec->scale > 0;
	double stored = quantised ? round(real / spec->scale) + spec->zero_point : round(real);
	if (isnan(stored)) {
		return false;
	}
	/* Compares as doubles, so that the limits of int64 are exact. */
	if (stored <= (double)lowest || stored >= (double)highest) {
		bool outside = stored < (double)lowest || stored > (double)highest;
		put_stored(spec->type, data, index, stored <= (double)lowest ? lowest : highest);
		return quantised || !outside;
	}
	put_stored(spec->type, data, index, (int64_t)stored);
	return true;
}
