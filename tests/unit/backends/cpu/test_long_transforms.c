/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms that are too long for one call of a kernel come in parts, to the same bits, and end at their
 * deadline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernels/signal/fft.h"
#include "kernels/signal/mfcc.h"
#include "kernels/signal/signal_fft.h"
#include "tests/fakes/looks.h"

#define LONG 131072
#define STEPS_OF_A_LOOK 32768 /* of a pass at most */

struct buffers {
	_Alignas(64) float x[2 * LONG + 16];
	_Alignas(64) float z[2 * LONG + 16], want[2 * LONG + 16];
	double wide[LONG];
	struct ek_complex_f64 table[LONG], bins[LONG + 1];
	char scratch[8 * LONG];
};

static int make_buffers(void **state)
{
	struct buffers *b = aligned_alloc(64, (sizeof(*b) + 63) / 64 * 64);
	uint32_t random = 1;
	assert_non_null(b);
	memset(b, 0, sizeof(*b));
	for (int32_t i = 0; i < 2 * LONG + 16; i++) {
		random = random * 1664525u + 1013904223u;
		b->x[i] = (float)(int32_t)random / 3e8f;
	}
	*state = b;
	return 0;
}

static int free_buffers(void **state)
{
	free(*state);
	return 0;
}

/* Looks of @passes passes of @steps steps each. */
static uint64_t looks_of(uint64_t passes, uint64_t steps)
{
	return passes * (steps / STEPS_OF_A_LOOK);
}

/* The lengths are no constant, so the tables are made in each run too. */
static void init_rfft2d(struct op_bench *b, const float *x, const int32_t *lengths, float *z)
{
	op_bench_init(b, OP_RFFT2D);
	op_bench_input(b, DTYPE_FLOAT32, SHAPE(lengths[0], lengths[1]), x);
	op_bench_input(b, DTYPE_INT32, SHAPE(2), lengths);
	op_bench_output(b, DTYPE_COMPLEX64, SHAPE(lengths[0], lengths[1] / 2 + 1), z);
}

static void long_rows_are_transformed_in_parts(void **state)
{
	struct buffers *b = *state;
	const int32_t lengths[] = {1, LONG};
	struct op_bench bench;
	init_rfft2d(&bench, b->x, lengths, b->z);
	looks_run(&bench, looks_of(ek_rfft_passes(LONG), ek_rfft_steps(LONG)));
	for (int32_t i = 0; i < LONG; i++) {
		b->wide[i] = (double)b->x[i];
	}
	ek_fft_table_f64(b->table, LONG);
	ek_rfft_f64(b->bins, b->wide, LONG, b->table);
	for (int32_t k = 0; k <= LONG / 2; k++) {
		assert_true(b->z[2 * k] == (float)b->bins[k].re);
		assert_true(b->z[2 * k + 1] == (float)b->bins[k].im);
	}
}

static void long_columns_are_transformed_in_parts(void **state)
{
	struct buffers *b = *state;
	const int32_t lengths[] = {LONG / 2, 2};
	struct op_bench bench;
	init_rfft2d(&bench, b->x, lengths, b->z);
	/* Columns are taken, and given back, in parts of their own. */
	const uint64_t moving = 4 * (LONG / 2 / 2048 - 1);
	looks_run(&bench, moving + 2 * looks_of(ek_fft_passes(LONG / 2), LONG / 4));
	ek_fft_table_f64(b->table, LONG / 2);
	for (int32_t x = 0; x < 2; x++) { /* sums, then differences */
		for (int32_t y = 0; y < LONG / 2; y++) {
			const double one = (double)b->x[2 * y], other = (double)b->x[2 * y + 1];
			b->bins[y] = (struct ek_complex_f64){x ? one - other : one + other, 0};
		}
		ek_fft_f64(b->bins, LONG / 2, b->table);
		for (int32_t y = 0; y < LONG / 2; y++) {
			assert_true(b->z[4 * y + 2 * x] == (float)b->bins[y].re);
			assert_true(b->z[4 * y + 2 * x + 1] == (float)b->bins[y].im);
		}
	}
}

static void long_columns_of_width_one_look_at_the_clock(void **state)
{
	struct buffers *b = *state;
	const int32_t lengths[] = {LONG, 1};
	struct op_bench bench;
	init_rfft2d(&bench, b->x, lengths, b->z);
	looks_run(&bench, LONG / STEPS_OF_A_LOOK);
	assert_true(b->z[0] == -b->z[1] && b->z[0] == b->x[0]);
	assert_true(b->z[LONG] == b->x[LONG / 2] && b->z[LONG + 1] == 0);
}

static void init_signal(struct op_bench *b, enum op op, enum dtype type, const void *x, void *z)
{
	const bool inverse = op == OP_SIGNAL_IRFFT;
	op_bench_init(b, op);
	op_bench_input(b, type, SHAPE(inverse ? LONG + 2 : LONG), x);
	op_bench_output(b, type, SHAPE(inverse ? LONG : LONG + 2), z);
	b->node.options.signal_fft.type = (int32_t)type;
	b->node.options.signal_fft.length = LONG;
}

