/* SPDX-License-Identifier: Apache-2.0 */
/* hybrid_row - scale and zero point of a row of codes made by kernels/hybrid/hybrid.h */
#ifndef KERNELS_HYBRID_HYBRID_ROW_H
#define KERNELS_HYBRID_HYBRID_ROW_H

#include <stdint.h>

struct ek_hybrid_row {
	float scale; /* >= 0; 1 for a row of zeros */
	int32_t zero; /* -128 .. 127; 0 for symmetric rows */
};

#endif
