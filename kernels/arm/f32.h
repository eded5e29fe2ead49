/* SPDX-License-Identifier: Apache-2.0 */
/* f32 - rows of the lists of floats in kernels/conv.h, depthwise.h and matmul.h for Arm */
#ifndef KERNELS_ARM_F32_H
#define KERNELS_ARM_F32_H

#include "kernels/conv.h"
#include "kernels/depthwise.h"
#include "kernels/matmul.h"

#define DECLARE(isa)                                                                               \
	uint64_t ek_matmul_f32_packed_bytes__##isa(const struct ek_matmul_shape *shape);           \
	void ek_matmul_f32_pack__##isa(const struct ek_matmul_f32 *args, void *packed);            \
	void ek_matmul_f32__##isa(const struct ek_matmul_f32 *args, const struct ek_tile *tile);   \
	/* With groups they are entry 0. */                                                        \
	uint64_t ek_conv_f32_packed_bytes__##isa(const struct ek_conv_shape *shape);               \
	uint64_t ek_conv_f32_scratch_bytes__##isa(const struct ek_conv_shape *shape);              \
	void ek_conv_f32_pack__##isa(const struct ek_conv_f32 *args, void *packed);                \
	void ek_conv_f32__##isa(                                                                   \
		const struct ek_conv_f32 *args, const struct ek_tile *tile, void *scratch);        \
	/* With a multiplier it is entry 0. */                                                     \
	uint64_t ek_depthwise_f32_scratch_bytes__##isa(const struct ek_depthwise_shape *shape);    \
	void ek_depthwise_f32__##isa(                                                              \
		const struct ek_depthwise_f32 *args, const struct ek_tile *tile, void *scratch);

#if defined(__aarch64__)
DECLARE(neon)
#else
DECLARE(vfpv4)
#endif
#undef DECLARE

#endif
