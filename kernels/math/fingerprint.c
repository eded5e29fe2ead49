/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/math/fingerprint.h"

#include <string.h>

/* Primes between 2^63 and 2^64, as the definition has them. */
#define PRIME_0 UINT64_C(0xc3a5c85c97cb3127)
#define PRIME_1 UINT64_C(0xb492b66fbe98f273)
#define PRIME_2 UINT64_C(0x9ae16a3b2f90404f)

struct pair {
	uint64_t first, second;
};

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t turn(uint64_t x, int bits)
{
	return x >> bits | x << (64 - bits);
}

static uint64_t fold(uint64_t x)
{
	return x ^ x >> 47;
}

/* Two numbers to one. */
static uint64_t join(uint64_t a, uint64_t b, uint64_t factor)
{
	return fold((b ^ fold((a ^ b) * factor)) * factor) * factor;
}

static uint64_t hash_to_16(const uint8_t *p, size_t n)
{
	uint64_t factor = PRIME_2 + 2 * (uint64_t)n;
	if (n >= 8) {
		uint64_t a = get64(p) + PRIME_2, b = get64(p + n - 8);
		return join(turn(b, 37) * factor + a, (turn(a, 25) + b) * factor, factor);
	}
	if (n >= 4) {
		return join(n + (get32(p) << 3), get32(p + n - 4), factor);
	}
	if (n > 0) {
		uint64_t ends = p[0] + ((uint64_t)p[n / 2] << 8);
		uint64_t size = n + ((uint64_t)p[n - 1] << 2);
		return fold(ends * PRIME_2 ^ size * PRIME_0) * PRIME_2;
	}
	return PRIME_2;
}

/* The first and the last 16 bytes, as two numbers that are joined. */
static struct pair ends_of(const uint8_t *p, size_t n, uint64_t first, uint64_t factor)
{
	uint64_t a = get64(p) * first, b = get64(p + 8);
	uint64_t c = get64(p + n - 8) * factor, d = get64(p + n - 16) * PRIME_2;
	return (struct pair){turn(a + b, 43) + turn(c, 30) + d, a + turn(b + PRIME_2, 18) + c};
}

static uint64_t hash_to_32(const uint8_t *p, size_t n)
{
	uint64_t factor = PRIME_2 + 2 * (uint64_t)n;
	struct pair ends = ends_of(p, n, PRIME_1, factor);
	return join(ends.first, ends.second, factor);
}

static uint64_t hash_to_64(const uint8_t *p, size_t n)
{
	uint64_t factor = PRIME_2 + 2 * (uint64_t)n;
	struct pair ends = ends_of(p, n, PRIME_2, factor);
	uint64_t a = get64(p) * PRIME_2;
	uint64_t z = join(ends.first, ends.second, factor);
	uint64_t e = get64(p + 16) * factor, f = get64(p + 24);
	uint64_t g = (ends.first + get64(p + n - 32)) * factor;
	uint64_t h = (z + get64(p + n - 24)) * factor;
	return join(turn(e + f, 43) + turn(g, 30) + h, e + turn(f + a, 18) + g, factor);
}

/* 32 bytes stirred into two numbers. */
static struct pair stir(const uint8_t *p, uint64_t a, uint64_t b)
{
	uint64_t last = get64(p + 24);
	a += get64(p);
	b = turn(b + a + last, 21);
	uint64_t before = a;
	a += get64(p + 8) + get64(p + 16);
	return (struct pair){a + last, b + turn(a, 44) + before};
}

/* One block; the last one has factors of its own. */
static void mix(struct ek_fingerprint *f, const uint8_t *p, uint64_t factor, uint64_t weight)
{
	uint64_t x = turn(f->x + f->y + f->v[0] + get64(p + 8), 37) * factor;
	uint64_t y = turn(f->y + f->v[1] + get64(p + 48), 42) * factor;
	x ^= f->w[1] * weight;
	y += f->v[0] * weight + get64(p + 40);
	uint64_t z = turn(f->z + f->w[0], 33) * factor;
	struct pair v = stir(p, f->v[1] * factor, x + f->w[0]);
	struct pair w = stir(p + 32, z + f->w[1], y + get64(p + 16));
	*f = (struct ek_fingerprint){
		.x = z, .y = y, .z = x, .v = {v.first, v.second}, .w = {w.first, w.second}};
}

void ek_fingerprint_start(struct ek_fingerprint *f, const void *data)
{
	const uint64_t seed = 81;
	*f = (struct ek_fingerprint){.x = seed * PRIME_2 + get64(data), .y = seed * PRIME_1 + 113};
	f->z = fold(f->y * PRIME_2 + 113) * PRIME_2;
}

void ek_fingerprint_add(struct ek_fingerprint *f, const void *data, size_t first, size_t end)
{
	struct ek_fingerprint known = *f;
	for (size_t i = first; i < end; i++) {
		mix(&known, (const uint8_t *)data + i * 64, PRIME_1, 1);
	}
	*f = known;
}

uint64_t ek_fingerprint_end(struct ek_fingerprint *f, const void *data, size_t size)
{
	uint64_t factor = PRIME_1 + ((f->z & 0xff) << 1);
	f->w[0] += (size - 1) % 64;
	f->v[0] += f->w[0];
	f->w[0] += f->v[0];
	/* The last block overlaps the one before it. */
	mix(f, (const uint8_t *)data + size - 64, factor, 9);
	return join(join(f->v[0], f->w[0], factor) + fold(f->y) * PRIME_0 + f->z,
		join(f->v[1], f->w[1], factor) + f->x, factor);
}

static uint64_t hash_long(const uint8_t *p, size_t n)
{
	struct ek_fingerprint f;
	ek_fingerprint_start(&f, p);
	ek_fingerprint_add(&f, p, 0, ek_fingerprint_blocks(n));
	return ek_fingerprint_end(&f, p, n);
}

uint64_t ek_fingerprint64(const void *data, size_t size)
{
	return size <= 16                      ? hash_to_16(data, size)
		: size <= 32                   ? hash_to_32(data, size)
		: size <= EK_FINGERPRINT_SHORT ? hash_to_64(data, size)
					       : hash_long(data, size);
}
