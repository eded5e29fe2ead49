/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/math/f16.h"

void ek_f16_to_f32(float *dst, const uint16_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = ek_f16_get(src[i]);
	}
}

void ek_f16_from_f32(uint16_t *dst, const float *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = ek_f16_from(src[i]);
	}
}
