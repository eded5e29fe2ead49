/* SPDX-License-Identifier: Apache-2.0 */
/* conv_variants - rows of the lists of kernels/conv/conv.h for x86-64 and Arm */
#ifndef KERNELS_CONV_CONV_VARIANTS_H
#define KERNELS_CONV_CONV_VARIANTS_H

#include "kernels/conv/conv.h"

/* With groups they are entry 0, and on AVX512 where conv_is_walked() of conv_plan_x86.h says no. */
#define EK_CONV_Q(isa)                                                                             \
	uint64_t ek_conv_scratch_bytes__##isa(const struct ek_conv_shape *shape);                  \
	void ek_conv_s8_pack__##isa(const struct ek_conv_q *args, void *packed);                   \
	void ek_conv_u8_pack__##isa(const struct ek_conv_q *args, void *packed);                   \
	void ek_conv_s8__##isa(                                                                    \
		const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);          \
	void ek_conv_u8__##isa(                                                                    \
		const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

typedef uint64_t ek_conv_bytes_fn(const struct ek_conv_shape *shape);

EK_CONV_Q(sse41)
EK_CONV_Q(avx2)
EK_CONV_Q(avxvnni)
EK_CONV_Q(avx512vnni)
EK_CONV_Q(neon)
EK_CONV_Q(inorder)
EK_CONV_Q(dotprod)
EK_CONV_Q(i8mm)
ek_conv_bytes_fn ek_conv_packed_bytes__sse41, ek_conv_packed_bytes__avx2,
	ek_conv_packed_bytes__avxvnni, ek_conv_s8_packed_bytes__avx512vnni,
	ek_conv_u8_packed_bytes__avx512vnni, ek_conv_packed_bytes__neon,
	ek_conv_packed_bytes__inorder, ek_conv_packed_bytes__dotprod, ek_conv_packed_bytes__i8mm;

/* With groups they are entry 0. */
#define EK_CONV_F32(isa)                                                                           \
	uint64_t ek_conv_f32_packed_bytes__##isa(const struct ek_conv_shape *shape);               \
	uint64_t ek_conv_f32_scratch_bytes__##isa(const struct ek_conv_shape *shape);              \
	void ek_conv_f32_pack__##isa(const struct ek_conv_f32 *args, void *packed);                \
	void ek_conv_f32__##isa(                                                                   \
		const struct ek_conv_f32 *args, const struct ek_tile *tile, void *scratch);

EK_CONV_F32(avx2)
EK_CONV_F32(avx512vnni)
EK_CONV_F32(neon)
EK_CONV_F32(vfpv4)

/* Groups are entry 0's, and on AVX512 weights of a column that together may leave 32 bits. */
#define EK_CONV_S16(isa)                                                                           \
	uint64_t ek_conv_s16_packed_bytes__##isa(const struct ek_conv_shape *shape);               \
	void ek_conv_s16_pack__##isa(const struct ek_conv_q *args, void *packed);                  \
	uint64_t ek_conv_s16_scratch_bytes__##isa(const struct ek_conv_shape *shape);              \
	void ek_conv_s16__##isa(                                                                   \
		const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

EK_CONV_S16(avx512vnni)
EK_CONV_S16(neon)

typedef void ek_conv_h8_fn(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch);

ek_conv_h8_fn ek_conv_h8__avx2, ek_conv_h8__avx512vnni, ek_conv_h8__neon, ek_conv_h8__dotprod;
uint64_t ek_conv_h8_packed_bytes__avx512vnni(const struct ek_conv_h *args);
void ek_conv_h8_pack__avx512vnni(const struct ek_conv_h *args, void *packed);
uint64_t ek_conv_h8_scratch_bytes__avx512vnni(const struct ek_conv_shape *shape);

#endif
