/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values - the elements of a tensor as real numbers
 *
 * A quantised element q stands for scale * (q - zero_point). Writing divides, rounds half away from
 * zero and keeps to the type's range, as TFLite's QUANTIZE does. Elements that are not quantised
 * are the number itself.
 */
#ifndef CLIENT_PIPELINE_VALUES_H
#define CLIENT_PIPELINE_VALUES_H

#include <stddef.h>

#include "client/pipeline/spec.h"

/* Can elements of this type be read and written as numbers? Not strings and complex numbers. */
bool values_are_numbers(unsigned int type);

/* Element @index of dense @data, any alignment. The type is one of values_are_numbers(). */
double values_get(const struct spec *spec, const void *data, size_t index);

/* False when the number does not fit: outside the range of an integer that is not quantised, or not
 * finite in an integer. */
bool must_check values_put(const struct spec *spec, void *data, size_t index, double real);

#endif
