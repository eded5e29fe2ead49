/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/signal/signal_fft.h"

#include <math.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* True where the power of two is odd: one step, the innermost, is of radix 2. */
static bool radix_2_is_last(size_t n)
{
	return __builtin_ctzll(n) % 2 != 0;
}

/* Which input stands at place @i before the first step: i's digits, of base 4 but for the lowest of
 * an odd power, in the other order. */
static size_t place(size_t i, size_t n)
{
	size_t from = 0, stride = 1;
	for (size_t m = n; m > 1;) {
		size_t radix = m >= 4 ? 4 : 2;
		m /= radix;
		from += i / m * stride;
		i %= m;
		stride *= radix;
	}
	return from;
}

#define NAME(x) x##_s16
#define scalar int16_t
#define wide int32_t
#define UNIT 32767
#define ROUND(w) (((w) + (1 << 14)) >> 15)
#define SHRINK(k) (UNIT / (k))
#define STORE(w) ((int16_t)(w))
#define HALF(w) ((w) >> 1)
#define LAST(x, n) (x)
#define TO_UNIT(x) floor(.5 + UNIT * (x))
#include "kernels/signal/signal_fft_body.h"
#undef NAME
#undef scalar
#undef wide
#undef UNIT
#undef ROUND
#undef STORE

#define NAME(x) x##_s32
#define scalar int32_t
#define wide int64_t
#define UNIT 2147483647
#define ROUND(w) (((w) + (1 << 30)) >> 31)
#define STORE(w) ((int32_t)(w))
#include "kernels/signal/signal_fft_body.h"
#undef NAME
#undef scalar
#undef wide
#undef UNIT
#undef ROUND
#undef SHRINK
#undef STORE
#undef HALF
#undef LAST
#undef TO_UNIT

#define NAME(x) x##_f32
#define scalar float
#define wide float
#define ROUND(w) (w)
#define SHRINK(k) ((void)(k), 1.0f)
#define STORE(w) (w)
#define HALF(w) ((w)*0.5f)
#define LAST(x, n) ((x) / (float)(n))
#define TO_UNIT(x) (x)
#include "kernels/signal/signal_fft_body.h"
