/* SPDX-License-Identifier: Apache-2.0 */
#include "client/golden/golden_compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

static double half_to_double(uint16_t h)
{
	int exponent = h >> 10 & 31;
	double fraction = h & 1023;
	double v = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
	if (exponent == 31) {
		v = h & 1023 ? (double)NAN : (double)INFINITY;
	}
	return h & 0x8000 ? -v : v;
}

static bool is_floating(unsigned int type)
{
	return type == DTYPE_FLOAT16 || type == DTYPE_FLOAT32 || type == DTYPE_FLOAT64 ||
		type == DTYPE_COMPLEX64;
}

/* Bits of one compared part: a complex number has two parts. */
static unsigned int component_bits(unsigned int type)
{
	return type == DTYPE_COMPLEX64 ? 32 : dtype_bits(type);
}

static double real_at(unsigned int type, const uint8_t *data, size_t i)
{
	float f;
	double d;
	switch (type) {
	case DTYPE_FLOAT16:
		return half_to_double(bytes_get_u16(data + 2 * i));
	case DTYPE_FLOAT64:
		memcpy(&d, data + 8 * i, sizeof(d));
		return d;
	default:
		memcpy(&f, data + 4 * i, sizeof(f));
		return (double)f;
	}
}

/* A uint64 is returned as the int64 of the same bits. */
static int64_t integer_at(unsigned int type, const uint8_t *data, size_t i)
{
	switch (type) {
	case DTYPE_INT4: /* low nibble first */
		return (int8_t)(data[i / 2] << (i & 1 ? 0 : 4)) >> 4;
	case DTYPE_INT8:
		return (int8_t)data[i];
	case DTYPE_INT16:
		return (int16_t)bytes_get_u16(data + 2 * i);
	case DTYPE_UINT16:
		return bytes_get_u16(data + 2 * i);
	case DTYPE_INT32:
		return (int32_t)bytes_get_u32(data + 4 * i);
	case DTYPE_UINT32:
		return bytes_get_u32(data + 4 * i);
	case DTYPE_INT64:
	case DTYPE_UINT64:
		return (int64_t)bytes_get_u64(data + 8 * i);
	default:
		return data[i];
	}
}

static double number_at(unsigned int type, const uint8_t *data, size_t i)
{
	if (is_floating(type)) {
		return real_at(type, data, i);
	}
	const int64_t integer = integer_at(type, data, i);
	return type == DTYPE_UINT64 ? (double)(uint64_t)integer : (double)integer;
}

static uint64_t integer_distance(unsigned int type, int64_t a, int64_t b)
{
	const uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
	const bool above = type == DTYPE_UINT64 ? ua > ub : a > b;
	return above ? ua - ub : ub - ua;
}

/* NaN equals NaN, infinities equal themselves, -0 equals 0. */
static bool is_close(double got, double want, double atol, double rtol)
{
	if (isnan(want) || isnan(got)) {
		return isnan(want) && isnan(got);
	}
	if (isinf(want) || isinf(got)) {
		return want == got;
	}
	return fabs(got - want) <= atol + rtol * fabs(want);
}

static bool same_at(
	const struct golden_entry *want, unsigned int type, const uint8_t *got, size_t i)
{
	if (is_floating(type) && want->compare == GOLDEN_EXACT) {
		unsigned int n = component_bits(type) / 8;
		return memcmp(got + n * i, want->data + n * i, n) == 0;
	}
	if (is_floating(type) || want->compare == GOLDEN_ALLCLOSE) {
		return is_close(number_at(type, got, i), number_at(want->type, want->data, i),
			want->atol, want->rtol);
	}
	const uint64_t distance = integer_distance(
		type, integer_at(type, got, i), integer_at(want->type, want->data, i));
	return distance <= (want->compare == GOLDEN_MAX_DIFF ? want->max_diff : 0);
}

static void format_at(char *out, size_t size, unsigned int type, const uint8_t *data, size_t i)
{
	if (is_floating(type)) {
		snprintf(out, size, "%.9g", real_at(type, data, i));
	} else if (type == DTYPE_UINT64) {
		snprintf(out, size, "%" PRIu64, (uint64_t)integer_at(type, data, i));
	} else {
		snprintf(out, size, "%" PRId64, integer_at(type, data, i));
	}
}

/* Compares types without fixed element size, such as strings, byte by byte. */
static bool compare_bytes(const struct golden_entry *want, const uint8_t *got, uint64_t bytes,
	char *ret_text, size_t text_size)
{
	size_t i = 0;
	while (i < want->bytes && i < bytes && got[i] == want->data[i]) {
		i++;
	}
	snprintf(ret_text, text_size, "bytes differ from %zu on", i);
	return i == want->bytes && i == bytes;
}

bool golden_compare(const struct golden_entry *want, unsigned int type, const void *got,
	uint64_t bytes, char *ret_text, size_t text_size)
{
	if (type != want->type && !(type == DTYPE_INT4 && want->type == DTYPE_INT8)) {
		snprintf(ret_text, text_size, "expected %s, got %s", dtype_name(want->type),
			dtype_name(type));
		return false;
	}
	unsigned int bits = component_bits(type);
	if (bits == 0) {
		return compare_bytes(want, got, bytes, ret_text, text_size);
	}
	size_t count = want->bytes * 8 / component_bits(want->type), first = 0, wrong = 0;
	if (bytes != ((uint64_t)count * bits + 7) / 8) {
		snprintf(ret_text, text_size, "expected %zu elements, got %" PRIu64 " bytes", count,
			bytes);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!same_at(want, type, got, i)) {
			first = wrong++ ? first : i;
		}
	}
	if (wrong) {
		char a[48], b[48];
		format_at(a, sizeof(a), want->type, want->data, first);
		format_at(b, sizeof(b), type, got, first);
		snprintf(ret_text, text_size,
			"first difference at %zu: expected %s, got %s (%zu of %zu elements differ)",
			first, a, b, wrong, count);
	}
	return wrong == 0;
}
