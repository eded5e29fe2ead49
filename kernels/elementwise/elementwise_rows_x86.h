/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair - a function of two rows of codes, four vectors of lanes at a time where they have 8 bits, one where they have 16
 *
 * Included by pair_avx2.h and pair_avx512.h, which load codes and put results away.
 */
#ifndef KERNELS_X86_PAIR_H
#define KERNELS_X86_PAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/line.h"

/* WIDE_LANES codes of each operand become results, which are clamped afterwards. */
typedef wide pair_fn(const void *state, wide a, wide b);

struct pair_operand {
	const char *at;
	size_t step; /* 0: one code for the whole row */
};

struct pair_row {
	struct pair_operand a, b;
	char *dst;
	size_t n;
	int32_t lo, hi;
};

/* @n codes of 8 bits from @i on, from 1 to WIDE_LANES: no others are read. */
WIDE_INLINE wide pair_load(
	const struct pair_operand *from, size_t i, size_t n, const bool is_signed);
/* Four vectors of results in the order of the elements, saturated and clamped. */
WIDE_INLINE void pair_store(
	const struct pair_row *r, size_t i, const wide v[4], const bool is_signed);
/* The first @n results of @v, from 1 to WIDE_LANES, clamped. */
WIDE_INLINE void pair_store_some(
	const struct pair_row *r, size_t i, size_t n, wide v, const bool is_signed);
/* The same for 16 bits. */
WIDE_INLINE wide pair_load_s16(const struct pair_operand *from, size_t i, size_t n);
WIDE_INLINE void pair_store_s16(const struct pair_row *r, size_t i, size_t n, wide v);

WIDE_INLINE void pair_run(
	const struct pair_row *r, const bool is_signed, pair_fn *fn, const void *state)
{
	size_t i = 0;
	for (; i + 4 * WIDE_LANES <= r->n; i += 4 * WIDE_LANES) {
		wide v[4];
		for (size_t k = 0; k < 4; k++) {
			v[k] = fn(state,
				pair_load(&r->a, i + WIDE_LANES * k, WIDE_LANES, is_signed),
				pair_load(&r->b, i + WIDE_LANES * k, WIDE_LANES, is_signed));
		}
		pair_store(r, i, v, is_signed);
	}
	for (; i < r->n; i += WIDE_LANES) {
		size_t n = r->n - i < WIDE_LANES ? r->n - i : WIDE_LANES;
		wide y = fn(state, pair_load(&r->a, i, n, is_signed),
			pair_load(&r->b, i, n, is_signed));
		pair_store_some(r, i, n, y, is_signed);
	}
}

/* The same for int16 codes. */
WIDE_INLINE void pair_run_s16(const struct pair_row *r, pair_fn *fn, const void *state)
{
	for (size_t i = 0; i < r->n; i += WIDE_LANES) {
		size_t n = r->n - i < WIDE_LANES ? r->n - i : WIDE_LANES;
		wide y = fn(state, pair_load_s16(&r->a, i, n), pair_load_s16(&r->b, i, n));
		pair_store_s16(r, i, n, wide_clamp(y, r->lo, r->hi));
	}
}

#endif
