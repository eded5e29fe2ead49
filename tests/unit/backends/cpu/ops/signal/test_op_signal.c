/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/cpu/op.h"
#include "tests/fakes/op_bench.h"

extern const struct cpu_op op_signal_filter_bank;

static const struct shape scalar = {0};

static void window_multiplies_shifts_and_saturates(void **state)
{
	(void)state;
	const int16_t x[6] = {100, -101, 32767, -32768, 1, -1};
	const int16_t window[3] = {4096, 2048, 8192};
	const int16_t wanted[6] = {100, -51, 32767, -32768, 0, -2};
	int16_t y[6];
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_WINDOW);
	op_bench_input(&b, DTYPE_INT16, SHAPE(2, 3), x);
	op_bench_constant(&b, DTYPE_INT16, SHAPE(3), window);
	op_bench_output(&b, DTYPE_INT16, SHAPE(2, 3), y);
	b.node.options.signal_window.shift = 12;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, wanted, sizeof(y));
}

static void auto_scale_uses_all_bits_but_the_sign(void **state)
{
	(void)state;
	int16_t x[3] = {1, -3, 0}, y[3];
	int32_t scale = -1;
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_FFT_AUTO_SCALE);
	op_bench_input(&b, DTYPE_INT16, SHAPE(3), x);
	op_bench_output(&b, DTYPE_INT16, SHAPE(3), y);
	op_bench_output(&b, DTYPE_INT32, scalar, &scale);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(scale, 13);
	assert_true(y[0] == 8192 && y[1] == -24576 && y[2] == 0);
	x[1] = -32768; /* its absolute value is no int16: the reference goes on with what follows */
	x[2] = 5;
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(scale, 12);
	assert_true(y[0] == 4096 && y[1] == 0 && y[2] == 20480);
	memset(x, 0, sizeof(x)); /* nothing to scale */
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(scale, 0);
}

static void rfft_pads_with_zeros_and_transforms_each_row(void **state)
{
	(void)state;
	const float x[6] = {1, 0, 0, 0, 1, 0};
	float y[2][10];
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_RFFT);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 3), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 10), y);
	b.node.options.signal_fft.type = DTYPE_FLOAT32;
	b.node.options.signal_fft.length = 8;
	assert_int_equal(op_bench_run(&b), 0);
	for (int k = 0; k <= 4; k++) {
		assert_float_equal(y[0][2 * k], 1, 1e-6f);
		assert_float_equal(y[0][2 * k + 1], 0, 1e-6f);
	}
	assert_float_equal(y[1][4], 0, 1e-6f); /* a quarter turn */
	assert_float_equal(y[1][5], -1, 1e-6f);
}

static void irfft_undoes_rfft(void **state)
{
	(void)state;
	/* Of 8 samples of 1. */
	const int16_t x[10] = {8000, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	int16_t y[8];
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_IRFFT);
	op_bench_input(&b, DTYPE_INT16, SHAPE(10), x);
	op_bench_output(&b, DTYPE_INT16, SHAPE(8), y);
	b.node.options.signal_fft.type = DTYPE_INT16;
	b.node.options.signal_fft.length = 8;
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 8; i++) {
		assert_in_range(y[i], 998, 1001);
	}
}

static void energy_is_zero_outside_of_its_bins(void **state)
{
	(void)state;
	const int16_t x[8] = {9, 9, 3, -4, -32768, -32768, 9, 9};
	const uint32_t wanted[4] = {0, 25, 2147483648u, 0};
	uint32_t y[4];
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_ENERGY);
	op_bench_input(&b, DTYPE_INT16, SHAPE(8), x);
	op_bench_output(&b, DTYPE_UINT32, SHAPE(4), y);
	b.node.options.signal_energy.start_index = 1;
	b.node.options.signal_energy.end_index = 3;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, wanted, sizeof(y));
}

struct bank_bench {
	struct op_bench b;
	uint32_t energy[6];
	int16_t weights[6], unweights[6], starts[3], weight_starts[3], widths[3];
	uint64_t sums[2];
};

