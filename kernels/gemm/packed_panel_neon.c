/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gemm/packed_panel_neon.h"

/* The first @n of 16, zeros behind. */
static void some(int32_t to[GEMM_COLS], const int32_t *from, uint32_t n)
{
	memset(to, 0, GEMM_COLS * sizeof(*to));
	if (from) {
		memcpy(to, from, n * sizeof(*to));
	}
}

void gemm_panel_start(struct gemm_panel *p, const struct gemm_head *head, uint64_t depth,
	const int32_t *bias, int32_t input_zero, uint32_t n)
{
	int32_t b[GEMM_COLS];
	some(b, bias, n);
	for (uint32_t i = 0; i < GEMM_COLS; i++) {
		/* zx' (sum of w' - depth d) */
		uint32_t sum = (uint32_t)head->sum[i] + (uint32_t)depth * (uint32_t)head->rest[i];
		p->start[i] = (int32_t)((uint32_t)b[i] - (uint32_t)input_zero * sum);
		p->rest[i] = head->rest[i];
	}
	p->rests = head->rests;
	p->lowest = head->lowest;
	p->pairs = NULL;
	p->weights = (const int8_t *)(head + 1);
}

/* Sums of weights beyond this are not looked at: 255 times as much has no room in 31 bits. */
#define SIZE_LIMIT 8000000u
#define VALUE_LIMIT 32000u

/*
 * Whether no value of the columns leaves 16 bits once it is requantised. x - zx is -below to 255 -
 * below, so that the weights above zero and those below cannot both do their worst. In float, whose
 * errors the limits have room for.
 */
static bool values_fit(const struct gemm_panel *p, const struct gemm_head *head, uint32_t depth,
	const int32_t bias[GEMM_COLS], uint32_t below)
{
	uint32_t outside = 0;
	for (uint32_t i = 0; i < GEMM_COLS; i++) {
		uint32_t size = head->size[i] < SIZE_LIMIT ? head->size[i] : SIZE_LIMIT;
		int32_t sum = head->sum[i] + (int32_t)depth * head->rest[i];
		uint32_t positive = (size + (uint32_t)sum) / 2, negative = size - positive;
		uint32_t up = positive * (255 - below) + negative * below;
		uint32_t down = positive * below + negative * (255 - below);
		float most = (float)(up > down ? up : down) + fabsf((float)bias[i]);
		int32_t right = p->scale[i / 4][1][i % 4];
		right = right < -16 ? 16 : -right;
		float limit = (float)(int32_t)(VALUE_LIMIT << right);
		outside |= size == SIZE_LIMIT;
		outside |= !(most < 2147000000.0f);
		outside |= !(most * ((float)p->scale[i / 4][0][i % 4] * 0x1p-31f) < limit);
	}
	return !outside;
}

void gemm_panel_scale(struct gemm_panel *p, const struct gemm_head *head, uint64_t depth,
	const int32_t *bias, const struct ek_scale *scale, int32_t input_zero,
	const struct gemm_output *o, uint32_t n)
{
	int32_t b[GEMM_COLS];
	struct ek_scale s[GEMM_COLS] = {{0, 0}};
	uint32_t others = 0;
	int32_t lowest = o->is_signed ? INT8_MIN : 0;
	bool full = o->zero == lowest && o->lo == lowest && o->hi == lowest + UINT8_MAX;
	some(b, bias, n);
	memcpy(s, scale, n * sizeof(*s));
	for (uint32_t i = 0; i < GEMM_COLS; i++) {
		p->scale[i / 4][0][i % 4] = s[i].multiplier;
		p->scale[i / 4][1][i % 4] = s[i].shift < 0 ? s[i].shift : 0;
		p->left[i] = s[i].shift > 0 ? s[i].shift : 0;
		others |= s[i].shift > 0 || (s[i].shift == 0 && s[i].multiplier != 0);
	}
	others |= o->ties_up && !full;
	p->rounding = !others ? full ? GEMM_FULL : GEMM_AWAY : o->ties_up ? GEMM_UP : GEMM_TOTAL;
	p->fits = !others && depth < 1 << 16 &&
		values_fit(p, head, (uint32_t)depth, b, (uint32_t)(input_zero - INT8_MIN));
}

void gemm_panel_pair(struct gemm_panel *p, struct gemm_pairs *pairs)
{
	for (uint32_t i = 0; i < GEMM_COLS; i++) {
		for (uint32_t twice = 0; twice < 2; twice++) {
			uint32_t lane = i % 2 + 2 * twice;
			pairs->scale[i / 2][0][lane] = p->scale[i / 4][0][i % 4];
			pairs->scale[i / 2][1][lane] = p->scale[i / 4][1][i % 4];
		}
	}
	p->pairs = pairs;
}

ALWAYS_INLINE void put_rows(const enum gemm_rounding rounding, const int32_t *sums, uint32_t n,
	const struct gemm_panel *p, const struct panel_output *o, const struct gemm_target *to)
{
	uint8_t *at = to->to;
	for (; n > 0; n--, at += to->step, sums += GEMM_COLS) {
		int32x4_t v[4];
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			v[j] = panel_requant(
				rounding, panel_scale(p, 4 * j), vld1q_s32(sums + 4 * j));
		}
		uint8x16_t codes = panel_codes(rounding, false, o, v[0], v[1], v[2], v[3]);
		panel_store_some(at, codes, to->cols);
	}
}

void gemm_put(const int32_t *sums, uint32_t n, const struct gemm_panel *p,
	const struct gemm_output *o, const struct gemm_target *to)
{
	const struct panel_output output = panel_output(o);
	if (p->rounding == GEMM_TOTAL) {
		put_rows(GEMM_TOTAL, sums, n, p, &output, to);
	} else if (p->rounding == GEMM_UP) {
		put_rows(GEMM_UP, sums, n, p, &output, to);
	} else {
		put_rows(GEMM_AWAY, sums, n, p, &output, to);
	}
}
