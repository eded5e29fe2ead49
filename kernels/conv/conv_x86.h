/* SPDX-License-Identifier: Apache-2.0 */
/* conv_x86 - rows of the lists of kernels/conv/conv.h for x86-64 */
#ifndef KERNELS_CONV_CONV_X86_H
#define KERNELS_CONV_CONV_X86_H

#include "kernels/conv/conv.h"

/* Entry 0 where conv_is_walked() of conv_plan_avx512.h says no: with groups, above all. */
uint64_t ek_conv_s8_packed_bytes__avx512vnni(const struct ek_conv_shape *shape);
uint64_t ek_conv_u8_packed_bytes__avx512vnni(const struct ek_conv_shape *shape);
uint64_t ek_conv_scratch_bytes__avx512vnni(const struct ek_conv_shape *shape);
void ek_conv_s8_pack__avx512vnni(const struct ek_conv_q *args, void *packed);
void ek_conv_u8_pack__avx512vnni(const struct ek_conv_q *args, void *packed);
void ek_conv_s8__avx512vnni(
	const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);
void ek_conv_u8__avx512vnni(
	const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

#define EK_CONV_Q_X86(isa)                                                                         \
	uint64_t ek_conv_packed_bytes__##isa(const struct ek_conv_shape *shape);                   \
	uint64_t ek_conv_scratch_bytes__##isa(const struct ek_conv_shape *shape);                  \
	void ek_conv_s8_pack__##isa(const struct ek_conv_q *args, void *packed);                   \
	void ek_conv_u8_pack__##isa(const struct ek_conv_q *args, void *packed);                   \
	void ek_conv_s8__##isa(                                                                    \
		const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);          \
	void ek_conv_u8__##isa(                                                                    \
		const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

EK_CONV_Q_X86(sse41)
EK_CONV_Q_X86(avx2)
EK_CONV_Q_X86(avxvnni)

/* With groups they are entry 0. */
#define EK_CONV_F32_X86(isa)                                                                       \
	uint64_t ek_conv_f32_packed_bytes__##isa(const struct ek_conv_shape *shape);               \
	uint64_t ek_conv_f32_scratch_bytes__##isa(const struct ek_conv_shape *shape);              \
	void ek_conv_f32_pack__##isa(const struct ek_conv_f32 *args, void *packed);                \
	void ek_conv_f32__##isa(                                                                   \
		const struct ek_conv_f32 *args, const struct ek_tile *tile, void *scratch);

EK_CONV_F32_X86(avx2)
EK_CONV_F32_X86(avx512vnni)

/* Weights of a column that together may leave 32 bits, and groups, are entry 0's. */
uint64_t ek_conv_s16_packed_bytes__avx512vnni(const struct ek_conv_shape *shape);
void ek_conv_s16_pack__avx512vnni(const struct ek_conv_q *args, void *packed);
uint64_t ek_conv_s16_scratch_bytes__avx512vnni(const struct ek_conv_shape *shape);
void ek_conv_s16__avx512vnni(
	const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

void ek_conv_h8__avx2(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch);
uint64_t ek_conv_h8_packed_bytes__avx512vnni(const struct ek_conv_h *args);
void ek_conv_h8_pack__avx512vnni(const struct ek_conv_h *args, void *packed);
uint64_t ek_conv_h8_scratch_bytes__avx512vnni(const struct ek_conv_shape *shape);
void ek_conv_h8__avx512vnni(
	const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch);

#endif
