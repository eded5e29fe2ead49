/* SPDX-License-Identifier: Apache-2.0 */
/*
 * float_requant - a requantised function of two codes as a line in float, where that gives every code
 *
 *   FLOAT_REQUANT_NEAREST:  v is rounded to the nearest whole number, ties to even
 *   FLOAT_REQUANT_AWAY:     v + copysign(half, v) is cut, and zero is added
 *
 * With 8-bit operands there are 65536 pairs of codes. A variant that wants to compute in float tries
 * a line on all of them when an operator is prepared, against the integers of entry 0, and uses it
 * only where no pair differs. So the bits stay those of entry 0 whatever float arithmetic does; what
 * v is, its family says.
 */
#ifndef KERNELS_REQUANT_FLOAT_REQUANT_H
#define KERNELS_REQUANT_FLOAT_REQUANT_H

#include <stdint.h>

enum ek_float_requant_form {
	FLOAT_REQUANT_NONE, /* none was found, or nothing has been tried: integers */
	FLOAT_REQUANT_NEAREST,
	FLOAT_REQUANT_AWAY
};

struct ek_float_requant {
	enum ek_float_requant_form form;
	float a, b, start; /* slopes of the operands, and where v starts */
	float half; /* FLOAT_REQUANT_AWAY */
};

#endif
