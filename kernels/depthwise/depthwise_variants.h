/* SPDX-License-Identifier: Apache-2.0 */
/* depthwise_variants - rows of the lists of kernels/depthwise/depthwise.h for x86-64 and Arm */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_VARIANTS_H
#define KERNELS_DEPTHWISE_DEPTHWISE_VARIANTS_H

#include "kernels/depthwise/depthwise.h"

/* With more than one output channel per input channel they are entry 0; on Arm where there are several
 * input channels. */
#define EK_DEPTHWISE_Q(isa)                                                                        \
	uint64_t ek_depthwise_scratch_bytes__##isa(const struct ek_conv_shape *shape);             \
	void ek_depthwise_s8_pack__##isa(const struct ek_conv_q *args, void *packed);              \
	void ek_depthwise_u8_pack__##isa(const struct ek_conv_q *args, void *packed);              \
	void ek_depthwise_s8__##isa(                                                               \
		const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);          \
	void ek_depthwise_u8__##isa(                                                               \
		const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

typedef uint64_t ek_depthwise_bytes_fn(const struct ek_conv_shape *shape);

EK_DEPTHWISE_Q(sse41)
EK_DEPTHWISE_Q(avx2)
EK_DEPTHWISE_Q(avxvnni)
EK_DEPTHWISE_Q(avx512vnni)
EK_DEPTHWISE_Q(neon)
EK_DEPTHWISE_Q(dotprod)
ek_depthwise_bytes_fn ek_depthwise_s8_packed_bytes__sse41, ek_depthwise_u8_packed_bytes__sse41,
	ek_depthwise_s8_packed_bytes__avx2, ek_depthwise_u8_packed_bytes__avx2,
	ek_depthwise_s8_packed_bytes__avxvnni, ek_depthwise_u8_packed_bytes__avxvnni,
	ek_depthwise_s8_packed_bytes__avx512vnni, ek_depthwise_u8_packed_bytes__avx512vnni,
	ek_depthwise_packed_bytes__neon, ek_depthwise_packed_bytes__dotprod;

/* With a multiplier they are entry 0. */
#define EK_DEPTHWISE_F32(isa)                                                                      \
	uint64_t ek_depthwise_f32_scratch_bytes__##isa(const struct ek_conv_shape *shape);         \
	void ek_depthwise_f32__##isa(                                                              \
		const struct ek_conv_f32 *args, const struct ek_tile *tile, void *scratch);

EK_DEPTHWISE_F32(avx2)
EK_DEPTHWISE_F32(avx512vnni)
EK_DEPTHWISE_F32(neon)
EK_DEPTHWISE_F32(vfpv4)

/* Read weights in the file's order. With a multiplier, more than 256 taps, or (NEON) fewer than eight
 * channels in a tile, they are entry 0. */
#define EK_DEPTHWISE_S16(isa)                                                                      \
	uint64_t ek_depthwise_s16_scratch_bytes__##isa(const struct ek_conv_shape *shape);         \
	void ek_depthwise_s16__##isa(                                                              \
		const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

EK_DEPTHWISE_S16(avx512vnni)
EK_DEPTHWISE_S16(neon)

#endif
