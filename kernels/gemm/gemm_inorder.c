/* SPDX-License-Identifier: Apache-2.0 */
/* Without dot products: for cores that run instructions in order. Products of five rows need five
 * registers, so that there is one row less. */
#define PRODUCT_ISA product_inorder
#define TILE_ROWS 5
#define PRODUCT_IN_ORDER 1
#include "kernels/arm/product_neon_body.h"
