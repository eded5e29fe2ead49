/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/grid.h"

/* Plain C on a small Arm core does about half a product per nanosecond: 8 ms. */
#define GRID_WORK ((uint64_t)4 << 20)

static uint64_t at_least_1(uint64_t n)
{
	return n ? n : 1;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int grid_run(const struct op_call *call, const struct grid_job *job, struct error *err)
{
	uint64_t tile_work = job->tile_work ? job->tile_work : GRID_WORK;
	uint64_t elements = at_least_1(tile_work / at_least_1(job->work));
	uint64_t cols = at_least_1(least(job->cols, elements) / job->col_step) * job->col_step;
	uint64_t rows = at_least_1(elements / cols);
	rows = job->tile_rows ? least(rows, job->tile_rows) : rows;
	for (uint64_t row = 0; row < job->rows; row += rows) {
		for (uint64_t col = 0; col < job->cols; col += cols) {
			int r = run_control_check(call->control);
			if (r < 0) {
				return error_set(err, r, "given up between two tiles");
			}
			struct ek_tile tile = {
				.first_row = (uint32_t)row,
				.n_rows = (uint32_t)least(rows, job->rows - row),
				.first_col = (uint32_t)col,
				.n_cols = (uint32_t)least(cols, job->cols - col),
			};
			job->run(job->args, &tile, call->scratch);
		}
	}
	return 0;
}
