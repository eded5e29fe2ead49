/* SPDX-License-Identifier: Apache-2.0 */
/* matmul_f32_x86 - body of the rows of ek_matmul_f32; ROW(name) gives a function its instruction set */
#include "kernels/gemm/matmul.h"

uint64_t ROW(ek_matmul_f32_packed_bytes)(const struct ek_matmul_shape *shape)
{
	return panel_packed_bytes(shape->cols, shape->depth);
}

void ROW(ek_matmul_f32_pack)(const struct ek_matmul_f32 *args, void *packed)
{
	panel_pack(args->w, args->shape.cols, args->shape.depth, packed);
}

void ROW(ek_matmul_f32)(const struct ek_matmul_f32 *args, const struct ek_tile *tile)
{
	size_t depth = args->shape.depth;
	const struct product p = {
		.packed = args->w,
		.bias = args->bias,
		.cols = args->shape.cols,
		.depth = depth,
		.lo = args->lo,
		.hi = args->hi,
		.output = args->output + (size_t)tile->first_row * args->shape.cols,
	};
	gemm_dense(&p, args->a + tile->first_row * depth, tile->n_rows, tile->first_col,
		tile->first_col + tile->n_cols);
}