/* Two channels; the list before them gives its unweighted bins to the first. */
static void bank_init(struct bank_bench *k)
{
	*k = (struct bank_bench){
		.energy = {1, 10, 100, 1000, 10000, 100000},
		.weights = {1, 2, 3, 4, 5, -1},
		.unweights = {6, 5, 4, 3, 2, 1},
		.starts = {1, 2, 4},
		.weight_starts = {0, 1, 3},
		.widths = {1, 2, 2},
	};
	op_bench_init(&k->b, OP_SIGNAL_FILTER_BANK);
	op_bench_input(&k->b, DTYPE_UINT32, SHAPE(6), k->energy);
	op_bench_input(&k->b, DTYPE_INT16, SHAPE(6), k->weights);
	op_bench_input(&k->b, DTYPE_INT16, SHAPE(6), k->unweights);
	op_bench_input(&k->b, DTYPE_INT16, SHAPE(3), k->starts);
	op_bench_input(&k->b, DTYPE_INT16, SHAPE(3), k->weight_starts);
	op_bench_input(&k->b, DTYPE_INT16, SHAPE(3), k->widths);
	op_bench_output(&k->b, DTYPE_UINT64, SHAPE(2), k->sums);
	k->b.node.options.signal_filter_bank.num_channels = 2;
}

static void filter_bank_adds_both_sides_of_a_channel(void **state)
{
	(void)state;
	struct bank_bench k;
	bank_init(&k);
	assert_int_equal(op_bench_run(&k.b), 0);
	assert_true(k.sums[0] == 6 * 10 + 2 * 100 + 3 * 1000);
	assert_true(k.sums[1] == 5 * 100 + 4 * 1000 + 4 * 10000 + 5 * 100000);
	k.weights[3] = -1; /* weights have a sign, sums wrap */
	k.weights[4] = 0;
	k.unweights[1] = k.unweights[2] = 0;
	assert_int_equal(op_bench_run(&k.b), 0);
	assert_true(k.sums[1] == (uint64_t)-10000);
	k.widths[0] = -5;
	k.starts[0] = -7;
	assert_int_equal(op_bench_run(&k.b), 0);
	assert_true(k.sums[0] == 2 * 100 + 3 * 1000);
}

static void filter_bank_reads_nothing_outside(void **state)
{
	(void)state;
	struct bank_bench k;
	bank_init(&k);
	k.starts[2] = 5;
	assert_int_equal(op_bench_run(&k.b), -EINVAL);
	assert_non_null(strstr(k.b.err.text, "channel 2: 2 bins from 5 of 6"));
	bank_init(&k);
	k.weight_starts[1] = -1;
	assert_int_equal(op_bench_run(&k.b), -EINVAL);
	bank_init(&k);
	k.weight_starts[2] = 32767;
	k.widths[2] = 32767;
	k.starts[2] = 32767;
	assert_int_equal(op_bench_run(&k.b), -EINVAL);
}

/* The backend looks at the control before it runs an operator: this is the operator alone. */
static void filter_bank_is_cancelled_between_channels(void **state)
{
	(void)state;
	enum {
		CHANNELS = 4,
		BINS = 4096 /* two channels as wide as they are a tile */
	};
	static uint32_t energy[BINS];
	static int16_t weights[BINS];
	const int16_t zeros[CHANNELS + 1] = {0};
	const int16_t widths[CHANNELS + 1] = {1, 1, BINS, 1, 1};
	uint64_t sums[CHANNELS] = {7, 7, 7, 7};
	const atomic_bool cancelled = true;
	const struct run_control control = {.cancelled = &cancelled};
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_FILTER_BANK);
	op_bench_input(&b, DTYPE_UINT32, SHAPE(BINS), energy);
	op_bench_input(&b, DTYPE_INT16, SHAPE(BINS), weights);
	op_bench_input(&b, DTYPE_INT16, SHAPE(BINS), weights);
	op_bench_input(&b, DTYPE_INT16, SHAPE(CHANNELS + 1), zeros);
	op_bench_input(&b, DTYPE_INT16, SHAPE(CHANNELS + 1), zeros);
	op_bench_input(&b, DTYPE_INT16, SHAPE(CHANNELS + 1), widths);
	op_bench_output(&b, DTYPE_UINT64, SHAPE(CHANNELS), sums);
	b.node.options.signal_filter_bank.num_channels = CHANNELS;
	const struct op_call call = {
		.node = &b.node, .subgraph = &b.subgraph, .values = b.values, .control = &control};
	assert_int_equal(op_signal_filter_bank.run(&call, &b.err), -ECANCELED);
	assert_true(sums[0] == 0 && sums[1] == 7 && sums[3] == 7);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(sums[1] == 0 && sums[3] == 0);
}

static void square_root_rounds_and_shifts(void **state)
{
	(void)state;
	const uint64_t x[6] = {0, 6, 7, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX};
	const uint32_t wanted[6] = {0, 2, 3, 65535, 65536, UINT32_MAX};
	uint32_t y[6];
	int32_t shift = 0;
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_FILTER_BANK_SQUARE_ROOT);
	op_bench_input(&b, DTYPE_UINT64, SHAPE(6), x);
	op_bench_input(&b, DTYPE_INT32, scalar, &shift);
	op_bench_output(&b, DTYPE_UINT32, SHAPE(6), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, wanted, sizeof(y));
	shift = 4;
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(y[3], 4095);
	shift = 32;
	assert_int_equal(op_bench_run(&b), -EINVAL);
	shift = -1;
	assert_int_equal(op_bench_run(&b), -EINVAL);
}

