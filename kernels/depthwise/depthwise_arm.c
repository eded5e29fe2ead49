/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise/depthwise_variants.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/conv/conv_variants.h"
#include "kernels/depthwise/row_buffer_arm.h"

/* What is neither of the two is entry 0's. */
static bool is_walked(const struct ek_conv_shape *s)
{
	return s->in_c == s->out_c && row_buffer_fit(&s->window);
}

/* Channels that all read the only one of the input: that is a convolution, with weights in another order. */
static bool is_conv(const struct ek_conv_shape *s)
{
	return s->in_c == 1 && s->out_c > 1;
}

static struct ek_conv_shape conv_shape(const struct ek_conv_shape *s)
{
	return (struct ek_conv_shape){
		.window = s->window, .in_c = 1, .out_c = s->out_c, .groups = 1};
}

static struct ek_conv_q conv_args(const struct ek_conv_q *a)
{
	return (struct ek_conv_q){
		.shape = conv_shape(&a->shape),
		.input = a->input,
		.weights = a->weights,
		.bias32 = a->bias32,
		.scale = a->scale,
		.input_zero = a->input_zero,
		.weights_zero = a->weights_zero,
		.output_zero = a->output_zero,
		.lo = a->lo,
		.hi = a->hi,
		.output = a->output,
	};
}

/* Room behind what the convolution packs, for the weights in its order. */
static uint64_t turned_bytes(const struct ek_conv_shape *s)
{
	return (uint64_t)row_buffer_taps(&s->window) * s->out_c;
}

static void turn(const struct ek_conv_q *a, uint8_t *to)
{
	const size_t cols = a->shape.out_c, taps = row_buffer_taps(&a->shape.window);
	for (size_t n = 0; n < cols; n++) {
		for (size_t tap = 0; tap < taps; tap++) {
			to[n * taps + tap] = ((const uint8_t *)a->weights)[tap * cols + n];
		}
	}
}

static uint64_t packed_bytes(const struct ek_conv_shape *s)
{
	uint64_t panel = sizeof(struct gemm_head) + row_buffer_weights_bytes(&s->window);
	return !is_walked(s) ? 0 : gemm_panels(s->out_c) * panel;
}

static uint64_t scratch_bytes(const struct row_buffer_isa *isa, const struct ek_conv_shape *s)
{
	uint64_t some = isa->scratch_bytes(s), wide = row_buffer_scratch_bytes(s);
	return !is_walked(s) ? 0 : some > wide ? some : wide;
}

/* Less the zero point. */
static int32_t weight(const struct ek_conv_q *a, bool is_signed, uint32_t tap, uint32_t n)
{
	size_t at = (size_t)tap * a->shape.out_c + n;
	int32_t code =
		is_signed ? ((const int8_t *)a->weights)[at] : ((const uint8_t *)a->weights)[at];
	return code - a->weights_zero;
}

/* Sums of channel @n. */
static void pack_head(const struct row_buffer_isa *isa, const struct ek_conv_q *a, bool is_signed,
	uint32_t n, struct gemm_head *head)
{
	uint32_t in_panel = n % GEMM_COLS;
	for (uint32_t tap = 0; tap < row_buffer_taps(&a->shape.window); tap++) {
		int32_t w = weight(a, is_signed, tap, n);
		head->sum[in_panel] += w;
		head->size[in_panel] += (uint32_t)abs(w);
		head->wide |= w < isa->lowest || w > INT8_MAX;
	}
}

static void pack_channel(const struct row_buffer_isa *isa, const struct ek_conv_q *a,
	bool is_signed, uint32_t n, const struct gemm_head *head, void *to)
{
	const struct ek_window *w = &a->shape.window;
	uint32_t in_panel = n % GEMM_COLS;
	for (uint32_t tap = 0; tap < row_buffer_taps(w); tap++) {
		int32_t code = weight(a, is_signed, tap, n);
		size_t places[2] = {(size_t)tap * GEMM_COLS + in_panel, SIZE_MAX};
		if (head->wide) {
			((int16_t *)to)[places[0]] = (int16_t)code;
			continue;
		}
		isa->place(w, tap / w->x.taps, tap % w->x.taps, in_panel, places);
		((int8_t *)to)[places[0]] = (int8_t)code;
		if (places[1] != SIZE_MAX) {
			((int8_t *)to)[places[1]] = (int8_t)code;
		}
	}
}

