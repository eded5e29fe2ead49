/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gemm/matvec.h"

#include "kernels/math/dot.h"

static void add_f32__c(const struct ek_matvec *m, const struct ek_matvec_x *x, uint32_t first,
	uint32_t end, float *sum)
{
	const float *w = m->w;
	size_t columns = m->columns;
	for (uint32_t n = first; n < end; n++) {
		sum[n] += ek_dot_f32(x->x, w + n * columns, columns);
	}
}

static void add_hybrid__c(const struct ek_matvec *m, const struct ek_matvec_x *x, uint32_t first,
	uint32_t end, float *sum)
{
	const int8_t *w = m->w;
	size_t columns = m->columns;
	float scale = x->row.scale * m->scale;
	for (uint32_t n = first; n < end; n++) {
		int32_t acc = ek_dot_s8(x->x, (int16_t)x->row.zero, w + n * columns, columns);
		sum[n] += (float)acc * scale;
	}
}

const struct ek_matvec_row ek_matvec_f32[] = {
	{{"matvec_f32__c", 0}, add_f32__c},
#if defined(__x86_64__)
	{{"matvec_f32__avx2", EK_CPU_AVX2}, ek_matvec_f32__avx2},
#elif defined(__aarch64__)
	{{"matvec_f32__neon", EK_CPU_NEON}, ek_matvec_f32__neon},
#endif
};
const struct ek_matvec_row ek_matvec_hybrid[] = {
	{{"matvec_hybrid__c", 0}, add_hybrid__c},
#if defined(__x86_64__)
	{{"matvec_hybrid__avx2", EK_CPU_AVX2}, ek_matvec_hybrid__avx2},
	{{"matvec_hybrid__avx512vnni", EK_CPU_AVX512_VNNI}, ek_matvec_hybrid__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"matvec_hybrid__neon", EK_CPU_NEON}, ek_matvec_hybrid__neon},
#if defined(__aarch64__)
	{{"matvec_hybrid__dotprod", EK_CPU_DOTPROD}, ek_matvec_hybrid__dotprod},
#endif
#endif
};
const size_t ek_matvec_f32_count = sizeof(ek_matvec_f32) / sizeof(ek_matvec_f32[0]);
const size_t ek_matvec_hybrid_count = sizeof(ek_matvec_hybrid) / sizeof(ek_matvec_hybrid[0]);
