/* SPDX-License-Identifier: Apache-2.0 */
#include <arm_neon.h>

#include "kernels/conv/conv_variants.h"
#include "kernels/gemm/matmul_variants.h"
#include "kernels/gemm/matvec.h"
#include "kernels/hybrid/hybrid.h"

#define ROW(name) name##__neon

#include "kernels/gemm/dots_neon.h"

#include "kernels/hybrid/hybrid_rows_x86.h"

void ek_matmul_h8__neon(const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	matmul_plain(args, tile);
}

void ek_conv_h8__neon(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch)
{
	conv_plain(args, tile, scratch);
}

#if defined(__aarch64__)
/* kernels/hybrid/hybrid.c's: comparisons with NaN are false. */
void ek_hybrid_range__neon(const float *values, size_t n, float ret_range[static 2])
{
	float los[4], his[4];
	vector lo = vector_all(0), hi = lo;
	for (size_t i = 0; i < n; i += 4) {
		vector x = vector_load_first(values + i, n - i < 4 ? (uint32_t)(n - i) : 4);
		lo = vbslq_f32(vcltq_f32(x, lo), x, lo);
		hi = vbslq_f32(vcgtq_f32(x, hi), x, hi);
	}
	vector_store(los, lo);
	vector_store(his, hi);
	ret_range[0] = ret_range[1] = 0;
	for (int i = 0; i < 4; i++) {
		ret_range[0] = los[i] < ret_range[0] ? los[i] : ret_range[0];
		ret_range[1] = his[i] > ret_range[1] ? his[i] : ret_range[1];
	}
}

void ek_hybrid_encode__neon(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes)
{
	const vector zero = vector_all((float)code->zero), inverse = vector_all(code->inverse);
	const vector lo = vector_all((float)code->lo), hi = vector_all(127);
	for (size_t i = 0; i < n; i += 4) {
		const uint32_t left = n - i < 4 ? (uint32_t)(n - i) : 4;
		vector x = vector_mul(vector_load_first(values + i, left), inverse);
		x = vector_add(zero, x);
		x = vector_clamp(vbslq_f32(vceqq_f32(x, x), x, zero), lo, hi);
		int16x4_t y = vmovn_s32(vcvtaq_s32_f32(x)); /* halves away from zero */
		int8_t all[8];
		vst1_s8(all, vmovn_s16(vcombine_s16(y, y)));
		memcpy(ret_codes + i, all, left);
	}
}
#endif
