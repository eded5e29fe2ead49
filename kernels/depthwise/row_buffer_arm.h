/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_buffer_arm - what a depthwise filter reads, 16 channels at a time
 *
 * Rows of the picture are brought to scratch as strips: one vector of 16 channels for each column
 * that a tap may meet, those outside of the picture as well, which hold the zero point. Codes are
 * signed there (those of uint8 are flipped), so that rows, edges and types are all one to the loop
 * over output pixels.
 *
 * Packed weights are, for each panel of 16 channels, a struct gemm_head and the panel's weights,
 * in room that is enough for each of the layouts:
 *   16 bits   [taps][16], where weights less their zero point leave 8 bits, or are -128 where that
 *             costs extra
 *   NEON      [taps, an even number][16]
 *   DotProd   [2 rows][taps of y / 4][taps of x][16][4]: four rows of taps together; the second
 *             time one row lower, for the output row below
 */
#ifndef KERNELS_DEPTHWISE_ROW_BUFFER_ARM_H
#define KERNELS_DEPTHWISE_ROW_BUFFER_ARM_H

#include "kernels/conv/conv_args.h"
#include "kernels/gemm/gemm_arm.h"
#include "kernels/tile.h"

/* One panel of a call. */
struct row_buffer_work {
	const struct ek_conv_q *args;
	const struct ek_tile *tile;
	const struct gemm_panel *panel;
	const struct gemm_output *output;
	uint32_t first, n; /* channels */
	uint8_t flip;
	void *scratch;
};

struct row_buffer_isa {
	int32_t lowest; /* weight that still counts as one of 8 bits: -128 or -127 */
	/* Where the weight of channel @n (of 16) of a tap is: one place, or two; @ret_places[1] is
	 * SIZE_MAX where there is but one. */
	void (*place)(const struct ek_window *w, uint32_t ky, uint32_t kx, uint32_t n,
		size_t ret_places[2]);
	uint64_t (*scratch_bytes)(const struct ek_conv_shape *shape);
	void (*run)(const struct row_buffer_work *work);
};

static inline uint32_t row_buffer_taps(const struct ek_window *w)
{
	return w->y.taps * w->x.taps;
}

/* Columns of a strip; the first is @axis->pad to the left of the picture. */
static inline uint64_t row_buffer_width(const struct ek_window_axis *axis)
{
	return (uint64_t)(axis->out - 1) * axis->stride +
		(uint64_t)(axis->taps - 1) * axis->dilation + 1;
}

/* Columns of the picture that a strip has. */
static inline uint32_t row_buffer_inside(const struct ek_window_axis *axis)
{
	uint64_t width = row_buffer_width(axis);
	uint64_t room = width > axis->pad ? width - axis->pad : 0;
	return room < axis->in ? (uint32_t)room : axis->in;
}

/*
 * True where strips are worth their padding, which is brought for every row: not where there is no output,
 * nor for a filter so far dilated that it is much larger than the picture.
 */
static inline bool row_buffer_fit(const struct ek_window *w)
{
	const struct ek_window_axis *y = &w->y, *x = &w->x;
	return y->out > 0 && x->out > 0 && row_buffer_width(x) <= 128 + (uint64_t)8 * x->in &&
		(uint64_t)(y->taps - 1) * y->dilation < 32 + (uint64_t)8 * y->in;
}

/* Room for a panel's weights. */
static inline uint64_t row_buffer_weights_bytes(const struct ek_window *w)
{
	uint64_t wide = (uint64_t)(row_buffer_taps(w) + 1) * 32;
	uint64_t fours = ((uint64_t)w->y.taps + 3) / 4 * w->x.taps * 128;
	return ((wide > fours ? wide : fours) + 63) & ~(uint64_t)63;
}

static inline const struct gemm_head *row_buffer_head(
	const void *packed, const struct ek_window *w, uint32_t first)
{
	size_t panel = sizeof(struct gemm_head) + (size_t)row_buffer_weights_bytes(w);
	return (const struct gemm_head *)((const char *)packed + first / GEMM_COLS * panel);
}

extern const struct row_buffer_isa row_buffer_neon;
/* Panels whose weights have 16 bits. */
void row_buffer_run_wide(const struct row_buffer_work *work);
uint64_t row_buffer_scratch_bytes(const struct ek_conv_shape *shape);
#if defined(__aarch64__)
extern const struct row_buffer_isa row_buffer_dotprod;
#endif

#endif
