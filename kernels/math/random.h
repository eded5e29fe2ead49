/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random - counter-based random numbers: Philox 4x32 of 10 rounds, Threefry 2x32 of 20 rounds
 *
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; what is made of the
 * words: TensorFlow's philox_random.h and random_distributions_utils.h.
 */
#ifndef KERNELS_MATH_RANDOM_H
#define KERNELS_MATH_RANDOM_H

#include <stdint.h>

struct ek_philox {
	uint32_t key[2];
	uint32_t counter[4]; /* 128 bits, lowest word first */
};

/* TensorFlow's: the key is @seed, the counter's upper half @seed2. */
struct ek_philox ek_philox_of(int64_t seed, int64_t seed2);

/* The four words of the counter as it is. */
void ek_philox_words(const struct ek_philox *g, uint32_t ret[4]);

/* Adds @n to the counter. */
void ek_philox_skip(struct ek_philox *g, uint64_t n);

void ek_threefry_words(const uint32_t key[2], const uint32_t counter[2], uint32_t ret[2]);

/* 0 <= x < 1, with the 23 low bits of the word. */
float ek_random_f32(uint32_t word);
/* 0 <= x < 1, with 20 bits of the first and 32 of the second word. */
double ek_random_f64(uint32_t high, uint32_t low);
/* Two numbers of the standard normal distribution (Box and Muller). */
void ek_random_normal_f32(uint32_t a, uint32_t b, float ret[2]);

#endif
