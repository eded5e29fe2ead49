/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/cpu/team.h"
#include "backends/cpu/tile_grid.h"

#define ROWS 37
#define COLS 50

struct seen {
	uint8_t *times; /* [ROWS][COLS] */
	uint32_t *n_tiles;
	uint32_t col_step;
	atomic_bool *cancel; /* set by the first tile */
};

static void count(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct seen *seen = args;
	assert_int_equal(tile->first_col % seen->col_step, 0);
	for (uint32_t r = 0; r < tile->n_rows; r++) {
		for (uint32_t c = 0; c < tile->n_cols; c++) {
			seen->times[(tile->first_row + r) * COLS + tile->first_col + c]++;
		}
	}
	++*seen->n_tiles;
	if (seen->cancel) {
		atomic_store(seen->cancel, true);
	}
}

/* Elements that were made exactly once. */
static uint32_t made_once(uint64_t work, uint32_t col_step, uint64_t tile_rows, uint32_t *n_tiles)
{
	uint8_t times[ROWS * COLS] = {0};
	const struct seen seen = {times, n_tiles, col_step, NULL};
	const struct tile_grid_job job = {.rows = ROWS,
		.cols = COLS,
		.work = work,
		.col_step = col_step,
		.tile_rows = tile_rows,
		.run = count,
		.args = &seen};
	const struct op_call call = {0};
	assert_int_equal(tile_grid_run(&call, &job, NULL), 0);
	uint32_t once = 0;
	for (size_t i = 0; i < sizeof(times); i++) {
		once += times[i] == 1;
	}
	return once;
}

static void tiles_cover_every_element_once_whatever_the_work(void **state)
{
	(void)state;
	static const uint64_t works[] = {0, 1, 5000, 100000, 4000000, 1ull << 40};
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		for (uint32_t step = 1; step <= 64; step *= 4) {
			uint32_t n = 0;
			assert_int_equal(made_once(works[i], step, 0, &n), ROWS * COLS);
			n = 0;
			assert_int_equal(made_once(works[i], step, 3, &n), ROWS * COLS);
			assert_true(n >= ROWS / 3);
		}
	}
}

static void long_work_is_cut_and_short_work_is_not(void **state)
{
	(void)state;
	uint32_t n = 0;
	made_once(1, 1, 0, &n);
	assert_int_equal(n, 1);
	n = 0;
	made_once(1ull << 40, 1, 0, &n);
	assert_int_equal(n, ROWS * COLS);
}

static void a_cancelled_run_stops_after_the_tile_at_hand(void **state)
{
	(void)state;
	uint8_t times[ROWS * COLS] = {0};
	uint32_t n = 0;
	atomic_bool cancel = false;
	const struct seen seen = {times, &n, 1, &cancel};
	const struct run_control control = {.cancelled = &cancel};
	const struct op_call call = {.control = &control};
	const struct tile_grid_job job = {.rows = ROWS,
		.cols = COLS,
		.work = 1 << 20,
		.col_step = 1,
		.run = count,
		.args = &seen};
	struct error err;
	assert_int_equal(tile_grid_run(&call, &job, &err), -ECANCELED);
	assert_int_equal(n, 1);
}

static void a_deadline_that_passed_runs_nothing(void **state)
{
	(void)state;
	uint8_t times[ROWS * COLS] = {0};
	uint32_t n = 0;
	const struct seen seen = {times, &n, 1, NULL};
	const struct run_control control = {.deadline_ns = 1};
	const struct op_call call = {.control = &control};
	const struct tile_grid_job job = {
		.rows = ROWS, .cols = COLS, .work = 1, .col_step = 1, .run = count, .args = &seen};
	struct error err;
	assert_int_equal(tile_grid_run(&call, &job, &err), -ETIMEDOUT);
	assert_int_equal(err.status, EDGE_DEADLINE);
	assert_int_equal(n, 0);
}

/* ---- shared out */

struct shared_seen {
	atomic_uchar *times; /* [ROWS][COLS] */
	uint32_t col_step;
	atomic_bool *cancel;
};

#define SCRATCH_EACH 64
#define MEMBERS 3

