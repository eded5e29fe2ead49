/* SPDX-License-Identifier: Apache-2.0 */
/* depthwise_x86 - rows of the lists of kernels/depthwise/depthwise.h for x86-64 */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_X86_H
#define KERNELS_DEPTHWISE_DEPTHWISE_X86_H

#include "kernels/depthwise/depthwise.h"

/* With more than one output channel per input channel they are entry 0. */
#define EK_DEPTHWISE_Q_X86(isa)                                                                    \
	uint64_t ek_depthwise_s8_packed_bytes__##isa(const struct ek_depthwise_shape *shape);      \
	uint64_t ek_depthwise_u8_packed_bytes__##isa(const struct ek_depthwise_shape *shape);      \
	uint64_t ek_depthwise_scratch_bytes__##isa(const struct ek_depthwise_shape *shape);        \
	void ek_depthwise_s8_pack__##isa(const struct ek_depthwise_q *args, void *packed);         \
	void ek_depthwise_u8_pack__##isa(const struct ek_depthwise_q *args, void *packed);         \
	void ek_depthwise_s8__##isa(                                                               \
		const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch);     \
	void ek_depthwise_u8__##isa(                                                               \
		const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch);

EK_DEPTHWISE_Q_X86(sse41)
EK_DEPTHWISE_Q_X86(avx2)
EK_DEPTHWISE_Q_X86(avxvnni)
EK_DEPTHWISE_Q_X86(avx512vnni)

/* With a multiplier they are entry 0. */
#define EK_DEPTHWISE_F32_X86(isa)                                                                  \
	uint64_t ek_depthwise_f32_scratch_bytes__##isa(const struct ek_depthwise_shape *shape);    \
	void ek_depthwise_f32__##isa(                                                              \
		const struct ek_depthwise_f32 *args, const struct ek_tile *tile, void *scratch);

EK_DEPTHWISE_F32_X86(avx2)
EK_DEPTHWISE_F32_X86(avx512vnni)

/* With a multiplier, or more than 256 taps, it is entry 0. */
uint64_t ek_depthwise_s16_scratch_bytes__avx512vnni(const struct ek_depthwise_shape *shape);
void ek_depthwise_s16__avx512vnni(
	const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch);

#endif
