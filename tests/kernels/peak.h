/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peak - what an instruction set can multiply at most, measured
 *
 * The instructions that a variant's products are made of, from registers to registers, with so many
 * sums that none waits for another.
 */
#ifndef TESTS_KERNELS_PEAK_H
#define TESTS_KERNELS_PEAK_H

#include <stdint.h>

enum peak_kind {
	PEAK_BYTES, /* 8 bits by 8 bits, exact sums of 32 bits */
	PEAK_FLOATS,
};

/* Products per nanosecond, the best of many tries, by the best of @needs (EK_CPU_*); 0 where there is
 * no loop for it, plain C among them. Takes some milliseconds. */
double peak_measure(uint64_t needs, enum peak_kind kind);

#endif
