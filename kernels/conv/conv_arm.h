/* SPDX-License-Identifier: Apache-2.0 */
/* conv_arm - rows of the lists of kernels/conv/conv.h for Arm; with groups they are entry 0 */
#ifndef KERNELS_CONV_CONV_ARM_H
#define KERNELS_CONV_CONV_ARM_H

#include "kernels/conv/conv.h"

#define EK_CONV_ARM(isa)                                                                           \
	uint64_t ek_conv_packed_bytes__##isa(const struct ek_conv_shape *shape);                   \
	uint64_t ek_conv_scratch_bytes__##isa(const struct ek_conv_shape *shape);                  \
	void ek_conv_s8_pack__##isa(const struct ek_conv_q *args, void *packed);                   \
	void ek_conv_u8_pack__##isa(const struct ek_conv_q *args, void *packed);                   \
	void ek_conv_s8__##isa(                                                                    \
		const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);          \
	void ek_conv_u8__##isa(                                                                    \
		const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

EK_CONV_ARM(neon)
#if defined(__aarch64__)
EK_CONV_ARM(inorder)
EK_CONV_ARM(dotprod)
EK_CONV_ARM(i8mm)
#endif

/* With groups they are entry 0. */
#define EK_CONV_F32_ARM(isa)                                                                       \
	uint64_t ek_conv_f32_packed_bytes__##isa(const struct ek_conv_shape *shape);               \
	uint64_t ek_conv_f32_scratch_bytes__##isa(const struct ek_conv_shape *shape);              \
	void ek_conv_f32_pack__##isa(const struct ek_conv_f32 *args, void *packed);                \
	void ek_conv_f32__##isa(                                                                   \
		const struct ek_conv_f32 *args, const struct ek_tile *tile, void *scratch);

#if defined(__aarch64__)
EK_CONV_F32_ARM(neon)
#else
EK_CONV_F32_ARM(vfpv4)
#endif

/* Groups are entry 0's. */
uint64_t ek_conv_s16_packed_bytes__neon(const struct ek_conv_shape *shape);
void ek_conv_s16_pack__neon(const struct ek_conv_q *args, void *packed);
uint64_t ek_conv_s16_scratch_bytes__neon(const struct ek_conv_shape *shape);
void ek_conv_s16__neon(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

void ek_conv_h8__neon(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch);
#if defined(__aarch64__)
void ek_conv_h8__dotprod(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch);
#endif

#endif
