/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/math/random.h"

#include <math.h>
#include <string.h>

struct ek_philox ek_philox_of(int64_t seed, int64_t seed2)
{
	uint64_t key = (uint64_t)seed, high = (uint64_t)seed2;
	return (struct ek_philox){.key = {(uint32_t)key, (uint32_t)(key >> 32)},
		.counter = {0, 0, (uint32_t)high, (uint32_t)(high >> 32)}};
}

void ek_philox_words(const struct ek_philox *g, uint32_t ret[4])
{
	uint32_t x[4], k0 = g->key[0], k1 = g->key[1];
	memcpy(x, g->counter, sizeof(x));
	for (int round = 0; round < 10; round++) {
		uint64_t a = (uint64_t)0xd2511f53 * x[0], b = (uint64_t)0xcd9e8d57 * x[2];
		x[0] = (uint32_t)(b >> 32) ^ x[1] ^ k0;
		x[1] = (uint32_t)b;
		x[2] = (uint32_t)(a >> 32) ^ x[3] ^ k1;
		x[3] = (uint32_t)a;
		k0 += 0x9e3779b9; /* the golden ratio */
		k1 += 0xbb67ae85; /* the square root of 3, without its 1 */
	}
	memcpy(ret, x, sizeof(x));
}

void ek_philox_skip(struct ek_philox *g, uint64_t n)
{
	for (int i = 0; i < 4 && n; i++) {
		uint64_t sum = (uint64_t)g->counter[i] + (uint32_t)n;
		g->counter[i] = (uint32_t)sum;
		n = (n >> 32) + (sum >> 32);
	}
}

void ek_threefry_words(const uint32_t key[2], const uint32_t counter[2], uint32_t ret[2])
{
	static const uint8_t turns[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
	const uint32_t keys[3] = {key[0], key[1], key[0] ^ key[1] ^ 0x1bd11bda};
	uint32_t a = counter[0] + keys[0], b = counter[1] + keys[1];
	for (uint32_t block = 1; block <= 5; block++) {
		for (int i = 0; i < 4; i++) {
			int turn = turns[(block - 1) & 1][i];
			a += b;
			b = (b << turn | b >> (32 - turn)) ^ a;
		}
		a += keys[block % 3];
		b += keys[(block + 1) % 3] + block;
	}
	ret[0] = a;
	ret[1] = b;
}

float ek_random_f32(uint32_t word)
{
	uint32_t bits = UINT32_C(127) << 23 | (word & 0x7fffff);
	float x;
	memcpy(&x, &bits, sizeof(x));
	return x - 1.0f;
}

double ek_random_f64(uint32_t high, uint32_t low)
{
	uint64_t bits = UINT64_C(1023) << 52 | (uint64_t)(high & 0xfffff) << 32 | low;
	double x;
	memcpy(&x, &bits, sizeof(x));
	return x - 1.0;
}

void ek_random_normal_f32(uint32_t a, uint32_t b, float ret[2])
{
	float u = ek_random_f32(a);
	float angle = (float)(2 * 3.14159265358979323846 * (double)ek_random_f32(b));
	u = u < 1e-7f ? 1e-7f : u; /* no logarithm of 0 */
	float radius = sqrtf(-2.0f * logf(u));
	ret[0] = sinf(angle) * radius;
	ret[1] = cosf(angle) * radius;
}
