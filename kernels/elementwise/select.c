/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/select.h"

#define SELECT(name, type)                                                                         \
	void name(void *dst, const struct ek_select *s, size_t n)                                  \
	{                                                                                          \
		const uint8_t *condition = s->condition;                                           \
		const type *x = s->x, *y = s->y;                                                   \
		type *z = dst;                                                                     \
		for (size_t i = 0; i < n; i++) {                                                   \
			type a = x[i * s->x_step], b = y[i * s->y_step];                           \
			z[i] = condition[i * s->condition_step] ? a : b;                           \
		}                                                                                  \
	}

SELECT(ek_select_1, uint8_t)
SELECT(ek_select_2, uint16_t)
SELECT(ek_select_4, uint32_t)
SELECT(ek_select_8, uint64_t)
