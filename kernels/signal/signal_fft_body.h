/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal_fft_body - the transforms of signal_fft.h for one type; included by signal_fft.c once each
 *
 * NAME(x)    x with the type's suffix
 * scalar     type of the numbers; wide: one that holds products and sums of them
 * ROUND(w)   a product brought back to the numbers' scale
 * SHRINK(k)  what a number is multiplied by to divide it by k
 * UNIT       the number that stands for 1
 * STORE(x)   a wide one as a number
 */
#define cpx struct NAME(ek_signal_complex)

static inline cpx NAME(product)(cpx a, cpx b)
{
	wide ar = a.re, ai = a.im, br = b.re, bi = b.im;
	return (cpx){STORE(ROUND(ar * br - ai * bi)), STORE(ROUND(ar * bi + ai * br))};
}

static inline cpx NAME(sum)(cpx a, cpx b)
{
	return (cpx){STORE((wide)a.re + b.re), STORE((wide)a.im + b.im)};
}

static inline cpx NAME(difference)(cpx a, cpx b)
{
	return (cpx){STORE((wide)a.re - b.re), STORE((wide)a.im - b.im)};
}

/* a / k: in fixed point only. */
static inline cpx NAME(share)(cpx a, int k)
{
	return (cpx){STORE(ROUND((wide)a.re * SHRINK(k))), STORE(ROUND((wide)a.im * SHRINK(k)))};
}

/* exp(i * phase) */
static inline cpx NAME(turn)(double phase)
{
	return (cpx){(scalar)TO_UNIT(cos(phase)), (scalar)TO_UNIT(sin(phase))};
}

void NAME(ek_signal_fft_table)(cpx *table, size_t n, bool inverse)
{
	const double pi = 3.14159265358979323846;
	size_t half = n / 2;
	for (size_t i = 0; i < half; i++) {
		double phase = -2 * pi * (double)i / (double)half;
		table[i] = NAME(turn)(inverse ? -phase : phase);
	}
	for (size_t i = 0; i < half / 2; i++) {
		double phase = -pi * ((double)(i + 1) / (double)half + .5);
		table[half + i] = NAME(turn)(inverse ? -phase : phase);
	}
}

static void NAME(step2)(cpx *x, size_t m, size_t stride, const cpx *table)
{
	for (size_t k = 0; k < m; k++) {
		cpx a = NAME(share)(x[k], 2);
		cpx b = NAME(product)(NAME(share)(x[k + m], 2), table[k * stride]);
		x[k + m] = NAME(difference)(a, b);
		x[k] = NAME(sum)(a, b);
	}
}

static void NAME(step4)(cpx *x, size_t m, size_t stride, const cpx *table, bool inverse)
{
	for (size_t k = 0; k < m; k++) {
		cpx a = NAME(share)(x[k], 4);
		cpx b = NAME(product)(NAME(share)(x[k + m], 4), table[k * stride]);
		cpx c = NAME(product)(NAME(share)(x[k + 2 * m], 4), table[2 * k * stride]);
		cpx d = NAME(product)(NAME(share)(x[k + 3 * m], 4), table[3 * k * stride]);
		cpx even = NAME(difference)(a, c), both = NAME(sum)(b, d);
		cpx odd = NAME(difference)(b, d);
		a = NAME(sum)(a, c);
		x[k + 2 * m] = NAME(difference)(a, both);
		x[k] = NAME(sum)(a, both);
		/* odd turned by a quarter: by -i forward, by i back */
		cpx turned = {odd.im, STORE(-(wide)odd.re)};
		size_t plus = inverse ? k + 3 * m : k + m, minus = inverse ? k + m : k + 3 * m;
		x[plus] = NAME(sum)(even, turned);
		x[minus] = NAME(difference)(even, turned);
	}
}

/* The complex transform of @n numbers in the order that place() gives, in place. */
static void NAME(transform)(cpx *x, size_t n, const cpx *table, bool inverse)
{
	size_t m = 1;
	if (radix_2_is_last(n)) {
		for (size_t at = 0; at < n; at += 2) {
			NAME(step2)(x + at, 1, n / 2, table);
		}
		m = 2;
	}
	for (; m < n; m *= 4) {
		for (size_t at = 0; at < n; at += 4 * m) {
			NAME(step4)(x + at, m, n / (4 * m), table, inverse);
		}
	}
}

void NAME(ek_signal_rfft)(cpx *dst, const scalar *src, size_t n, const cpx *table, cpx *scratch)
{
	size_t half = n / 2;
	for (size_t i = 0; i < half; i++) {
		size_t from = place(i, half);
		scratch[i] = (cpx){src[2 * from], src[2 * from + 1]};
	}
	NAME(transform)(scratch, half, table, false);
	cpx first = NAME(share)(scratch[0], 2);
	dst[0] = (cpx){STORE((wide)first.re + first.im), 0};
	dst[half] = (cpx){STORE((wide)first.re - first.im), 0};
	for (size_t k = 1; k <= half / 2; k++) {
		cpx a = NAME(share)(scratch[k], 2), b = scratch[half - k];
		b = NAME(share)((cpx){b.re, STORE(-(wide)b.im)}, 2);
		cpx both = NAME(sum)(a, b);
		cpx t = NAME(product)(NAME(difference)(a, b), table[half + k - 1]);
		dst[k] =
			(cpx){STORE(HALF((wide)both.re + t.re)), STORE(HALF((wide)both.im + t.im))};
		dst[half - k] =
			(cpx){STORE(HALF((wide)both.re - t.re)), STORE(HALF((wide)t.im - both.im))};
	}
}

void NAME(ek_signal_irfft)(scalar *dst, const cpx *src, size_t n, const cpx *table, cpx *scratch)
{
	size_t half = n / 2;
	cpx first = {STORE((wide)src[0].re + src[half].re), STORE((wide)src[0].re - src[half].re)};
	scratch[0] = NAME(share)(first, 2);
	for (size_t k = 1; k <= half / 2; k++) {
		cpx a = NAME(share)(src[k], 2), b = src[half - k];
		b = NAME(share)((cpx){b.re, STORE(-(wide)b.im)}, 2);
		cpx even = NAME(sum)(a, b);
		cpx odd = NAME(product)(NAME(difference)(a, b), table[half + k - 1]);
		cpx mirrored = NAME(difference)(even, odd);
		scratch[k] = NAME(sum)(even, odd);
		scratch[half - k] = (cpx){mirrored.re, STORE(-(wide)mirrored.im)};
	}
	cpx *out = (cpx *)dst;
	for (size_t i = 0; i < half; i++) {
		out[i] = scratch[place(i, half)];
	}
	NAME(transform)(out, half, table, true);
	for (size_t i = 0; i < n; i++) {
		dst[i] = LAST(dst[i], n);
	}
}

#undef cpx
