/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tune - which of two ways to multiply a core prefers, measured
 *
 * Some cores run instructions in order, and want products begun before others are added; those that
 * reorder them by themselves want all registers for sums. EK_CPU_IN_ORDER says the former. What core
 * this is says much (kernels/cpu_features.c), but not of cores that it does not know, nor of those that only say
 * that they are of Arm. Both ways read the same packed weights and give the same bits.
 */
#ifndef BACKENDS_CPU_TUNE_H
#define BACKENDS_CPU_TUNE_H

#include <stdint.h>

/* What of @mask (EK_CPU_*) can run here: what the CPU has, and either way to multiply, as @mask says;
 * with all bits set the way that the core's kind suggests. */
uint64_t tune_allowed(uint64_t mask);

/*
 * The same, but with all bits set the way that is faster here: measured on a product of 60 rows, 16
 * columns and a depth of 128, in turns, the least time of each. At most 5 ms; nothing is measured where
 * the CPU has but one way. What the core's kind suggests stays if the other is not faster by a
 * twentieth. Not the same from call to call where both are as good: ask once.
 */
uint64_t tune_choose(uint64_t mask);

#endif