static void long_signals_are_transformed_in_parts(void **state)
{
	struct buffers *b = *state;
	const enum dtype types[] = {DTYPE_INT16, DTYPE_INT32, DTYPE_FLOAT32};
	const uint64_t least = looks_of(ek_signal_rfft_passes(LONG), LONG / 2);
	for (int i = 0; i < 3; i++) {
		const size_t number = types[i] == DTYPE_INT16 ? 2 : 4;
		struct op_bench bench;
		init_signal(&bench, OP_SIGNAL_RFFT, types[i], b->x, b->z);
		looks_run(&bench, least);
		if (types[i] == DTYPE_INT16) {
			ek_signal_fft_table_s16((void *)b->table, LONG, false);
			ek_signal_rfft_s16((void *)b->want, (void *)b->x, LONG, (void *)b->table,
				(void *)b->scratch);
		} else if (types[i] == DTYPE_INT32) {
			ek_signal_fft_table_s32((void *)b->table, LONG, false);
			ek_signal_rfft_s32((void *)b->want, (void *)b->x, LONG, (void *)b->table,
				(void *)b->scratch);
		} else {
			ek_signal_fft_table_f32((void *)b->table, LONG, false);
			ek_signal_rfft_f32(
				(void *)b->want, b->x, LONG, (void *)b->table, (void *)b->scratch);
		}
		assert_memory_equal(b->z, b->want, (LONG + 2) * number);
	}
}

static void long_signals_are_transformed_back_in_parts(void **state)
{
	struct buffers *b = *state;
	const enum dtype types[] = {DTYPE_INT16, DTYPE_INT32, DTYPE_FLOAT32};
	const uint64_t least = looks_of(ek_signal_irfft_passes(LONG), LONG / 2);
	for (int i = 0; i < 3; i++) {
		const size_t number = types[i] == DTYPE_INT16 ? 2 : 4;
		struct op_bench bench;
		init_signal(&bench, OP_SIGNAL_IRFFT, types[i], b->x, b->z);
		looks_run(&bench, least);
		if (types[i] == DTYPE_INT16) {
			ek_signal_fft_table_s16((void *)b->table, LONG, true);
			ek_signal_irfft_s16((void *)b->want, (void *)b->x, LONG, (void *)b->table,
				(void *)b->scratch);
		} else if (types[i] == DTYPE_INT32) {
			ek_signal_fft_table_s32((void *)b->table, LONG, true);
			ek_signal_irfft_s32((void *)b->want, (void *)b->x, LONG, (void *)b->table,
				(void *)b->scratch);
		} else {
			ek_signal_fft_table_f32((void *)b->table, LONG, true);
			ek_signal_irfft_f32(
				b->want, (void *)b->x, LONG, (void *)b->table, (void *)b->scratch);
		}
		assert_memory_equal(b->z, b->want, LONG * number);
	}
}

static void long_spectra_look_at_the_clock(void **state)
{
	struct buffers *b = *state;
	struct op_bench bench;
	op_bench_init(&bench, OP_AUDIO_SPECTROGRAM);
	op_bench_input(&bench, DTYPE_FLOAT32, SHAPE(LONG, 1), b->x);
	op_bench_output(&bench, DTYPE_FLOAT32, SHAPE(1, 1, LONG / 2 + 1), b->z);
	bench.node.options.spectrogram = (struct options_spectrogram){LONG, 1, true};
	looks_run(&bench, looks_of(ek_rfft_passes(LONG), ek_rfft_steps(LONG)));
}

enum {
	CHANNELS = 64,
	COEFFICIENTS = 20
};

static void mfcc_of_long_spectra_are_made_in_parts(void **state)
{
	struct buffers *b = *state;
	const int32_t rate = 16000;
	static double cosines[COEFFICIENTS * CHANNELS];
	double centres[CHANNELS + 1], work[CHANNELS] = {0};
	struct op_bench bench;
	for (int32_t i = 0; i < LONG; i++) {
		b->x[i] *= b->x[i];
	}
	op_bench_init(&bench, OP_MFCC);
	op_bench_input(&bench, DTYPE_FLOAT32, SHAPE(1, 1, LONG), b->x);
	op_bench_input(&bench, DTYPE_INT32, (struct shape){0}, &rate);
	op_bench_output(&bench, DTYPE_FLOAT32, SHAPE(1, 1, COEFFICIENTS), b->z);
	bench.node.options.mfcc = (struct options_mfcc){7000, 20, CHANNELS, COEFFICIENTS};
	looks_run(&bench, looks_of(2, LONG));
	struct ek_mel mel = {.bins = LONG,
		.channels = CHANNELS,
		.channel = (int32_t *)b->scratch,
		.weight = b->wide,
		.centres = centres};
	ek_mel_init(&mel, rate, 20, 7000);
	ek_mel_fill(&mel, 0, LONG);
	ek_mfcc_cosines(cosines, CHANNELS, 0, COEFFICIENTS);
	ek_mfcc_add(work, b->x, &mel, 0, LONG);
	ek_mfcc_log(work, &mel);
	ek_mfcc_transform(b->want, work, &mel, cosines, 0, COEFFICIENTS);
	assert_memory_equal(b->z, b->want, COEFFICIENTS * sizeof(float));
}

#define LONG_TEST(name) cmocka_unit_test_setup_teardown(name, make_buffers, free_buffers)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LONG_TEST(long_rows_are_transformed_in_parts),
		LONG_TEST(long_columns_are_transformed_in_parts),
		LONG_TEST(long_columns_of_width_one_look_at_the_clock),
		LONG_TEST(long_signals_are_transformed_in_parts),
		LONG_TEST(long_signals_are_transformed_back_in_parts),
		LONG_TEST(long_spectra_look_at_the_clock),
		LONG_TEST(mfcc_of_long_spectra_are_made_in_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