/* Counts the tile's elements, and finds the scratch as nobody else leaves it. */
static void count_shared(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct shared_seen *seen = args;
	uint32_t *mine = scratch;
	*mine = tile->first_row * COLS + tile->first_col;
	for (uint32_t r = 0; r < tile->n_rows; r++) {
		for (uint32_t c = 0; c < tile->n_cols; c++) {
			atomic_fetch_add(
				&seen->times[(tile->first_row + r) * COLS + tile->first_col + c],
				1);
		}
	}
	if (seen->cancel) {
		atomic_store(seen->cancel, true);
	}
	assert_int_equal(*mine, tile->first_row * COLS + tile->first_col);
	assert_int_equal(tile->first_col % seen->col_step, 0);
}

static int run_shared_grid(struct team *team, uint64_t work, uint32_t col_step, atomic_bool *cancel,
	uint32_t *ret_once)
{
	static _Alignas(64) uint8_t scratch[MEMBERS * SCRATCH_EACH];
	atomic_uchar times[ROWS * COLS] = {0};
	const struct shared_seen seen = {times, col_step, cancel};
	const struct run_control control = {.team = team, .cancelled = cancel};
	const struct op_call call = {.control = &control, .scratch = scratch};
	const struct tile_grid_job job = {.rows = ROWS,
		.cols = COLS,
		.work = work,
		.col_step = col_step,
		.run = count_shared,
		.args = &seen,
		.threads = MEMBERS,
		.scratch_each = SCRATCH_EACH};
	int r = tile_grid_run(&call, &job, NULL);
	*ret_once = 0;
	for (size_t i = 0; i < ROWS * COLS; i++) {
		*ret_once += times[i] == 1;
		assert_true(times[i] <= 1);
	}
	return r;
}

static void a_team_makes_every_element_once(void **state)
{
	(void)state;
	static const uint64_t works[] = {0, 1, 5000, 100000, 4000000, 1ull << 40};
	owned(team_free) struct team *team = NULL;
	assert_int_equal(team_new(MEMBERS, true, &team, NULL), 0);
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		for (uint32_t step = 1; step <= 64; step *= 4) {
			uint32_t once = 0;
			assert_int_equal(run_shared_grid(team, works[i], step, NULL, &once), 0);
			assert_int_equal(once, ROWS * COLS);
		}
	}
}

static void a_team_has_nothing_to_do_for_an_output_without_rows(void **state)
{
	(void)state;
	owned(team_free) struct team *team = NULL;
	assert_int_equal(team_new(MEMBERS, true, &team, NULL), 0);
	const struct run_control control = {.team = team};
	const struct op_call call = {.control = &control};
	const struct tile_grid_job job = {
		.cols = COLS, .work = 1, .col_step = 1, .run = count_shared, .threads = MEMBERS};
	assert_int_equal(tile_grid_run(&call, &job, NULL), 0);
}

static void a_team_that_is_larger_than_planned_is_left_out(void **state)
{
	(void)state;
	uint32_t once = 0;
	owned(team_free) struct team *team = NULL;
	assert_int_equal(team_new(MEMBERS + 1, true, &team, NULL), 0);
	assert_int_equal(run_shared_grid(team, 5000, 1, NULL, &once), 0);
	assert_int_equal(once, ROWS * COLS);
}

static void a_team_stops_when_the_run_is_cancelled(void **state)
{
	(void)state;
	uint32_t once = 0;
	atomic_bool cancel = false;
	owned(team_free) struct team *team = NULL;
	assert_int_equal(team_new(MEMBERS, true, &team, NULL), 0);
	assert_int_equal(run_shared_grid(team, 1ull << 40, 1, &cancel, &once), -ECANCELED);
	assert_in_range(once, 1, MEMBERS); /* each had one tile at hand, of one element */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiles_cover_every_element_once_whatever_the_work),
		cmocka_unit_test(long_work_is_cut_and_short_work_is_not),
		cmocka_unit_test(a_cancelled_run_stops_after_the_tile_at_hand),
		cmocka_unit_test(a_deadline_that_passed_runs_nothing),
		cmocka_unit_test(a_team_makes_every_element_once),
		cmocka_unit_test(a_team_has_nothing_to_do_for_an_output_without_rows),
		cmocka_unit_test(a_team_that_is_larger_than_planned_is_left_out),
		cmocka_unit_test(a_team_stops_when_the_run_is_cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
