/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/tune.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/own.h"
#include "kernels/conv/conv.h"

#define ROWS 60 /* whole tiles of both ways */
#define COLS 16
#define DEPTH 128
#define ROUNDS 12
#define LIMIT_NS 3000000u /* no round begins behind it, and one takes less than 1 ms */

static const struct ek_conv_q_row *row_for(uint64_t features)
{
	return ek_pick(ek_conv_s8, ek_conv_s8_count, sizeof(*ek_conv_s8), features);
}

uint64_t tune_allowed(uint64_t mask)
{
	uint64_t has = ek_cpu_detect();
	uint64_t way = has & EK_CPU_NEON ? EK_CPU_IN_ORDER : 0;
	return mask == ~(uint64_t)0 ? has : mask & (has | way);
}

/* A product of one's own: values are of no matter, no branch sees them. */
struct trial {
	int8_t input[ROWS * DEPTH], weights[COLS * DEPTH];
	uint8_t output[ROWS * COLS];
	struct ek_scale scale[COLS];
	struct ek_conv_q args;
};

static struct ek_window_axis axis(uint32_t n)
{
	return (struct ek_window_axis){.in = n, .out = n, .taps = 1, .stride = 1, .dilation = 1};
}

static void trial_init(struct trial *t)
{
	for (uint32_t i = 0; i < COLS; i++) {
		t->scale[i] = (struct ek_scale){1 << 30, -9};
	}
	t->args = (struct ek_conv_q){
		.shape = {.window = {.batch = 1, .y = axis(1), .x = axis(ROWS)},
			.in_c = DEPTH,
			.out_c = COLS,
			.groups = 1},
		.input = t->input,
		.weights = t->weights,
		.scale = t->scale,
		.output_zero = INT8_MIN,
		.lo = INT8_MIN,
		.hi = INT8_MAX,
		.output = t->output,
	};
}

static uint64_t time_of(
	const struct ek_conv_q_row *row, const struct ek_conv_q *args, void *scratch)
{
	const struct ek_tile all = {0, ROWS, 0, COLS};
	uint64_t start = clock_now_ns();
	row->run(args, &all, scratch);
	return clock_now_ns() - start;
}

static void *room(uint64_t bytes)
{
	return aligned_alloc(64, (size_t)(bytes + 64) / 64 * 64);
}

/* True when @other is faster than @usual by a twentieth; both read what @usual packs. */
static bool is_faster(const struct ek_conv_q_row *other, const struct ek_conv_q_row *usual)
{
	owned_mem struct trial *trial = calloc(1, sizeof(*trial));
	if (!trial) {
		return false;
	}
	trial_init(trial);
	const struct ek_conv_shape *shape = &trial->args.shape;
	owned_mem void *packed = room(usual->packed_bytes(shape));
	owned_mem void *scratch = room(usual->scratch_bytes(shape));
	owned_mem void *more = room(other->scratch_bytes(shape));
	if (!packed || !scratch || !more) {
		return false;
	}
	usual->pack(&trial->args, packed);
	trial->args.weights = packed;
	uint64_t begin = clock_now_ns(), least = UINT64_MAX, least_other = UINT64_MAX;
	for (uint32_t i = 0; i < ROUNDS && clock_now_ns() - begin < LIMIT_NS; i++) {
		uint64_t ns = time_of(usual, &trial->args, scratch);
		uint64_t ns_other = time_of(other, &trial->args, more);
		least = ns < least ? ns : least;
		least_other = ns_other < least_other ? ns_other : least_other;
	}
	return least_other + least_other / 20 < least;
}

uint64_t tune_choose(uint64_t mask)
{
	uint64_t features = tune_allowed(mask);
	const struct ek_conv_q_row *usual = row_for(features);
	const struct ek_conv_q_row *other = row_for(features ^ EK_CPU_IN_ORDER);
	if (mask != ~(uint64_t)0 || !(features & EK_CPU_NEON) || usual == other) {
		return features;
	}
	return is_faster(other, usual) ? features ^ EK_CPU_IN_ORDER : features;
}
