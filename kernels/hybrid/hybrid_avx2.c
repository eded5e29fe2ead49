/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv/conv_variants.h"
#include "kernels/gemm/dots_avx2.h"
#include "kernels/gemm/matmul_variants.h"
#include "kernels/gemm/matvec.h"
#include "kernels/hybrid/hybrid.h"

#define ROW(name) name##__avx2

#include "kernels/hybrid/hybrid_rows_x86.h"

void ek_matmul_h8__avx2(const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	matmul_plain(args, tile);
}

void ek_conv_h8__avx2(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch)
{
	conv_plain(args, tile, scratch);
}

/* kernels/hybrid/hybrid.c's: comparisons with NaN are false. */
void ek_hybrid_range__avx2(const float *values, size_t n, float ret_range[static 2])
{
	__m256 lo = _mm256_setzero_ps(), hi = lo;
	for (size_t i = 0; i < n; i += 8) {
		uint32_t left = n - i < 8 ? (uint32_t)(n - i) : 8;
		__m256 x = vector_load_first(values + i, left);
		lo = _mm256_min_ps(x, lo);
		hi = _mm256_max_ps(x, hi);
	}
	float los[8], his[8];
	_mm256_storeu_ps(los, lo);
	_mm256_storeu_ps(his, hi);
	ret_range[0] = ret_range[1] = 0;
	for (int i = 0; i < 8; i++) {
		ret_range[0] = los[i] < ret_range[0] ? los[i] : ret_range[0];
		ret_range[1] = his[i] > ret_range[1] ? his[i] : ret_range[1];
	}
}

void ek_hybrid_encode__avx2(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes)
{
	const __m256 zero = vector_all((float)code->zero), inverse = vector_all(code->inverse);
	const __m256 lo = vector_all((float)code->lo), hi = vector_all(127);
	for (size_t i = 0; i < n; i += 8) {
		uint32_t left = n - i < 8 ? (uint32_t)(n - i) : 8;
		__m256 x = _mm256_mul_ps(vector_load_first(values + i, left), inverse);
		x = _mm256_add_ps(zero, x);
		x = _mm256_blendv_ps(zero, x, _mm256_cmp_ps(x, x, _CMP_ORD_Q));
		x = vector_clamp(x, lo, hi);
		__m256i y = _mm256_cvttps_epi32(x);
		__m256 rest = _mm256_sub_ps(x, _mm256_cvtepi32_ps(y));
		__m256 up = _mm256_cmp_ps(rest, vector_all(0.5f), _CMP_GE_OQ);
		__m256 down = _mm256_cmp_ps(rest, vector_all(-0.5f), _CMP_LE_OQ);
		y = _mm256_sub_epi32(y, _mm256_castps_si256(up));
		y = _mm256_add_epi32(y, _mm256_castps_si256(down));
		y = _mm256_packs_epi32(y, y);
		y = _mm256_packs_epi16(y, y);
		int32_t four[2] = {_mm256_extract_epi32(y, 0), _mm256_extract_epi32(y, 4)};
		memcpy(ret_codes + i, four, left);
	}
}

/* The eight partial sums of ek_dot_f32() and their tree. */
static float dot_f32(const float *a, const float *w, size_t n)
{
	__m256 s = _mm256_setzero_ps();
	for (size_t i = 0; i < n; i += 8) {
		uint32_t left = n - i < 8 ? (uint32_t)(n - i) : 8;
		__m256 x = left == 8 ? vector_load(a + i) : vector_load_first(a + i, left);
		__m256 y = left == 8 ? vector_load(w + i) : vector_load_first(w + i, left);
		__m256 sum = vector_add(s, vector_mul(x, y));
		/* Lanes behind the last element stay as they are, -0 too. */
		s = left == 8 ? sum
			      : _mm256_blendv_ps(s, sum, _mm256_castsi256_ps(vector_lanes(left)));
	}
	__m128 t = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
	t = _mm_add_ps(t, _mm_movehl_ps(t, t));
	return _mm_cvtss_f32(_mm_add_ss(t, _mm_movehdup_ps(t)));
}

void ek_matvec_f32__avx2(const struct ek_matvec *m, const struct ek_matvec_x *x, uint32_t first,
	uint32_t end, float *sum)
{
	const float *w = m->w;
	size_t columns = m->columns;
	for (uint32_t n = first; n < end; n++) {
		sum[n] += dot_f32(x->x, w + n * columns, columns);
	}
}
