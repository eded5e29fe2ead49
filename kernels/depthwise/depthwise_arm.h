/* SPDX-License-Identifier: Apache-2.0 */
/* depthwise - rows of the lists of kernels/depthwise.h for Arm; with several input channels, and more than
 * one output channel for each, they are entry 0 */
#ifndef KERNELS_ARM_DEPTHWISE_H
#define KERNELS_ARM_DEPTHWISE_H

#include "kernels/depthwise.h"

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

#endif