static void subtraction_follows_the_noise_over_runs(void **state)
{
	(void)state;
	const uint32_t x[2] = {1000, 1000};
	uint32_t y[2], noise[2];
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION);
	op_bench_input(&b, DTYPE_UINT32, SHAPE(2), x);
	op_bench_output(&b, DTYPE_UINT32, SHAPE(2), y);
	op_bench_output(&b, DTYPE_UINT32, SHAPE(2), noise);
	b.node.options.signal_subtraction = (struct options_signal_subtraction){.smoothing = 4,
		.one_minus_smoothing = 12,
		.alternate_smoothing = 8,
		.alternate_one_minus_smoothing = 8,
		.min_signal_remaining = 10,
		.num_channels = 2,
		.smoothing_bits = 2,
		.subtraction_bits = 4};
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(noise[0] == 1000 && noise[1] == 2000);
	assert_true(y[0] == 750 && y[1] == 625); /* the second is lifted to 10 / 16 */
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(noise[0] == 1750 && noise[1] == 3000);
}

static void pcan_compresses_what_the_noise_does_not_explain(void **state)
{
	(void)state;
	int16_t gains[125] = {0};
	uint32_t x[3] = {4096, 16384, 1}, noise[3] = {0, 2, 1000}, y[3];
	struct op_bench b;
	gains[0] = 1;
	gains[2] = 2;
	gains[4 * 10 - 6] = 100; /* the piece for 10 bits: a constant */
	op_bench_init(&b, OP_SIGNAL_PCAN);
	op_bench_input(&b, DTYPE_UINT32, SHAPE(3), x);
	op_bench_input(&b, DTYPE_UINT32, SHAPE(3), noise);
	op_bench_input(&b, DTYPE_INT16, SHAPE(125), gains);
	op_bench_output(&b, DTYPE_UINT32, SHAPE(3), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(y[0], 16); /* 1 in 12 bits: 1 / 4 in 6 bits */
	assert_int_equal(y[1], 64 * 8 - 64); /* 8: 7 */
	assert_int_equal(y[2], 100 * 100 >> 20);
}

static void log_is_the_natural_one_in_the_output_scale(void **state)
{
	(void)state;
	const uint32_t x[5] = {0, 1, 2, 22026, UINT32_MAX};
	int16_t y[5];
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_FILTER_BANK_LOG);
	op_bench_input(&b, DTYPE_UINT32, SHAPE(5), x);
	op_bench_output(&b, DTYPE_INT16, SHAPE(5), y);
	b.node.options.signal_log.output_scale = 64;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] == 0 && y[1] == 0);
	assert_int_equal(y[2], 44); /* 64 * 0.693 */
	assert_int_equal(y[3], 640);
	assert_int_equal(y[4], 1420); /* 64 * 22.18 */
	b.node.options.signal_log.output_scale = 2000;
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(y[4], 32767);
}

static void framer_overlaps_frames_over_runs(void **state)
{
	(void)state;
	const int16_t x[4] = {1, 2, 3, 4}, next[4] = {5, 6, 7, 8};
	int16_t y[2][3];
	bool valid = true;
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_FRAMER);
	op_bench_input(&b, DTYPE_INT16, SHAPE(4), x);
	op_bench_output(&b, DTYPE_INT16, SHAPE(2, 3), y);
	op_bench_output(&b, DTYPE_BOOL, scalar, &valid);
	b.node.options.signal_framer.frame_size = 3;
	b.node.options.signal_framer.frame_step = 2;
	assert_int_equal(op_bench_run(&b), 0);
	assert_false(valid);
	assert_memory_equal(y, ((int16_t[]){0, 0, 0, 1, 2, 3}), sizeof(y));
	b.values[0].data = (void *)next;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(valid);
	assert_memory_equal(y, ((int16_t[]){3, 4, 5, 5, 6, 7}), sizeof(y));
	memset(b.state, 0, sizeof(b.state)); /* a session that begins */
	b.node.options.signal_framer.prefill = true;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(valid);
	assert_memory_equal(y, ((int16_t[]){0, 5, 6, 6, 7, 8}), sizeof(y));
}

