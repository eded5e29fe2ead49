/* SPDX-License-Identifier: Apache-2.0 */
/* matmul - rows of the lists of kernels/matmul.h for Arm */
#ifndef KERNELS_ARM_MATMUL_H
#define KERNELS_ARM_MATMUL_H

#include "kernels/matmul.h"

#define EK_MATMUL_ARM(isa)                                                                         \
	uint64_t ek_matmul_packed_bytes__##isa(const struct ek_matmul_shape *shape);               \
	uint64_t ek_matmul_scratch_bytes__##isa(const struct ek_matmul_shape *shape);              \
	void ek_matmul_s8_pack__##isa(const struct ek_matmul_q *args, void *packed);               \
	void ek_matmul_u8_pack__##isa(const struct ek_matmul_q *args, void *packed);               \
	void ek_matmul_s8__##isa(                                                                  \
		const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);        \
	void ek_matmul_u8__##isa(                                                                  \
		const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

EK_MATMUL_ARM(neon)
#if defined(__aarch64__)
EK_MATMUL_ARM(inorder)
EK_MATMUL_ARM(dotprod)
EK_MATMUL_ARM(i8mm)
#endif

#endif
