/* SPDX-License-Identifier: Apache-2.0 */
/* conv - rows of the lists of kernels/conv.h for Arm; with groups they are entry 0 */
#ifndef KERNELS_ARM_CONV_H
#define KERNELS_ARM_CONV_H

#include "kernels/conv.h"

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

#endif