static void stacker_repeats_the_first_frame(void **state)
{
	(void)state;
	int16_t x[2] = {1, 2}, y[6];
	bool valid = true;
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_STACKER);
	op_bench_input(&b, DTYPE_INT16, SHAPE(2), x);
	op_bench_output(&b, DTYPE_INT16, SHAPE(6), y);
	op_bench_output(&b, DTYPE_BOOL, scalar, &valid);
	b.node.options.signal_stacker = (struct options_signal_stacker){2, 1, 1, 2};
	assert_int_equal(op_bench_run(&b), 0);
	assert_false(valid);
	x[0] = 3, x[1] = 4;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(valid);
	assert_memory_equal(y, ((int16_t[]){1, 2, 1, 2, 3, 4}), sizeof(y));
	assert_int_equal(op_bench_run(&b), 0);
	assert_false(valid);
}

static void delay_gives_back_what_came_earlier(void **state)
{
	(void)state;
	const int16_t x[4] = {1, 2, 11, 12};
	int16_t y[4];
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_DELAY);
	op_bench_input(&b, DTYPE_INT16, SHAPE(2, 2), x);
	op_bench_output(&b, DTYPE_INT16, SHAPE(2, 2), y);
	b.node.options.signal_delay.length = 3;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((int16_t[]){0, 0, 0, 0}), sizeof(y));
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((int16_t[]){0, 1, 0, 11}), sizeof(y));
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((int16_t[]){2, 1, 12, 11}), sizeof(y));
	memset(b.state, 0, sizeof(b.state));
	b.node.options.signal_delay.length = 1;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((int16_t[]){0, 1, 0, 11}), sizeof(y));
	b.node.options.signal_delay.length = 0;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, x, sizeof(y));
}

static void overlap_add_saturates_and_carries_on(void **state)
{
	(void)state;
	const int16_t x[6] = {10000, 30000, 3, 10, 30000, 30};
	int16_t y[4];
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_OVERLAP_ADD);
	op_bench_input(&b, DTYPE_INT16, SHAPE(2, 3), x);
	op_bench_output(&b, DTYPE_INT16, SHAPE(2), y);
	b.node.options.signal_overlap_add.type = DTYPE_INT16;
	b.node.options.signal_overlap_add.frame_step = 1;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((int16_t[]){10000, 30010}), 4);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((int16_t[]){32767, 30040}), 4);
}

static void overlap_add_of_floats_is_a_sum(void **state)
{
	(void)state;
	const float x[6] = {1, 2, 3, 10, 20, 30};
	float y[2];
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_OVERLAP_ADD);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 3), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2), y);
	b.node.options.signal_overlap_add.type = DTYPE_FLOAT32;
	b.node.options.signal_overlap_add.frame_step = 1;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] == 1 && y[1] == 12);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] == 24 && y[1] == 42);
}

static void state_of_a_size_unknown_at_load_is_refused(void **state)
{
	(void)state;
	const int16_t x[2] = {0};
	int16_t y[2];
	struct op_bench b;
	op_bench_init(&b, OP_SIGNAL_DELAY);
	int32_t input = op_bench_input(&b, DTYPE_INT16, SHAPE(2), x);
	op_bench_output(&b, DTYPE_INT16, SHAPE(2), y);
	b.shapes[input].dim[0] = -1;
	assert_int_equal(op_bench_run(&b), -EOPNOTSUPP);
	assert_non_null(strstr(b.err.text, "state of a size that only a run knows"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_multiplies_shifts_and_saturates),
		cmocka_unit_test(auto_scale_uses_all_bits_but_the_sign),
		cmocka_unit_test(rfft_pads_with_zeros_and_transforms_each_row),
		cmocka_unit_test(irfft_undoes_rfft),
		cmocka_unit_test(energy_is_zero_outside_of_its_bins),
		cmocka_unit_test(filter_bank_adds_both_sides_of_a_channel),
		cmocka_unit_test(filter_bank_reads_nothing_outside),
		cmocka_unit_test(filter_bank_is_cancelled_between_channels),
		cmocka_unit_test(square_root_rounds_and_shifts),
		cmocka_unit_test(subtraction_follows_the_noise_over_runs),
		cmocka_unit_test(pcan_compresses_what_the_noise_does_not_explain),
		cmocka_unit_test(log_is_the_natural_one_in_the_output_scale),
		cmocka_unit_test(framer_overlaps_frames_over_runs),
		cmocka_unit_test(stacker_repeats_the_first_frame),
		cmocka_unit_test(delay_gives_back_what_came_earlier),
		cmocka_unit_test(overlap_add_saturates_and_carries_on),
		cmocka_unit_test(overlap_add_of_floats_is_a_sum),
		cmocka_unit_test(state_of_a_size_unknown_at_load_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
