/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/binary.h"

#include <float.h>
#include <math.h>

#include "kernels/math/f16.h"

/* What the names of types stand for. */
typedef float ek_f32;
typedef double ek_f64;
typedef int8_t ek_s8;
typedef uint8_t ek_u8;
typedef int16_t ek_s16;
typedef uint16_t ek_u16;
typedef int32_t ek_s32;
typedef uint32_t ek_u32;
typedef int64_t ek_s64;
typedef uint64_t ek_u64;

/* Integers wrap in an unsigned type. */
#define WIDE(x)                                                                                    \
	_Generic((x), float                                                                        \
		 : (x), double                                                                     \
		 : (x), int64_t                                                                    \
		 : (uint64_t)(x), uint64_t                                                         \
		 : (uint64_t)(x), default                                                          \
		 : (uint32_t)(x))

/*
 * Divisors are looked at before these run; who may write them meanwhile (a client's memory) can make
 * one 0 all the same. It is taken for -1 then: some answer, and no trap.
 */
#define FLOOR_DIV(x)                                                                               \
	static inline ek_##x floor_div_##x(ek_##x a, ek_##x b)                                     \
	{                                                                                          \
		if (b == -1 || b == 0) {                                                           \
			return (ek_##x)(0 - WIDE(a));                                              \
		}                                                                                  \
		return (ek_##x)(a / b - (a % b && (a ^ b) < 0));                                   \
	}
FLOOR_DIV(s8)
FLOOR_DIV(s16)
FLOOR_DIV(s32)

#define FLOOR_MOD(x)                                                                               \
	static inline ek_##x floor_mod_##x(ek_##x a, ek_##x b)                                     \
	{                                                                                          \
		ek_##x rest = (ek_##x)(b == -1 || b == 0 ? 0 : a % b);                             \
		return (ek_##x)(rest && (rest ^ b) < 0 ? rest + b : rest);                         \
	}
FLOOR_MOD(s8)
FLOOR_MOD(s16)
FLOOR_MOD(s32)
FLOOR_MOD(s64)

static inline float floor_div_f32(float a, float b)
{
	return (float)floor((double)a / (double)b);
}

static inline float floor_mod_f32(float a, float b)
{
	float rest = fmodf(a, b);
	return rest != 0 && (b < 0) != (rest < 0) ? rest + b : rest;
}

static inline int32_t pow_s32(int32_t x, int32_t y)
{
	if (x == 0 || x == 1) {
		return y == 0 ? 1 : x;
	}
	if (x == -1) {
		return y & 1 ? -1 : 1;
	}
	int64_t power = 1;
	for (int32_t i = 0; i < y; i++) {
		power *= x;
		if (power < INT32_MIN || power > INT32_MAX) {
			return INT32_MIN;
		}
	}
	return (int32_t)power;
}

static inline float pow_f32(float x, float y)
{
	return powf(x, y);
}

/* A count that stays in the width. */
static inline int32_t shift_count(int64_t count, int32_t bits)
{
	return (int32_t)(count < 0 ? 0 : count > bits - 1 ? bits - 1 : count);
}

/* When the first is picked. */
#define PICK_maximum x > y
#define PICK_minimum x < y
#define PICK_hlo_max !(x < y)
#define PICK_hlo_min !(y < x)

#define RULE_maximum(type) (PICK_maximum) ? x : y
#define RULE_minimum(type) (PICK_minimum) ? x : y
#define RULE_hlo_max(type) (PICK_hlo_max) ? x : y
#define RULE_hlo_min(type) (PICK_hlo_min) ? x : y
#define RULE_hlo_add(type) WIDE(x) + WIDE(y)
#define RULE_hlo_mul(type) WIDE(x) * WIDE(y)
#define RULE_hlo_shl(type) ((uint32_t)x << ((uint32_t)y & 31))
#define RULE_and(type) (x & y)
#define RULE_or(type) (x | y)
#define RULE_xor(type) (x ^ y)
#define RULE_right_shift(type) (x >> shift_count(y, 8 * sizeof(x)))
#define RULE_squared_difference(type) (WIDE(x) - WIDE(y)) * (WIDE(x) - WIDE(y))
#define RULE_floor_div(type) floor_div_##type(x, y)
#define RULE_floor_mod(type) floor_mod_##type(x, y)
#define RULE_pow(type) pow_##type(x, y)
#define RULE_atan2(type) atan2_##type(x, y)
#define atan2_f32 atan2f
#define atan2_f16 atan2f
#define atan2_f64 atan2

#define DEFINE(name, type)                                                                         \
	void ek_##name##_##type(                                                                   \
		void *dst, const void *a, const void *b, size_t n, size_t a_step, size_t b_step)   \
	{                                                                                          \
		const ek_##type *p = a, *q = b;                                                    \
		ek_##type *z = dst;                                                                \
		for (size_t i = 0; i < n; i++) {                                                   \
			ek_##type x = p[i * a_step], y = q[i * b_step];                            \
			z[i] = (ek_##type)(RULE_##name(type));                                     \
		}                                                                                  \
	}
EK_BINARY_ROWS(DEFINE)

#define DEFINE_F16(name, type)                                                                     \
	void ek_##name##_##type(                                                                   \
		void *dst, const void *a, const void *b, size_t n, size_t a_step, size_t b_step)   \
	{                                                                                          \
		const uint16_t *p = a, *q = b;                                                     \
		uint16_t *z = dst;                                                                 \
		for (size_t i = 0; i < n; i++) {                                                   \
			float x = ek_f16_get(p[i * a_step]), y = ek_f16_get(q[i * b_step]);        \
			z[i] = ek_f16_from(RULE_##name(type));                                     \
		}                                                                                  \
	}
EK_BINARY_ROWS_F16(DEFINE_F16)

/* A half is picked with the bits that it has. */
#define DEFINE_F16_PICK(name)                                                                      \
	void ek_##name##_f16(                                                                      \
		void *dst, const void *a, const void *b, size_t n, size_t a_step, size_t b_step)   \
	{                                                                                          \
		const uint16_t *p = a, *q = b;                                                     \
		uint16_t *z = dst;                                                                 \
		for (size_t i = 0; i < n; i++) {                                                   \
			uint16_t first = p[i * a_step], second = q[i * b_step];                    \
			float x = ek_f16_get(first), y = ek_f16_get(second);                       \
			z[i] = (PICK_##name) ? first : second;                                     \
		}                                                                                  \
	}
DEFINE_F16_PICK(maximum)
DEFINE_F16_PICK(minimum)
DEFINE_F16_PICK(hlo_max)
DEFINE_F16_PICK(hlo_min)

#define DEFINE_B(name, type)                                                                       \
	void ek_##name##_##type(                                                                   \
		void *dst, const void *a, const void *b, size_t n, size_t a_step, size_t b_step)   \
	{                                                                                          \
		const uint8_t *p = a, *q = b;                                                      \
		uint8_t *z = dst;                                                                  \
		for (size_t i = 0; i < n; i++) {                                                   \
			unsigned int x = p[i * a_step] != 0, y = q[i * b_step] != 0;               \
			z[i] = (RULE_##name(type)) != 0;                                           \
		}                                                                                  \
	}
EK_BINARY_ROWS_B(DEFINE_B)

static inline float to_finite(float x)
{
	x = x < -FLT_MAX ? -FLT_MAX : x;
	return x > FLT_MAX ? FLT_MAX : x;
}

static inline int32_t multiply32(int32_t x, int32_t y)
{
	return (int32_t)((uint32_t)x * (uint32_t)y);
}

static inline float multiply_finite(float x, float y)
{
	return to_finite(x * y);
}

#define POWER(name, type, multiply)                                                                \
	void name(type *dst, const type *a, size_t n, size_t a_step, int32_t exponent)             \
	{                                                                                          \
		int top = 31 - __builtin_clz((uint32_t)exponent);                                  \
		for (size_t i = 0; i < n; i++) {                                                   \
			type x = a[i * a_step], power = x;                                         \
			for (int k = top; k-- > 0;) {                                              \
				power = multiply(power, power);                                    \
				power = exponent >> k & 1 ? multiply(power, x) : power;            \
			}                                                                          \
			dst[i] = power;                                                            \
		}                                                                                  \
	}
POWER(ek_power_f32, float, multiply_finite)
POWER(ek_power_s32, int32_t, multiply32)
