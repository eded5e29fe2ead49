/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "client/media/byte_source.h"
#include "client/media/sound.h"

static void write_wav(struct bytes_writer *w, uint16_t coding, uint16_t channels, uint32_t rate,
	uint16_t bits, const void *data, uint32_t claimed, size_t bytes)
{
	bytes_write(w, "RIFF\0\0\0\0WAVE", 12);
	bytes_write(w, "fmt ", 4);
	bytes_write_u32(w, 16);
	bytes_write_u16(w, coding);
	bytes_write_u16(w, channels);
	bytes_write_u32(w, rate);
	bytes_write_u32(w, rate * channels * bits / 8);
	bytes_write_u16(w, (uint16_t)(channels * bits / 8));
	bytes_write_u16(w, bits);
	bytes_write(w, "LIST\3\0\0\0abc\0", 12); /* an odd chunk and its padding */
	bytes_write(w, "data", 4);
	bytes_write_u32(w, claimed);
	bytes_write(w, data, bytes);
}

static void check_samples(uint16_t coding, uint16_t channels, uint16_t bits, const void *data,
	size_t bytes, const float *wanted, size_t n)
{
	struct bytes_writer w = {0};
	owned_sound struct sound sound = {0};
	write_wav(&w, coding, channels, 8000, bits, data, (uint32_t)bytes, bytes);
	assert_int_equal(sound_wav_decode(w.data, w.size, &sound, NULL), 0);
	assert_int_equal(sound.rate, 8000);
	assert_int_equal(sound.n, n);
	assert_memory_equal(sound.samples, wanted, n * sizeof(wanted[0]));
	bytes_writer_deinit(&w);
}

static void every_coding_has_the_same_full_scale(void **state)
{
	(void)state;
	const float wanted[3] = {-1, 0, 0.5f};
	check_samples(1, 1, 8, (const uint8_t[]){0, 128, 192}, 3, wanted, 3);
	check_samples(1, 1, 16, (const int16_t[]){-32768, 0, 16384}, 6, wanted, 3);
	check_samples(1, 1, 24, (const uint8_t[]){0, 0, 0x80, 0, 0, 0, 0, 0, 0x40}, 9, wanted, 3);
	check_samples(1, 1, 32, (const int32_t[]){INT32_MIN, 0, 1 << 30}, 12, wanted, 3);
	check_samples(3, 1, 32, (const float[]){-1, 0, 0.5f}, 12, wanted, 3);
	check_samples(3, 1, 64, (const double[]){-1, 0, 0.5}, 24, wanted, 3);
}

static void two_channels_are_mixed(void **state)
{
	(void)state;
	const float wanted[2] = {0.25f, -0.5f};
	check_samples(1, 2, 16, (const int16_t[]){16384, 0, -16384, -16384}, 8, wanted, 2);
}

static void data_that_claims_too_much_ends_with_the_file(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	owned_sound struct sound sound = {0};
	const int16_t samples[2] = {100, 200};
	write_wav(&w, 1, 1, 16000, 16, samples, UINT32_MAX, sizeof(samples));
	assert_int_equal(sound_wav_decode(w.data, w.size, &sound, NULL), 0);
	assert_int_equal(sound.n, 2);
	bytes_writer_deinit(&w);
}

static void data_of_unknown_size_ends_with_the_file(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	owned_sound struct sound sound = {0}, none = {0};
	const int16_t samples[2] = {16384, -16384};
	write_wav(&w, 1, 1, 16000, 16, samples, 0, sizeof(samples));
	assert_int_equal(sound_wav_decode(w.data, w.size, &sound, NULL), 0);
	assert_int_equal(sound.n, 2);
	assert_true(sound.samples[0] == 0.5f && sound.samples[1] == -0.5f);
	w.data[4] = (uint8_t)(w.size - 8); /* the file has them, but they are no sound */
	assert_int_equal(sound_wav_decode(w.data, w.size, &none, NULL), 0);
	assert_int_equal(none.n, 0);
	bytes_writer_deinit(&w);
}

