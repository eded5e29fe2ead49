/* SPDX-License-Identifier: Apache-2.0 */
/*
 * product_ymm - what product_avx2.h and product_avxvnni.h take alike
 *
 * Both are the same set of names for 256-bit vectors: product_element, product_block and its rows,
 * product_packed_bytes(), product_scratch_bytes(), product_pack(), product_panel(), product_start(),
 * product_fill(), product_run(). Sources that differ in nothing but the dot product include one of
 * them and then conv_ymm.h or matmul_ymm.h.
 */
#ifndef KERNELS_X86_PRODUCT_YMM_H
#define KERNELS_X86_PRODUCT_YMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct product_zeros {
	bool is_signed;
	int32_t input, weights;
};

/* The operands as they are in the file. */
struct product_weights {
	const void *w; /* [cols][depth] */
	uint32_t cols;
	size_t depth;
	struct product_zeros zeros;
};

#endif
