/* SPDX-License-Identifier: Apache-2.0 */
/* arith_q_arm - rows of the lists of kernels/elementwise/arith_q.h for NEON */
#ifndef KERNELS_ELEMENTWISE_ARITH_Q_ARM_H
#define KERNELS_ELEMENTWISE_ARITH_Q_ARM_H

#include "kernels/elementwise/arith_q.h"

ek_arith_q_fn ek_add_s8__neon, ek_add_u8__neon, ek_add_s16__neon, ek_add_s16_pot__neon,
	ek_mul_s8__neon, ek_mul_u8__neon, ek_mul_s16__neon;

#endif
