/* SPDX-License-Identifier: Apache-2.0 */
/* strided - strided copies of large tensors, with a look at the control now and then */
#ifndef BACKENDS_CPU_OPERAND_STRIDED_H
#define BACKENDS_CPU_OPERAND_STRIDED_H

#include "engine/backend.h"
#include "kernels/move/strided_copy.h"

/* As ek_strided_copy_run(), dimension by dimension. 0, -ETIMEDOUT or -ECANCELED. */
int must_check strided_copy(void *dst, const void *src, size_t element_bytes,
	const struct ek_strided_copy *walk, const struct run_control *control, struct error *err);

/* As ek_strided_copy_fill(). 0, -ETIMEDOUT or -ECANCELED. */
int must_check strided_fill(void *dst, const void *value, size_t element_bytes, uint64_t count,
	const struct run_control *control, struct error *err);

/* Bytes from one index to the next in each dimension of a dense tensor. */
void strided_steps(const struct shape *shape, size_t element_bytes, ptrdiff_t *ret_steps);

#endif
