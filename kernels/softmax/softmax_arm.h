/* SPDX-License-Identifier: Apache-2.0 */
/* softmax_arm - rows of the lists of kernels/softmax/softmax.h for NEON */
#ifndef KERNELS_SOFTMAX_SOFTMAX_ARM_H
#define KERNELS_SOFTMAX_SOFTMAX_ARM_H

#include "kernels/softmax/softmax.h"

ek_softmax_fn ek_softmax_s8__neon, ek_softmax_u8__neon, ek_softmax_s8to16__neon,
	ek_softmax_u8to16__neon;

#endif
