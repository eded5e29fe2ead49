/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "kernels/math/fingerprint.h"
#include "kernels/math/random.h"

static void assert_philox(const uint32_t key[2], const uint32_t counter[4], const uint32_t words[4])
{
	struct ek_philox g = {.key = {key[0], key[1]}};
	uint32_t got[4];
	for (int i = 0; i < 4; i++) {
		g.counter[i] = counter[i];
	}
	ek_philox_words(&g, got);
	assert_memory_equal(got, words, sizeof(got));
}

/* The known answers of the authors' library, Random123. */
static void philox_gives_the_known_answers(void **state)
{
	(void)state;
	const uint32_t ones = UINT32_MAX;
	assert_philox((uint32_t[]){0, 0}, (uint32_t[]){0, 0, 0, 0},
		(uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
	assert_philox((uint32_t[]){ones, ones}, (uint32_t[]){ones, ones, ones, ones},
		(uint32_t[]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
	assert_philox((uint32_t[]){0xa4093822, 0x299f31d0},
		(uint32_t[]){0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
		(uint32_t[]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

static void threefry_gives_the_known_answers(void **state)
{
	(void)state;
	uint32_t got[2];
	const uint32_t zeros[2] = {0, 0}, ones[2] = {UINT32_MAX, UINT32_MAX};
	const uint32_t key[2] = {0x13198a2e, 0x03707344}, counter[2] = {0x243f6a88, 0x85a308d3};
	ek_threefry_words(zeros, zeros, got);
	assert_true(got[0] == 0x6b200159 && got[1] == 0x99ba4efe);
	ek_threefry_words(ones, ones, got);
	assert_true(got[0] == 0x1cb996fc && got[1] == 0xbb002be7);
	ek_threefry_words(key, counter, got);
	assert_true(got[0] == 0xc4923a9c && got[1] == 0x483df7a0);
}

static void skip_carries_through_all_words(void **state)
{
	(void)state;
	struct ek_philox g = ek_philox_of(1, -1);
	assert_true(g.counter[2] == UINT32_MAX && g.counter[3] == UINT32_MAX && g.key[0] == 1);
	g.counter[0] = g.counter[1] = UINT32_MAX;
	ek_philox_skip(&g, 1);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(g.counter[i], 0);
	}
	ek_philox_skip(&g, UINT64_C(3) << 32 | 5);
	assert_true(g.counter[0] == 5 && g.counter[1] == 3 && g.counter[2] == 0);
}

static void words_become_numbers_below_one(void **state)
{
	(void)state;
	assert_true(ek_random_f32(0) == 0);
	assert_true(ek_random_f32(UINT32_MAX) == 1 - 0x1p-23f);
	assert_true(ek_random_f32(0x400000) == 0.5f);
	assert_true(ek_random_f64(0x80000, 0) == 0.5);
	assert_true(ek_random_f64(UINT32_MAX, UINT32_MAX) == 1 - 0x1p-52);
}

static void normal_numbers_stay_finite_at_zero(void **state)
{
	(void)state;
	float x[2];
	ek_random_normal_f32(0, 0, x);
	assert_true(x[0] == 0);
	assert_float_equal(x[1], sqrtf(-2 * logf(1e-7f)), 1e-6f);
	ek_random_normal_f32(0x400000, 0x200000, x); /* radius of 1/2, a quarter of the circle */
	assert_float_equal(x[0], 1.17741f, 1e-5f);
	assert_float_equal(x[1], 0, 1e-6f);
}

/* Of the bytes 0, 1, 2, ...: TensorFlow's Fingerprint (farmhash64) says the same. */
static void fingerprints_are_those_of_farmhash(void **state)
{
	(void)state;
	static const struct {
		size_t size;
		uint64_t hash;
	} known[] = {
		{0, 0x9ae16a3b2f90404f},
		{1, 0xbe6056edf5e94b54},
		{4, 0x82bffd898958e540},
		{9, 0x81371e150e4ad84f},
		{17, 0xbbb6a6f8f20d1f1c},
		{40, 0x8f45b937b49468c},
		{64, 0xf58504bb53decc4b},
		{65, 0xc6a3282c3e793dbe},
		{200, 0x74c7fcc26d66fb3},
	};
	uint8_t bytes[200];
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)i;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_true(ek_fingerprint64(bytes, known[i].size) == known[i].hash);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(philox_gives_the_known_answers),
		cmocka_unit_test(threefry_gives_the_known_answers),
		cmocka_unit_test(skip_carries_through_all_words),
		cmocka_unit_test(words_become_numbers_below_one),
		cmocka_unit_test(normal_numbers_stay_finite_at_zero),
		cmocka_unit_test(fingerprints_are_those_of_farmhash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
