/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_tile_ymm - products of some pixels, or rows, and a panel of channels, from registers
 *
 * All pixels of a tile are the same number of bytes apart: one base and a few multiples of that, since a
 * pointer for each is more than the registers. Includes come after a source (source_pairs.h,
 * source_fours.h).
 */
#ifndef KERNELS_GEMM_GEMM_TILE_YMM_H
#define KERNELS_GEMM_GEMM_TILE_YMM_H

/* Those that most pixels are in. */
#define TILE_IS_WHOLE(mr, vectors) (VEC_WIDE && (vectors) == 2 && (mr) >= TILE_ROWS - 1)

/* How what pixels see is gone through; bytes. */
struct tile_way {
	size_t pixel; /* from one pixel to the next */
	size_t rows, cols, row_step, col_step; /* segments */
	size_t steps; /* four bytes each */
};

/* A panel: what its sums start at, and weights [segments][steps][vectors][lanes] of four bytes. */
struct tile_panel {
	const int32_t *start;
	const uint8_t *weights;
};

/* Multiples of the step from pixel to pixel that x86 can't compute while it addresses. */
struct multiples {
	size_t one, three, five, seven;
};

ALWAYS_INLINE const uint8_t *pixel_at(const uint8_t *in, const struct multiples *m, const int r)
{
	return r == 0    ? in
		: r == 1 ? in + m->one
		: r == 2 ? in + 2 * m->one
		: r == 3 ? in + m->three
		: r == 4 ? in + 4 * m->one
		: r == 5 ? in + m->five
		: r == 6 ? in + 2 * m->three
			 : in + m->seven;
}

/* A step of all sums: four bytes of each pixel by those of the weights. */
ALWAYS_INLINE void tile_step(const int mr, const int vectors, const struct multiples *m,
	const uint8_t *at, const uint8_t *w, vec acc[8][2])
{
	const vec w0 = vec_load(w), w1 = vec_load(w + 4 * VEC_LANES * (vectors - 1));
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		vec a = vec_broadcast(pixel_at(at, m, r));
		__asm__("" : "+x"(a)); /* compilers would move loads */
		acc[r][0] = source_dot(acc[r][0], a, w0);
		if (vectors == 2) {
			acc[r][1] = source_dot(acc[r][1], a, w1);
		}
	}
}

/*
 * @mr pixels of @vectors vectors, both constants, to [mr][vectors]: all sums stay in registers. @add is
 * what is added to each pixel's, NULL: nothing. Whole tiles make four steps in a turn: a loop of many
 * turns ends where no core foresees it.
 */
ALWAYS_INLINE void tile_sums(const int mr, const int vectors, const struct tile_way *way,
	const struct tile_panel *panel, const uint8_t *in, const int32_t *add, vec *sums)
{
	struct multiples m = {way->pixel, 3 * way->pixel, 5 * way->pixel, 7 * way->pixel};
	__asm__("" : "+r"(m.three), "+r"(m.five), "+r"(m.seven)); /* not to be computed again */
	const uint8_t *w = panel->weights;
	const size_t step = 4 * VEC_LANES * (size_t)vectors;
	vec acc[8][2];
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		acc[r][0] = vec_load(panel->start);
		acc[r][1] = vec_load(panel->start + (vectors - 1) * VEC_LANES);
	}
#pragma GCC unroll 8
	for (int r = 0; r < mr && SOURCE_SUMS && add; r++) {
		acc[r][0] = vec_add(acc[r][0], vec_all(add[r]));
		acc[r][1] = vec_add(acc[r][1], vec_all(add[r]));
	}
	for (size_t y = 0; y < way->rows; y++, in += way->row_step) {
		const uint8_t *segment = in;
		for (size_t x = 0; x < way->cols; x++, segment += way->col_step) {
			const uint8_t *at = segment, *end = at + 4 * way->steps;
			if (TILE_IS_WHOLE(mr, vectors)) {
				for (size_t n = way->steps / 4; n; n--, at += 16, w += 4 * step) {
					__asm__(""
						: "+r"(at)); /* one base, not one for each pixel */
#pragma GCC unroll 4
					for (size_t i = 0; i < 4; i++) {
						tile_step(mr, vectors, &m, at + 4 * i, w + i * step,
							acc);
					}
				}
			}
			for (; at != end; at += 4, w += step) {
				__asm__("" : "+r"(at));
				tile_step(mr, vectors, &m, at, w, acc);
			}
		}
	}
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		sums[r * vectors] = acc[r][0];
		if (vectors == 2) {
			sums[2 * r + 1] = acc[r][1];
		}
	}
}

#endif
