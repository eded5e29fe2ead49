/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resize_ymm - rows of a bilinear resize, one or two vectors of channels at a time
 *
 * What the two columns give between which a pixel lies stays in registers while pixels lie between the
 * same two, as most do where pictures grow. The last channels of a pixel overlap those before; codes of
 * fewer channels than a vector has lanes are read and written one by one. Entry 0's are one channel, and
 * floats of fewer than lanes.
 */
#ifndef KERNELS_MOVE_RESIZE_YMM_H
#define KERNELS_MOVE_RESIZE_YMM_H

#include "kernels/move/resize.h"

/* One call. */
struct row {
	const char *row0, *row1;
	char *dst;
	size_t n, channels;
	const struct ek_resize_point *points;
	const struct ek_resize_point *y;
};

enum form {
	FORM_S8,
	FORM_U8,
	FORM_F32
};

ALWAYS_INLINE size_t bytes_of(const enum form form)
{
	return form == FORM_F32 ? sizeof(float) : 1;
}

/* The pixels from @i on that lie between the same columns as that one. */
ALWAYS_INLINE size_t run_of(const struct row *r, size_t i)
{
	const struct ek_resize_point *p = &r->points[i];
	size_t n = 1;
	while (i + n < r->n && p[n].x0 == p->x0 && p[n].x1 == p->x1) {
		n++;
	}
	return n;
}

/* One column of the source: elements of both rows, each by its row's weight. */
struct real_column {
	real upper[2], lower[2];
};

ALWAYS_INLINE real load_real(const enum form form, const char *from, uint32_t n)
{
	return form == FORM_F32 ? real_load((const float *)from)
				: real_of(vec_wide(false, (const uint8_t *)from, n));
}

/* @n channels, from the element at @at bytes on. */
ALWAYS_INLINE void real_column(
	const enum form form, uint32_t n, const struct row *r, size_t at, struct real_column *ret)
{
	const int vectors = n > VEC_LANES ? 2 : 1;
	const uint32_t each = n < VEC_LANES ? n : VEC_LANES;
	const real y0 = real_all(1 - r->y->weight.real), y1 = real_all(r->y->weight.real);
	for (int j = 0; j < vectors; j++, at += VEC_LANES * bytes_of(form)) {
		ret->upper[j] = real_mul(load_real(form, r->row0 + at, each), y0);
		ret->lower[j] = real_mul(load_real(form, r->row1 + at, each), y1);
	}
}

ALWAYS_INLINE void store_reals(const enum form form, uint32_t n, char *to, const real *v)
{
	const int last = n > VEC_LANES;
	if (form == FORM_U8) {
		const real half = real_all(0.5f);
		vec_put_codes(false, (uint8_t *)to, real_cut(real_add(v[0], half)),
			real_cut(real_add(v[last], half)), n);
		return;
	}
	for (int j = 0; j <= last; j++) {
		/* Entry 0 adds a zero, which takes the sign from -0. */
		real_store((float *)to + j * VEC_LANES, real_add(v[j], real_all(0)));
	}
}

/* @channels channels from @k on of @n pixels between two columns; every product and sum is rounded, in the
 * order of entry 0. */
ALWAYS_INLINE void real_run(
	const enum form form, uint32_t channels, const struct row *r, size_t k, size_t i, size_t n)
{
	const int vectors = channels > VEC_LANES ? 2 : 1;
	const struct ek_resize_point *p = &r->points[i];
	const size_t pixel = r->channels * bytes_of(form);
	struct real_column left, right;
	k *= bytes_of(form);
	real_column(form, channels, r, (size_t)p->x0 * pixel + k, &left);
	real_column(form, channels, r, (size_t)p->x1 * pixel + k, &right);
	char *to = r->dst + i * pixel + k;
	for (; n; n--, p++, to += pixel) {
		const real x1 = real_all(p->weight.real), x0 = real_all(1 - p->weight.real);
		real v[2];
		for (int j = 0; j < vectors; j++) {
			v[j] = real_add(real_mul(left.upper[j], x0), real_mul(left.lower[j], x0));
			v[j] = real_add(v[j], real_mul(right.upper[j], x1));
			v[j] = real_add(v[j], real_mul(right.lower[j], x1));
		}
		store_reals(form, channels, to, v);
	}
}

ALWAYS_INLINE vec pairs_of(const char *upper, const char *lower, uint32_t n)
{
	const vec a = vec_wide(true, (const uint8_t *)upper, n);
	const vec b = vec_wide(true, (const uint8_t *)lower, n);
	return vec_add(vec_and(a, vec_all(0xFFFF)), vec_left(b, 16));
}

