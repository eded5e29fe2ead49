/* SPDX-License-Identifier: Apache-2.0 */
#include <arm_neon.h>

#include "kernels/arm/h8.h"

#define ROW(name) name##__dotprod

#include "kernels/arm/dots_neon.h"

#include "kernels/x86/h8_rows.h"

void ek_matmul_h8__dotprod(
	const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	matmul_plain(args, tile);
}

void ek_conv_h8__dotprod(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch)
{
	conv_plain(args, tile, scratch);
}