static void pack(
	const struct row_buffer_isa *isa, const struct ek_conv_q *a, bool is_signed, void *packed)
{
	uint32_t channels = a->shape.out_c;
	memset(packed, 0, (size_t)packed_bytes(&a->shape));
	for (uint32_t first = 0; first < channels; first += GEMM_COLS) {
		struct gemm_head *head =
			(struct gemm_head *)row_buffer_head(packed, &a->shape.window, first);
		uint32_t end = first + gemm_least(channels - first, GEMM_COLS);
		for (uint32_t n = first; n < end; n++) {
			pack_head(isa, a, is_signed, n, head);
		}
		for (uint32_t n = first; n < end; n++) {
			pack_channel(isa, a, is_signed, n, head, head + 1);
		}
	}
}

static void run(const struct row_buffer_isa *isa, const struct ek_conv_q *a, bool is_signed,
	const struct ek_tile *t, void *scratch)
{
	const struct ek_window *window = &a->shape.window;
	const struct gemm_output output = {a->output_zero, a->lo, a->hi, is_signed, false};
	struct gemm_panel panel;
	struct row_buffer_work work = {.args = a,
		.tile = t,
		.panel = &panel,
		.output = &output,
		.flip = is_signed ? 0 : 128,
		.scratch = scratch};
	uint32_t end = t->first_col + t->n_cols;
	for (uint32_t n = t->first_col; n < end; n += GEMM_COLS) {
		const struct gemm_head *head = row_buffer_head(a->weights, window, n);
		const int32_t *bias = a->bias32 ? a->bias32 + n : NULL;
		uint32_t all = gemm_least(a->shape.out_c - n, GEMM_COLS);
		int32_t zero = a->input_zero - work.flip;
		gemm_panel_start(&panel, head, row_buffer_taps(window), bias, zero, all);
		gemm_panel_scale(&panel, head, row_buffer_taps(window), bias, a->scale + n, zero,
			&output, all);
		work.first = n;
		work.n = gemm_least(end - n, GEMM_COLS);
		(head->wide ? row_buffer_run_wide : isa->run)(&work);
	}
}

#define DEFINE_TYPE(type, is_signed, name)                                                         \
	void ek_depthwise_##type##_pack__##name(const struct ek_conv_q *args, void *packed)        \
	{                                                                                          \
		if (!is_conv(&args->shape)) {                                                      \
			pack(&row_buffer_##name, args, is_signed, packed);                         \
			return;                                                                    \
		}                                                                                  \
		struct ek_conv_q conv = conv_args(args);                                           \
		uint8_t *turned = (uint8_t *)packed + ek_conv_packed_bytes__##name(&conv.shape);   \
		turn(args, turned);                                                                \
		conv.weights = turned;                                                             \
		ek_conv_##type##_pack__##name(&conv, packed);                                      \
	}                                                                                          \
	void ek_depthwise_##type##__##name(                                                        \
		const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)           \
	{                                                                                          \
		if (is_conv(&args->shape)) {                                                       \
			const struct ek_conv_q conv = conv_args(args);                             \
			ek_conv_##type##__##name(&conv, tile, scratch);                            \
		} else if (is_walked(&args->shape)) {                                              \
			run(&row_buffer_##name, args, is_signed, tile, scratch);                   \
		} else {                                                                           \
			ek_depthwise_##type[0].run(args, tile, scratch);                           \
		}                                                                                  \
	}

#define DEFINE_ROWS(name)                                                                          \
	uint64_t ek_depthwise_packed_bytes__##name(const struct ek_conv_shape *shape)              \
	{                                                                                          \
		const struct ek_conv_shape conv = conv_shape(shape);                               \
		return is_conv(shape) ? ek_conv_packed_bytes__##name(&conv) + turned_bytes(shape)  \
				      : packed_bytes(shape);                                       \
	}                                                                                          \
	uint64_t ek_depthwise_scratch_bytes__##name(const struct ek_conv_shape *shape)             \
	{                                                                                          \
		const struct ek_conv_shape conv = conv_shape(shape);                               \
		return is_conv(shape) ? ek_conv_scratch_bytes__##name(&conv)                       \
				      : scratch_bytes(&row_buffer_##name, shape);                  \
	}                                                                                          \
	DEFINE_TYPE(s8, true, name)                                                                \
	DEFINE_TYPE(u8, false, name)

DEFINE_ROWS(neon)
#if defined(__aarch64__)
DEFINE_ROWS(dotprod)
#endif
