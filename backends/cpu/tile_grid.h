/* SPDX-License-Identifier: Apache-2.0 */
/* tile_grid - an operator's output in tiles of rows and columns, with a look at the clock between them */
#ifndef BACKENDS_CPU_TILE_GRID_H
#define BACKENDS_CPU_TILE_GRID_H

#include "backends/cpu/op.h"
#include "kernels/cpu_features.h"
#include "kernels/tile.h"

/* Products of a tile of the rows that pack weights, all of them many times faster than plain C. */
#define PACKED_TILE_WORK ((uint64_t)32 << 20)

/* Products between two looks at the clock where kernels are plain C, or no faster in some shape: about a
 * millisecond. */
#define PLAIN_LOOK_WORK ((uint64_t)1 << 19)

/* Instructions on denormal floats between two looks: x86 takes some 50 ns for each, 3 ms. */
#define DENORMAL_LOOK_WORK ((uint64_t)1 << 16)

/* Makes one tile; @args is the operator's own. */
typedef void tile_grid_fn(const void *args, const struct ek_tile *tile, void *scratch);

struct tile_grid_job {
	uint64_t rows, cols; /* of the output */
	uint64_t work; /* products or element operations per output element */
	uint32_t col_step; /* tiles begin at multiples of it */
	uint32_t row_step; /* so do those of a team, where it can be; 0 counts as 1 */
	uint64_t tile_work; /* products of one tile, 0: what plain C does in a few milliseconds */
	uint64_t look_work; /* the same, but has no part in how a team shares tiles; 0: tile_work */
	/* Products of one row in a tile at which its columns are made in even parts of at least half as many: their
	 * weights come from memory, which takes longer than products. For one thread; 0: never. */
	uint64_t row_work;
	uint64_t tile_rows; /* at most, 0: any */
	unsigned int
		threads; /* for how many there is scratch: setup->threads, or 1; 0 counts as 1 */
	uint64_t scratch_each; /* how far their scratch is apart */
	tile_grid_fn *run;
	const void *args;
};

/*
 * Runs all tiles of @job, each a few milliseconds of work at most on a slow core. Where the run has a
 * team that is not larger than job->threads, and there is work enough for more than one, tiles are
 * shared out. 0, -ETIMEDOUT or -ECANCELED.
 */
int must_check tile_grid_run(
	const struct op_call *call, const struct tile_grid_job *job, struct error *err);

/* tile_grid_job.look_work of a kernel. */
static inline uint64_t tile_grid_look_work(const struct ek_variant *kernel)
{
	return kernel->needs ? 0 : PLAIN_LOOK_WORK;
}

/* The same of float products, which may be denormal. Vectors have 8 columns or more. */
static inline uint64_t tile_grid_float_look_work(const struct ek_variant *kernel, uint64_t cols)
{
	return DENORMAL_LOOK_WORK * (!kernel->needs || cols == 0 ? 1 : cols < 8 ? cols : 8);
}

/* Makes elements @first to @first + @n - 1 of a result. */
typedef void tile_grid_line_fn(const void *args, uint64_t first, uint64_t n);

/* True where the run has a team that makes @n elements, which are little work each, sooner than one thread. */
bool tile_grid_shares_line(const struct op_call *call, uint64_t n);

/* Then: makes them, in parts of about the same size. As tile_grid_run(). */
int must_check tile_grid_run_line(const struct op_call *call, uint64_t n, tile_grid_line_fn *run,
	const void *args, struct error *err);

#endif
