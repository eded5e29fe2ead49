/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tile - which part of an output a kernel call makes
 *
 * Every output of the multiplying families is seen as rows (output pixels over all batches, or rows
 * of a product) by columns (output channels). Calls for disjoint tiles of one output may run at the
 * same time, each with scratch of its own.
 */
#ifndef KERNELS_TILE_H
#define KERNELS_TILE_H

#include <stdint.h>

struct ek_tile {
	uint32_t first_row, n_rows;
	uint32_t first_col, n_cols;
};

#endif
