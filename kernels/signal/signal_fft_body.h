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

void NAME(ek_signal_fft_table_part)(cpx *table, size_t n, bool inverse, size_t first, size_t end)
{
	const double pi = 3.14159265358979323846;
	const size_t half = n / 2;
	for (size_t i = first; i < end; i++) {
		const double phase = i < half ? -2 * pi * (double)i / (double)half
					      : -pi * ((double)(i - half + 1) / (double)half + .5);
		table[i] = NAME(turn)(inverse ? -phase : phase);
	}
}

void NAME(ek_signal_fft_table)(cpx *table, size_t n, bool inverse)
{
	NAME(ek_signal_fft_table_part)(table, n, inverse, 0, ek_signal_fft_table_count(n));
}

/* Steps of radix 2 on pairs of neighbours, from pair @first on. */
static void NAME(steps2)(cpx *x, const cpx *table, size_t first, size_t end)
{
	for (size_t k = 2 * first; k < 2 * end; k += 2) {
		cpx a = NAME(share)(x[k], 2);
		cpx b = NAME(product)(NAME(share)(x[k + 1], 2), table[0]);
		x[k + 1] = NAME(difference)(a, b);
		x[k] = NAME(sum)(a, b);
	}
}

/* Steps of radix 4 number @k to @end - 1 of one block of 4 * m. */
static void NAME(step4)(
	cpx *x, size_t m, size_t stride, const cpx *table, bool inverse, size_t k, size_t end)
{
	for (; k < end; k++) {
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

/* Those of all blocks of n numbers, from step @first on. */
static void NAME(steps4)(
	cpx *x, size_t n, size_t m, const cpx *table, bool inverse, size_t first, size_t end)
{
	for (size_t count; first < end; first += count) {
		const size_t k = first & (m - 1);
		cpx *block = x + 4 * (first - k);
		count = least(m - k, end - first);
		NAME(step4)(block, m, n / (4 * m), table, inverse, k, k + count);
	}
}

/* Pass @pass of the complex transform of @n numbers in the order that place() gives, in place. */
static void NAME(transform)(cpx *x, size_t n, const cpx *table, bool inverse, unsigned int pass,
	size_t first, size_t end)
{
	const unsigned int odd = radix_2_is_last(n);
	if (odd && pass == 0) {
		NAME(steps2)(x, table, first, least(end, n / 2));
	} else {
		const size_t m = (size_t)1 << (2 * pass - odd);
		NAME(steps4)(x, n, m, table, inverse, first, least(end, n / 4));
	}
}

/* Bins k and half - k of a real transform, from the complex one in @x. */
static void NAME(split)(
	cpx *dst, const cpx *x, size_t half, const cpx *table, size_t at, size_t end)
{
	if (at == 0) {
		cpx first = NAME(share)(x[0], 2);
		dst[0] = (cpx){STORE((wide)first.re + first.im), 0};
		dst[half] = (cpx){STORE((wide)first.re - first.im), 0};
	}
	for (size_t k = at ? at : 1; k < end; k++) {
		cpx a = NAME(share)(x[k], 2), b = x[half - k];
		b = NAME(share)((cpx){b.re, STORE(-(wide)b.im)}, 2);
		cpx both = NAME(sum)(a, b);
		cpx t = NAME(product)(NAME(difference)(a, b), table[half + k - 1]);
		dst[k] =
			(cpx){STORE(HALF((wide)both.re + t.re)), STORE(HALF((wide)both.im + t.im))};
		dst[half - k] =
			(cpx){STORE(HALF((wide)both.re - t.re)), STORE(HALF((wide)t.im - both.im))};
	}
}

void NAME(ek_signal_rfft_pass)(cpx *dst, const scalar *src, size_t n, const cpx *table,
	cpx *scratch, unsigned int pass, size_t first, size_t end)
{
	const size_t half = n / 2;
	if (pass == 0) {
		for (size_t i = first; i < end; i++) {
			size_t from = place(i, half);
			scratch[i] = (cpx){src[2 * from], src[2 * from + 1]};
		}
	} else if (pass < ek_signal_rfft_passes(n) - 1) {
		NAME(transform)(scratch, half, table, false, pass - 1, first, end);
	} else {
		NAME(split)(dst, scratch, half, table, first, least(end, half / 2 + 1));
	}
}

void NAME(ek_signal_rfft)(cpx *dst, const scalar *src, size_t n, const cpx *table, cpx *scratch)
{
	for (unsigned int pass = 0; pass < ek_signal_rfft_passes(n); pass++) {
		NAME(ek_signal_rfft_pass)(dst, src, n, table, scratch, pass, 0, n / 2);
	}
}

/* The complex numbers k and half - k whose transform back is the real one of the bins @src. */
static void NAME(join)(
	cpx *dst, const cpx *src, size_t half, const cpx *table, size_t at, size_t end)
{
	if (at == 0) {
		cpx first = {STORE((wide)src[0].re + src[half].re),
			STORE((wide)src[0].re - src[half].re)};
		dst[0] = NAME(share)(first, 2);
	}
	for (size_t k = at ? at : 1; k < end; k++) {
		cpx a = NAME(share)(src[k], 2), b = src[half - k];
		b = NAME(share)((cpx){b.re, STORE(-(wide)b.im)}, 2);
		cpx even = NAME(sum)(a, b);
		cpx odd = NAME(product)(NAME(difference)(a, b), table[half + k - 1]);
		cpx mirrored = NAME(difference)(even, odd);
		dst[k] = NAME(sum)(even, odd);
		dst[half - k] = (cpx){mirrored.re, STORE(-(wide)mirrored.im)};
	}
}

void NAME(ek_signal_irfft_pass)(scalar *dst, const cpx *src, size_t n, const cpx *table,
	cpx *scratch, unsigned int pass, size_t first, size_t end)
{
	const size_t half = n / 2;
	cpx *out = (cpx *)dst;
	if (pass == 0) {
		NAME(join)(scratch, src, half, table, first, least(end, half / 2 + 1));
	} else if (pass == 1) {
		for (size_t i = first; i < end; i++) {
			out[i] = scratch[place(i, half)];
		}
	} else if (pass < ek_signal_irfft_passes(n) - 1) {
		NAME(transform)(out, half, table, true, pass - 2, first, end);
	} else {
		for (size_t i = 2 * first; i < 2 * end; i++) {
			dst[i] = LAST(dst[i], n);
		}
	}
}

void NAME(ek_signal_irfft)(scalar *dst, const cpx *src, size_t n, const cpx *table, cpx *scratch)
{
	for (unsigned int pass = 0; pass < ek_signal_irfft_passes(n); pass++) {
		NAME(ek_signal_irfft_pass)(dst, src, n, table, scratch, pass, 0, n / 2);
	}
}

#undef cpx
