/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_check - the frame of the kernel checker: random values, guarded buffers, tiles, figures
 *
 * Each family's file makes cases: operands in buffers that end at a guard page, what a naive loop
 * says the output is, and a function that runs one variant on a tile. check_subject() runs it over
 * several ways to cut the output into tiles. The case is written down before each call, and a
 * signal handler prints it when the call crashes.
 */
#ifndef TESTS_KERNELS_KERNEL_CHECK_H
#define TESTS_KERNELS_KERNEL_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/conv/window.h"
#include "kernels/cpu_features.h"
#include "kernels/math/quant.h"
#include "kernels/tile.h"

struct check_buffer;

struct check {
	uint64_t seed, random;
	uint64_t features;
	const char *only; /* variants whose name has this text; NULL for all */
	bool verbose, bench;
	bool count; /* in bench mode: one run between two marks in place of time */
	uint32_t cases; /* random cases per family */
	uint32_t passed, failed;
	struct check_buffer *buffers;
};

enum check_products {
	CHECK_OTHER, /* or none: figures without a share of the peak */
	CHECK_BYTES,
	CHECK_FLOATS,
};

struct check_subject {
	const struct ek_variant *variant;
	char what[160]; /* the case, for a person */
	uint32_t rows, cols, col_step;
	size_t element_bytes;
	const void *expected;
	const double *slack; /* float: what may be missing or too much per element; NULL: exact */
	void *output; /* guarded */
	uint64_t work; /* products of the whole output, for figures */
	enum check_products products; /* what they are of */
	void (*run)(const void *args, const struct ek_tile *tile);
	const void *args;
};

/* Tile by tile in several cuts, each against what is expected, and nothing beyond a tile written.
 * In bench mode: the time of the whole output instead. */
void check_subject(struct check *c, const struct check_subject *subject);

/*
 * Some output rows of a picture, of whose input only the rows are there that taps of theirs read, with 128
 * bytes before and behind: so a chain of layers has it (backends/cpu/row_fusion.c). Nothing in bench mode, for
 * more than one picture, and where nothing is read. @input: in the arguments of @subject; another for
 * the run. @row_bytes: of a row of it.
 */
void check_band(struct check *c, const struct check_subject *subject, const struct ek_window *w,
	size_t row_bytes, const void **input);

/*
 * The whole output and a part of it computed where an operand of the same size lies, of which a part then
 * leaves all else as it was: so a plan has it (REWRITE_IN_PLACE). Nothing in bench mode. @operand, @output: in
 * the arguments of @subject; others for the run.
 */
void check_in_place(
	struct check *c, const struct check_subject *subject, const void **operand, void **output);

/* True when the variant is to be run: its features are there and the name is asked for. */
bool check_wants(const struct check *c, const struct ek_variant *variant);

/* @bytes in front of a page that must not be touched, @alignment 64: behind the last byte there are
 * up to 63 more. Freed by check_free_all(). In bench mode there are 64 more: loads whose masks leave out a
 * protected page are slow, and a plan's memory has none. */
void *check_buffer(struct check *c, size_t bytes, size_t alignment);
void check_free_all(struct check *c);

uint32_t check_below(struct check *c, uint32_t limit); /* 0 .. limit - 1 */
int32_t check_between(struct check *c, int32_t lo, int32_t hi); /* both included */

/* Guarded and filled: one fill in four has nothing but the two ends of the type. */
int8_t *check_s8(struct check *c, size_t n);
uint8_t *check_u8(struct check *c, size_t n);
int16_t *check_s16(struct check *c, size_t n);
int32_t *check_s32(struct check *c, size_t n); /* small half of the time, else any */
float *check_f32(struct check *c, size_t n);
struct ek_scale *check_scales(struct check *c, size_t n); /* mostly below one */
/* Sums next to where the requantised value changes, for each of @scale's channels. */
int32_t *check_ties(struct check *c, const struct ek_scale *scale, size_t n);

/*
 * Channels of 8-bit outputs with the zero point in the middle, whose code changes within three of the bias, and whose
 * line of floats (kernels/requant/float_requant_avx512.h) would begin at an odd number beyond 2^24, which no float is:
 * one code is wrong where sums begin at another integer than the line was proven from.
 */
void check_far(
	struct check *c, size_t n, const struct ek_scale **ret_scale, const int32_t **ret_bias);

/* The integer types by one name. */
enum check_type {
	CHECK_S8,
	CHECK_U8,
	CHECK_S16
};
size_t check_bytes(enum check_type type);
void *check_fill(struct check *c, enum check_type type, size_t n);
/* Weights: to measure, what the specification of quantisation has, without a type's lowest code. */
void *check_weights(struct check *c, enum check_type type, size_t n);
int32_t check_get(enum check_type type, const void *x, size_t i);
void check_put(enum check_type type, void *x, size_t i, int64_t value);
int32_t check_middle(
	enum check_type type); /* of 8 bits: the zero point of int8, as that type has it */
void check_range(enum check_type type, int32_t *ret_lo, int32_t *ret_hi);
/* An output range: the type's, or part of it. */
void check_limits(struct check *c, enum check_type type, int32_t *ret_lo, int32_t *ret_hi);
/* One time in four: all codes, and the zero point is the lowest, as behind RELU6. */
void check_full(struct check *c, enum check_type type, int32_t *zero, int32_t *lo, int32_t *hi);

/* The same as most real layers have it: all codes, as behind RELU6, nothing at its extremes. */
void check_plain(struct check *c, enum check_type type, int32_t *zero, int32_t *lo, int32_t *hi);

/* A random window over small pictures; everything from 1x1 on. */
struct ek_window check_window(struct check *c, bool dilated);
/* What networks are made of: square filters, strides of 1 and 2, padding as SAME has it or none, no
 * dilation, outputs up to 40 pixels wide. */
struct ek_window check_window_common(struct check *c, uint32_t taps);
/* The size of a real layer: a picture of @size x @size, filters of @taps x @taps, padded as SAME. */
struct ek_window check_window_large(uint32_t size, uint32_t taps, uint32_t stride);

/* The formulas, by division in wide integers. */
int32_t check_requant(int32_t x, struct ek_scale s);
int32_t check_requant_up(int32_t x, struct ek_scale s); /* the second rounding's ties go up */
int32_t check_requant64(int64_t x, struct ek_scale s);
int64_t check_divide(int64_t x, int64_t by); /* to nearest, ties away from zero; by > 0 */
int32_t check_wrap(int64_t x);
int64_t check_clamp(int64_t x, int64_t lo, int64_t hi);

void check_conv(struct check *c);
void check_depthwise(struct check *c);
void check_hybrid(struct check *c);
void check_maps(struct check *c);
void check_matmul(struct check *c);
void check_pool(struct check *c);
void check_recurrent(struct check *c);
void check_rows(struct check *c);

#endif
