/* SPDX-License-Identifier: Apache-2.0 */
/* depthwise_arm - rows of the lists of kernels/depthwise/depthwise.h for Arm; with several input channels, and more than
 * one output channel for each, they are entry 0 */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_ARM_H
#define KERNELS_DEPTHWISE_DEPTHWISE_ARM_H

#include "kernels/depthwise/depthwise.h"

#define EK_DEPTHWISE_ARM(isa)                                                                      \
	uint64_t ek_depthwise_packed_bytes__##isa(const struct ek_depthwise_shape *shape);         \
	uint64_t ek_depthwise_scratch_bytes__##isa(const struct ek_depthwise_shape *shape);        \
	void ek_depthwise_s8_pack__##isa(const struct ek_depthwise_q *args, void *packed);         \
	void ek_depthwise_u8_pack__##isa(const struct ek_depthwise_q *args, void *packed);         \
	void ek_depthwise_s8__##isa(                                                               \
		const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch);     \
	void ek_depthwise_u8__##isa(                                                               \
		const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch);

EK_DEPTHWISE_ARM(neon)
#if defined(__aarch64__)
EK_DEPTHWISE_ARM(dotprod)
#endif

/* With a multiplier they are entry 0. */
#define EK_DEPTHWISE_F32_ARM(isa)                                                                  \
	uint64_t ek_depthwise_f32_scratch_bytes__##isa(const struct ek_depthwise_shape *shape);    \
	void ek_depthwise_f32__##isa(                                                              \
		const struct ek_depthwise_f32 *args, const struct ek_tile *tile, void *scratch);

#if defined(__aarch64__)
EK_DEPTHWISE_F32_ARM(neon)
#else
EK_DEPTHWISE_F32_ARM(vfpv4)
#endif

/* Reads weights in the file's order. With a multiplier, fewer than eight channels in a tile, or more than
 * 256 taps, it is entry 0. */
uint64_t ek_depthwise_s16_scratch_bytes__neon(const struct ek_depthwise_shape *shape);
void ek_depthwise_s16__neon(
	const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch);

#endif
