/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/recurrent/svdf.h"

#include "kernels/math/dot.h"
#if defined(__aarch64__) || defined(__arm__)
#endif

/* Index of the first of the @memory elements of filter @f of batch entry @b. */
static size_t state_at(const struct ek_svdf_shape *s, uint32_t b, uint32_t f)
{
	return ((size_t)b * s->filters + f) * s->memory;
}

static void feature_s8(const struct ek_svdf_q *a, const struct ek_tile *t)
{
	const struct ek_svdf_shape *s = &a->shape;
	size_t depth = s->depth;
	for (uint32_t b = t->first_row; b < t->first_row + t->n_rows; b++) {
		for (uint32_t f = t->first_col; f < t->first_col + t->n_cols; f++) {
			int32_t sum = ek_dot_s8(a->input + b * depth, (int16_t)a->input_zero,
				a->feature_weights + f * depth, depth);
			a->state[state_at(s, b, f) + s->memory - 1] =
				ek_sat16(ek_mbqm(sum, a->feature_scale));
		}
	}
}

/* What a unit's filters remember, weighted; wraps in int32. */
static int32_t unit_sum(const struct ek_svdf_q *a, uint32_t b, uint32_t unit)
{
	const struct ek_svdf_shape *s = &a->shape;
	uint32_t first = unit * s->rank;
	const int16_t *state = a->state + state_at(s, b, first);
	const int16_t *weights = a->time_weights + (size_t)first * s->memory;
	size_t n = (size_t)s->rank * s->memory;
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += (uint32_t)(state[i] * weights[i]);
	}
	return (int32_t)sum;
}

static void output_s8(const struct ek_svdf_q *a, const struct ek_tile *t)
{
	uint32_t units = a->shape.filters / a->shape.rank;
	for (uint32_t b = t->first_row; b < t->first_row + t->n_rows; b++) {
		for (uint32_t u = t->first_col; u < t->first_col + t->n_cols; u++) {
			int32_t sum = unit_sum(a, b, u);
			int32_t acc = a->bias ? ek_add32(sum, a->bias[u]) : sum;
			int32_t y = ek_add32(ek_mbqm(acc, a->output_scale), a->output_zero);
			a->output[(size_t)b * units + u] =
				(int8_t)ek_clamp32(y, INT8_MIN, INT8_MAX);
		}
	}
}

void ek_svdf_output_f32(const struct ek_svdf_f32 *a, const struct ek_tile *t)
{
	const struct ek_svdf_shape *s = &a->shape;
	uint32_t units = s->filters / s->rank;
	size_t n = (size_t)s->rank * s->memory;
	for (uint32_t b = t->first_row; b < t->first_row + t->n_rows; b++) {
		for (uint32_t u = t->first_col; u < t->first_col + t->n_cols; u++) {
			float sum = ek_dot_f32(
				a->state + state_at(s, b, u * s->rank), a->time_weights + u * n, n);
			a->output[(size_t)b * units + u] = a->bias ? sum + a->bias[u] : sum;
		}
	}
}

const struct ek_svdf_q_row ek_svdf_s8[] = {
	{{"svdf_s8__c", 0}, feature_s8, output_s8},
#if defined(__aarch64__) || defined(__arm__)
	{{"svdf_s8__neon", EK_CPU_NEON}, ek_svdf_feature_s8__neon, output_s8},
#endif
#if defined(__aarch64__)
	{{"svdf_s8__dotprod", EK_CPU_DOTPROD}, ek_svdf_feature_s8__dotprod, output_s8},
#endif
};
const size_t ek_svdf_s8_count = sizeof(ek_svdf_s8) / sizeof(ek_svdf_s8[0]);
