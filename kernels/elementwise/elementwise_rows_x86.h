/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elementwise_rows_x86 - a function of two rows of codes, four vectors of lanes at a time where they have 8 bits, one where they have 16
 *
 * Included by elementwise_rows_avx2.h and elementwise_rows_avx512.h, which load codes and put results away.
 */
#ifndef KERNELS_ELEMENTWISE_ELEMENTWISE_ROWS_X86_H
#define KERNELS_ELEMENTWISE_ELEMENTWISE_ROWS_X86_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/requant/float_requant.h"

/* WIDE_LANES codes of each operand become results, which are clamped afterwards. */
typedef wide elementwise_fn(const void *state, wide a, wide b);

struct elementwise_operand {
	const char *at;
	size_t step; /* 0: one code for the whole row */
};

struct elementwise_row {
	struct elementwise_operand a, b;
	char *dst;
	size_t n;
	int32_t lo, hi;
};

/* @n codes of 8 bits from @i on, from 1 to WIDE_LANES: no others are read. */
WIDE_INLINE wide elementwise_load(
	const struct elementwise_operand *from, size_t i, size_t n, const bool is_signed);
/* Four vectors of results in the order of the elements, saturated and clamped. */
WIDE_INLINE void elementwise_store(
	const struct elementwise_row *r, size_t i, const wide v[4], const bool is_signed);
/* The first @n results of @v, from 1 to WIDE_LANES, clamped. */
WIDE_INLINE void elementwise_store_some(
	const struct elementwise_row *r, size_t i, size_t n, wide v, const bool is_signed);
/* The same for 16 bits. */
WIDE_INLINE wide elementwise_load_s16(const struct elementwise_operand *from, size_t i, size_t n);
WIDE_INLINE void elementwise_store_s16(const struct elementwise_row *r, size_t i, size_t n, wide v);

WIDE_INLINE void elementwise_run(const struct elementwise_row *r, const bool is_signed,
	elementwise_fn *fn, const void *state)
{
	size_t i = 0;
	for (; i + 4 * WIDE_LANES <= r->n; i += 4 * WIDE_LANES) {
		wide v[4];
		for (size_t k = 0; k < 4; k++) {
			v[k] = fn(state,
				elementwise_load(&r->a, i + WIDE_LANES * k, WIDE_LANES, is_signed),
				elementwise_load(&r->b, i + WIDE_LANES * k, WIDE_LANES, is_signed));
		}
		elementwise_store(r, i, v, is_signed);
	}
	for (; i < r->n; i += WIDE_LANES) {
		size_t n = r->n - i < WIDE_LANES ? r->n - i : WIDE_LANES;
		wide y = fn(state, elementwise_load(&r->a, i, n, is_signed),
			elementwise_load(&r->b, i, n, is_signed));
		elementwise_store_some(r, i, n, y, is_signed);
	}
}

/* The same for int16 codes. */
WIDE_INLINE void elementwise_run_s16(
	const struct elementwise_row *r, elementwise_fn *fn, const void *state)
{
	for (size_t i = 0; i < r->n; i += WIDE_LANES) {
		size_t n = r->n - i < WIDE_LANES ? r->n - i : WIDE_LANES;
		wide y = fn(state, elementwise_load_s16(&r->a, i, n),
			elementwise_load_s16(&r->b, i, n));
		elementwise_store_s16(r, i, n, wide_clamp(y, r->lo, r->hi));
	}
}

#endif
