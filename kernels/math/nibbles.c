/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/math/nibbles.h"

#include <string.h>

void ek_copy_s4(void *dst, size_t dst_at, const void *src, size_t src_at, size_t n)
{
	uint8_t *z = dst;
	const uint8_t *x = src;
	size_t i = 0;
	if (dst_at % 2 == 0 && src_at % 2 == 0) {
		memcpy(z + dst_at / 2, x + src_at / 2, n / 2);
		i = n / 2 * 2;
	}
	for (; i < n; i++) {
		size_t from = src_at + i, to = dst_at + i;
		uint8_t v = x[from / 2] >> (from % 2 * 4) & 15;
		z[to / 2] = to % 2 ? (uint8_t)((z[to / 2] & 15) | v << 4) : v;
	}
}