static void check_unsupported(const uint8_t *data, size_t size, const char *why)
{
	struct sound none = {0};
	struct error err = {0};
	const struct source source = {
		.path = "-", .data = (uint8_t *)(uintptr_t)data, .size = size};
	assert_int_equal(source_format_of(&source), SOURCE_WAV);
	assert_int_equal(sound_wav_decode(data, size, &none, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, why);
}

static void samples_that_lie_otherwise_are_not_read_as_noise(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	write_wav(&w, 1, 1, 16000, 24, "abcdefgh", 8, 8);
	w.data[32] = 4;
	check_unsupported(w.data, w.size, "WAV: 1 channels of 24 bits in 4 bytes");
	w.data[32] = 3;
	memcpy(w.data, "RIFX", 4);
	check_unsupported(w.data, w.size, "WAV: RIFX is not read here, RIFF is");
	memcpy(w.data, "RF64", 4);
	check_unsupported(w.data, w.size, "WAV: RF64 is not read here, RIFF is");
	bytes_writer_deinit(&w);
}

static void what_is_no_wav_is_refused(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	struct sound sound = {0};
	struct error err = {0};
	write_wav(&w, 1, 1, 16000, 16, "abcd", 4, 4);
	for (size_t cut = 0; cut < w.size - 4; cut++) {
		assert_true(sound_wav_decode(w.data, cut, &sound, &err) < 0);
	}
	bytes_writer_deinit(&w);
	write_wav(&w, 2, 1, 16000, 4, "abcd", 4, 4);
	assert_int_equal(sound_wav_decode(w.data, w.size, &sound, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "WAV: coding 2 with 4 bits is not read here");
	bytes_writer_deinit(&w);
	write_wav(&w, 1, 0, 16000, 16, "abcd", 4, 4);
	assert_int_equal(sound_wav_decode(w.data, w.size, &sound, &err), -EBADMSG);
	bytes_writer_deinit(&w);
	write_wav(&w, 1, 1, 1, 16, "abcd", 4, 4);
	assert_int_equal(sound_wav_decode(w.data, w.size, &sound, &err), -EBADMSG);
	bytes_writer_deinit(&w);
}

/* A sine of @hertz, one second. */
static void make_sine(struct sound *sound, uint32_t rate, double hertz)
{
	sound->samples = calloc(rate, sizeof(sound->samples[0]));
	assert_non_null(sound->samples);
	sound->n = rate;
	sound->rate = rate;
	for (uint32_t i = 0; i < rate; i++) {
		sound->samples[i] = (float)(0.5 * sin(2 * M_PI * hertz * i / rate));
	}
}

static void resampling_keeps_a_tone_where_it_is(void **state)
{
	(void)state;
	static const uint32_t rates[] = {44100, 48000, 8000, 22050, 15991, 44101, 383987, 3989};
	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		owned_sound struct sound from = {0}, to = {0};
		make_sine(&from, rates[r], 1000);
		assert_int_equal(sound_resample(&from, 16000, &to, NULL), 0);
		assert_int_equal(to.n, 16000);
		for (size_t i = 200; i < 15800; i++) { /* the ends meet silence */
			double wanted = 0.5 * sin(2 * M_PI * 1000 * (double)i / 16000);
			assert_true(fabs((double)to.samples[i] - wanted) < 2e-3);
		}
	}
}

/* As the filter is defined, with a weight for each place. */
static double sinc_at(const struct sound *from, double at, double cutoff)
{
	const double reach = ceil(16 / cutoff);
	double sum = 0, weights = 0;
	for (int64_t k = (int64_t)(at - reach); k <= (int64_t)(at + reach); k++) {
		const double x = (double)k - at, angle = M_PI * cutoff * x;
		if (fabs(x) < reach && k >= 0 && k < (int64_t)from->n) {
			const double sinc = x == 0 ? 1 : sin(angle) / angle;
			const double weight = sinc * (0.5 + 0.5 * cos(M_PI * x / reach));
			sum += weight * (double)from->samples[k];
			weights += weight;
		}
	}
	return sum / weights;
}

static void places_between_two_weights_are_as_good_as_their_own(void **state)
{
	(void)state;
	static const uint32_t rates[] = {1009, 3989, 15991, 44101, 383987};
	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		owned_sound struct sound from = {0}, to = {0};
		make_sine(&from, rates[r], 300);
		assert_int_equal(sound_resample(&from, 16000, &to, NULL), 0);
		const double cutoff = 0.95 * fmin(1, 16000.0 / rates[r]);
		for (size_t i = 300; i < 15700; i += 7) {
			const double at = (double)i * rates[r] / 16000;
			const double wanted = sinc_at(&from, at, cutoff);
			assert_true(fabs((double)to.samples[i] - wanted) < 1e-6);
		}
	}
}

static void no_pair_of_rates_takes_more_than_the_others(void **state)
{
	(void)state;
	owned_sound_filter struct sound_filter f = {0};
	static const uint32_t rates[] = {
		1000, 1009, 3989, 8000, 15991, 16000, 44100, 48000, 192000, 383987, 384000};
	const size_t n = sizeof(rates) / sizeof(rates[0]);
	for (size_t i = 0; i < n * n; i++) {
		assert_int_equal(sound_filter_make(&f, rates[i / n], rates[i % n], NULL), 0);
		assert_true(f.n_weights <= SOUND_FILTER_MAX_WEIGHTS);
		const float *weights = f.weights;
		assert_int_equal(sound_filter_make(&f, rates[i / n], rates[i % n], NULL), 0);
		assert_ptr_equal(f.weights, weights); /* it is kept */
	}
	assert_int_equal(sound_filter_make(&f, 999, 16000, NULL), -EINVAL);
	assert_int_equal(sound_filter_make(&f, 16000, 384001, NULL), -EINVAL);
	assert_null(f.weights);
}

static void resampling_drops_what_the_new_rate_cannot_hold(void **state)
{
	(void)state;
	owned_sound struct sound from = {0}, to = {0};
	make_sine(&from, 48000, 12000);
	assert_int_equal(sound_resample(&from, 16000, &to, NULL), 0);
	for (size_t i = 200; i < 15800; i++) {
		assert_true(fabsf(to.samples[i]) < 2e-3f);
	}
	assert_int_equal(sound_resample(&from, 10, &to, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_coding_has_the_same_full_scale),
		cmocka_unit_test(two_channels_are_mixed),
		cmocka_unit_test(data_that_claims_too_much_ends_with_the_file),
		cmocka_unit_test(data_of_unknown_size_ends_with_the_file),
		cmocka_unit_test(samples_that_lie_otherwise_are_not_read_as_noise),
		cmocka_unit_test(what_is_no_wav_is_refused),
		cmocka_unit_test(resampling_keeps_a_tone_where_it_is),
		cmocka_unit_test(places_between_two_weights_are_as_good_as_their_own),
		cmocka_unit_test(no_pair_of_rates_takes_more_than_the_others),
		cmocka_unit_test(resampling_drops_what_the_new_rate_cannot_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