/* A column in 10 fraction bits: codes of both rows by their weights. */
ALWAYS_INLINE void fixed_column(uint32_t n, const struct row *r, size_t at, vec *ret)
{
	const int vectors = n > VEC_LANES ? 2 : 1;
	const uint32_t each = n < VEC_LANES ? n : VEC_LANES;
	const int32_t wy = r->y->weight.fixed;
	const vec weights = vec_all((int32_t)((uint32_t)wy << 16 | (uint32_t)(1024 - wy)));
	for (int j = 0; j < vectors; j++, at += VEC_LANES) {
		ret[j] = vec_madd(pairs_of(r->row0 + at, r->row1 + at, each), weights);
	}
}

/* left + (right - left) * wx is the same whole number as the four products' sum; a half more and the
 * sign make ties go away from zero. */
ALWAYS_INLINE void fixed_run(uint32_t channels, const struct row *r, size_t k, size_t i, size_t n)
{
	const int vectors = channels > VEC_LANES ? 2 : 1;
	const struct ek_resize_point *p = &r->points[i];
	const vec half = vec_all(1 << 19);
	vec left[2], right[2];
	fixed_column(channels, r, (size_t)p->x0 * r->channels + k, left);
	fixed_column(channels, r, (size_t)p->x1 * r->channels + k, right);
	for (int j = 0; j < vectors; j++) {
		right[j] = vec_sub(right[j], left[j]);
		left[j] = vec_add(vec_left(left[j], 10), half);
	}
	char *to = r->dst + i * r->channels + k;
	for (; n; n--, p++, to += r->channels) {
		const vec wx = vec_all(p->weight.fixed);
		vec y[2];
		for (int j = 0; j < vectors; j++) {
			const vec v = vec_add(left[j], vec_mul(right[j], wx));
			y[j] = vec_right(vec_add(v, vec_greater(half, v)), 20);
		}
		vec_put_codes(true, (uint8_t *)to, y[0], y[vectors - 1], channels);
	}
}

ALWAYS_INLINE void any_run(
	const enum form form, uint32_t channels, const struct row *r, size_t k, size_t i, size_t n)
{
	if (form == FORM_S8) {
		fixed_run(channels, r, k, i, n);
	} else {
		real_run(form, channels, r, k, i, n);
	}
}

/* All channels of @n pixels from @i on, which lie between the same columns. */
ALWAYS_INLINE void each_channel(const enum form form, const struct row *r, size_t i, size_t n)
{
	const uint32_t one = VEC_LANES, two = 2 * one;
	size_t k = 0;
	if (form != FORM_F32 && r->channels < one) {
		any_run(form, (uint32_t)r->channels, r, 0, i, n);
		return;
	}
	for (; k + two <= r->channels; k += two) {
		any_run(form, two, r, k, i, n);
	}
	for (; k < r->channels; k += one) {
		any_run(form, one, r, k + one <= r->channels ? k : r->channels - one, i, n);
	}
}

static bool is_between(int32_t weight)
{
	return weight >= 0 && weight <= 1024;
}

/* Weights beyond 0 to 1, at borders, take more than 16 bits. */
void YMM(ek_resize_s8)(void *dst, const void *row0, const void *row1, size_t n, size_t channels,
	const struct ek_resize_point *points, const struct ek_resize_point *y)
{
	const struct row r = {row0, row1, dst, n, channels, points, y};
	const bool may = channels > 1 && is_between(y->weight.fixed);
	for (size_t i = 0, count; i < n; i += count) {
		count = run_of(&r, i);
		bool between = may;
		for (size_t k = 0; k < count; k++) {
			between = between && is_between(points[i + k].weight.fixed);
		}
		if (between) {
			each_channel(FORM_S8, &r, i, count);
		} else {
			ek_resize_s8[0].run((int8_t *)dst + i * channels, row0, row1, count,
				channels, points + i, y);
		}
	}
}

void YMM(ek_resize_u8)(void *dst, const void *row0, const void *row1, size_t n, size_t channels,
	const struct ek_resize_point *points, const struct ek_resize_point *y)
{
	const struct row r = {row0, row1, dst, n, channels, points, y};
	if (channels == 1) {
		ek_resize_u8[0].run(dst, row0, row1, n, channels, points, y);
		return;
	}
	for (size_t i = 0, count; i < n; i += count) {
		count = run_of(&r, i);
		each_channel(FORM_U8, &r, i, count);
	}
}

void YMM(ek_resize_f32)(void *dst, const void *row0, const void *row1, size_t n, size_t channels,
	const struct ek_resize_point *points, const struct ek_resize_point *y)
{
	const struct row r = {row0, row1, dst, n, channels, points, y};
	if (channels < VEC_LANES) {
		ek_resize_f32[0].run(dst, row0, row1, n, channels, points, y);
		return;
	}
	for (size_t i = 0, count; i < n; i += count) {
		count = run_of(&r, i);
		each_channel(FORM_F32, &r, i, count);
	}
}

#endif
