/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tensor_values - reads and writes elements of a tensor as real numbers
 *
 * A quantized element q is scale * (q - zero_point). Writing divides, rounds half away from zero
 * and clamps to the type's range, like TFLite's QUANTIZE. Elements that are not quantized are used
 * as they are.
 */
#ifndef CLIENT_MEDIA_TENSOR_VALUES_H
#define CLIENT_MEDIA_TENSOR_VALUES_H

#include <stddef.h>

#include "client/media/tensor_spec.h"

/* True if tensor_values_get() and tensor_values_put() support @type: all but strings and complex numbers. */
bool tensor_values_are_numbers(unsigned int type);

/* Returns element @index of @data, which has no padding and any alignment. tensor_values_are_numbers()
 * must be true. */
double tensor_values_get(const struct tensor_spec *spec, const void *data, size_t index);

/* Writes element @index. Returns false if the number does not fit: out of range for an integer
 * that is not quantized, or not finite for any integer. */
bool must_check tensor_values_put(
	const struct tensor_spec *spec, void *data, size_t index, double real);

#endif
