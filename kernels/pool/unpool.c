/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/pool/unpool.h"

#include <float.h>

/* The greatest of one channel under one window. */
struct peak {
	float value;
	uint32_t y, x; /* taps */
};

static struct peak find_peak(
	const float *picture, const struct ek_argmax_pool *p, struct ek_taps ty, struct ek_taps tx)
{
	struct peak peak = {.value = -FLT_MAX};
	for (uint32_t y = ty.first; y < ty.end; y++) {
		const float *row = picture + (size_t)(ty.origin + y) * p->window.x.in * p->depth;
		for (uint32_t x = tx.first; x < tx.end; x++) {
			float value = row[(size_t)(tx.origin + x) * p->depth];
			if (value > peak.value) {
				peak = (struct peak){value, y, x};
			}
		}
	}
	return peak;
}

static void pool_one(
	const struct ek_argmax_pool *p, size_t batch, uint32_t y, uint32_t x, size_t at)
{
	const struct ek_window *w = &p->window;
	const float *picture = p->src + batch * w->y.in * w->x.in * p->depth;
	struct ek_taps ty = ek_window_taps(&w->y, y), tx = ek_window_taps(&w->x, x);
	for (uint32_t c = 0; c < p->depth; c++) {
		struct peak peak = find_peak(picture + c, p, ty, tx);
		float value = peak.value < p->lo ? p->lo : peak.value;
		p->dst[at + c] = value > p->hi ? p->hi : value;
		if (p->in_window) {
			p->in_window[at + c] = (float)(peak.y * w->x.taps + peak.x) + 0.1f;
			continue;
		}
		int64_t place =
			((ty.origin + peak.y) * w->x.in + tx.origin + peak.x) * p->depth + c;
		p->in_picture[at + c] = (int32_t)(peak.value > -FLT_MAX ? place : c);
	}
}

void ek_argmax_pool(const struct ek_argmax_pool *p, size_t first, size_t end)
{
	const struct ek_window *w = &p->window;
	for (size_t row = first; row < end; row++) {
		for (uint32_t x = 0; x < w->x.out; x++) {
			pool_one(p, row / w->y.out, (uint32_t)(row % w->y.out), x,
				(row * w->x.out + x) * p->depth);
		}
	}
}

void ek_unpool_window(const struct ek_unpool *u, size_t first, size_t end)
{
	const struct ek_window *w = u->window;
	const volatile float *places = u->places; /* may change meanwhile: each is read once */
	for (size_t i = first; i < end; i++) {
		const float said = places[i];
		if (!(said > -1 && said < 0x1p31f)) {
			continue;
		}
		uint32_t place = (uint32_t)(int32_t)said;
		size_t cell = i / u->depth;
		int64_t y = (int64_t)(cell / w->x.out) * w->y.stride - w->y.pad + place / w->x.taps;
		int64_t x = (int64_t)(cell % w->x.out) * w->x.stride - w->x.pad + place % w->x.taps;
		if (y >= 0 && y < w->y.in && x >= 0 && x < w->x.in) {
			size_t at = ((size_t)y * w->x.in + (size_t)x) * u->depth + i % u->depth;
			u->dst[at] = u->src[i];
		}
	}
}

/* Inputs whose filters reach output @out: first <= i < end. */
static void reach(
	const struct ek_window_axis *axis, uint32_t out, uint32_t *ret_first, uint32_t *ret_end)
{
	int64_t at = (int64_t)out + axis->pad;
	int64_t first = at < axis->taps ? 0 : (at - axis->taps) / axis->stride + 1;
	int64_t end = at / axis->stride + 1;
	*ret_end = (uint32_t)(end < axis->in ? end : axis->in);
	*ret_first = (uint32_t)(first < *ret_end ? first : *ret_end);
}

static float spread_one(
	const struct ek_spread *s, const float *picture, uint32_t y, uint32_t x, uint32_t o)
{
	const struct ek_window_axis *ay = &s->window.y, *ax = &s->window.x;
	uint32_t y_first, y_end, x_first, x_end;
	float sum = s->bias[o];
	reach(ay, y, &y_first, &y_end);
	reach(ax, x, &x_first, &x_end);
	for (uint32_t i = y_first; i < y_end; i++) {
		size_t ky = (size_t)y + ay->pad - (size_t)i * ay->stride;
		for (uint32_t j = x_first; j < x_end; j++) {
			size_t kx = (size_t)x + ax->pad - (size_t)j * ax->stride;
			const float *a = picture + ((size_t)i * ax->in + j) * s->in_depth;
			const float *b = s->weights +
				(((size_t)o * ay->taps + ky) * ax->taps + kx) * s->in_depth;
			for (uint32_t k = 0; k < s->in_depth; k++) {
				sum += a[k] * b[k];
			}
		}
	}
	return sum;
}

void ek_spread_row(const struct ek_spread *s, size_t row)
{
	const struct ek_window *w = &s->window;
	const float *picture = s->src + row / w->y.out * ((size_t)w->y.in * w->x.in * s->in_depth);
	float *dst = s->dst + row * w->x.out * s->out_depth;
	for (uint32_t x = 0; x < w->x.out; x++) {
		for (uint32_t o = 0; o < s->out_depth; o++) {
			*dst++ = spread_one(s, picture, (uint32_t)(row % w->y.out), x, o);
		}
	}
}
