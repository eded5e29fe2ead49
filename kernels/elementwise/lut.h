/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lut - functions of a code, by table
 *
 *   lut8:   dst[i] = table[src[i]], 256 entries, indexed by the code's byte (so an int8 code of -1
 *           finds entry 255); one entry has 1 byte here, 2 in ek_lut16, 4 in ek_lut32
 *   lut513: int16 codes between 513 points, linearly interpolated
 *
 * dst may be src in lut8. Bit-exact with entry 0 of the list.
 * Source of lut513: TFLite kernels/internal/common.h, LUTLookup and generic_int16_table_lookup.
 */
#ifndef KERNELS_ELEMENTWISE_LUT_H
#define KERNELS_ELEMENTWISE_LUT_H

#include "kernels/cpu_features.h"

#define EK_LUT513 513

typedef void ek_lut8_fn(
	uint8_t *dst, const uint8_t *src, size_t n, const uint8_t table[static 256]);

struct ek_lut8 {
	struct ek_variant variant;
	ek_lut8_fn *run;
};

extern const struct ek_lut8 ek_lut8[];
extern const size_t ek_lut8_count;

void ek_lut16(uint16_t *dst, const uint8_t *src, size_t n, const uint16_t table[static 256]);
void ek_lut32(uint32_t *dst, const uint8_t *src, size_t n, const uint32_t table[static 256]);

/* dst may be src. */
void ek_lut513(int16_t *dst, const int16_t *src, size_t n, const int16_t table[static EK_LUT513]);

static inline int16_t ek_lut513_at(const int16_t table[static EK_LUT513], int16_t x)
{
	const int16_t *entry = &table[256 + (x >> 7)];
	int32_t slope = (int16_t)(entry[1] - entry[0]);
	return (int16_t)(entry[0] + ((slope * (x & 127) + 64) >> 7));
}

/* Rows of the lists for x86-64 and Arm. */
ek_lut8_fn ek_lut8__avx2;
ek_lut8_fn ek_lut8__neon;

#endif
