/* SPDX-License-Identifier: Apache-2.0 */
#include <arm_neon.h>

#include "kernels/conv/conv_variants.h"
#include "kernels/gemm/matmul_variants.h"
#include "kernels/gemm/matvec.h"
#include "kernels/hybrid/hybrid.h"

#define ROW(name) name##__dotprod

#include "kernels/gemm/dots_neon.h"

#include "kernels/hybrid/hybrid_rows_x86.h"

void ek_matmul_h8__dotprod(
	const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	matmul_plain(args, tile);
}

void ek_conv_h8__dotprod(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch)
{
	conv_plain(args, tile, scratch);
}
