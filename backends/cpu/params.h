/* SPDX-License-Identifier: Apache-2.0 */
/*
 * params - axes, paddings, permutations: small integer tensors that say how, not what
 *
 * A node with a parameter tensor that only a run computes is prepared anew in each run, with the
 * tensor's bytes at hand like a constant's; its values are foreign then, so ranges are checked.
 */
#ifndef BACKENDS_CPU_PARAMS_H
#define BACKENDS_CPU_PARAMS_H

#include "backends/cpu/op.h"

#define PARAMS_MAX (2 * SHAPE_MAX_RANK)

struct params {
	uint32_t count;
	int64_t value[PARAMS_MAX];
};

/* Operand @i, int8 to int64. -EINVAL when it has more than PARAMS_MAX elements, -EOPNOTSUPP when
 * its values are not known. */
int must_check params_read(
	const struct op_setup *setup, uint32_t i, struct params *ret, struct error *err);

/* -rank <= axis < rank, negative ones counted from the end. -EINVAL beyond. */
int must_check params_axis(int64_t axis, uint32_t rank, uint32_t *ret_axis, struct error *err);

/* Operand @i as one axis of a shape of rank @rank. */
int must_check params_read_axis(const struct op_setup *setup, uint32_t i, uint32_t rank,
	uint32_t *ret_axis, struct error *err);

#endif
