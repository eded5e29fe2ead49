/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/reduce/lrn.h"

#include <math.h>

void ek_lrn_f32(float *dst, const float *src, size_t n, size_t first, size_t count,
	const struct ek_lrn *params)
{
	const size_t radius = params->radius < n ? params->radius : n;
	for (size_t c = first; c < first + count; c++) {
		const size_t end = c + radius < n ? c + radius : n;
		float sum = 0;
		for (size_t k = c > radius ? c - radius : 0; k < end; k++) {
			sum += src[k] * src[k];
		}
		dst[c] = src[c] * powf(params->bias + params->alpha * sum, -params->beta);
	}
}
