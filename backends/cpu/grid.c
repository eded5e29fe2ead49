/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/grid.h"

#include "backends/cpu/team.h"

/* Plain C on a small Arm core does about half a product per nanosecond: 8 ms. */
#define GRID_WORK ((uint64_t)4 << 20)

/* Work below this part of a tile's is done by one thread: some tens of microseconds, of which
 * sharing would cost a few. */
#define TEAM_SHARE 16
/* Tiles for each member, so that a slow one delays the others by little. */
#define PARTS_EACH 4
/* Rows that kernels work on at once divide it. */
#define TEAM_ROWS 16

static uint64_t at_least_1(uint64_t n)
{
	return n ? n : 1;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Rows and columns of a tile, and how many tiles that makes. */
struct tiling {
	uint64_t rows, cols; /* of one tile */
	uint64_t across, down; /* tiles */
};

struct shared_job {
	const struct op_call *call;
	const struct grid_job *job;
	struct tiling tiling;
	atomic_int result;
};

static struct tiling tile(const struct grid_job *job, uint64_t tile_work)
{
	uint64_t elements = at_least_1(tile_work / at_least_1(job->work));
	uint64_t cols = at_least_1(least(job->cols, elements) / job->col_step) * job->col_step;
	uint64_t rows = at_least_1(elements / cols);
	rows = least(job->tile_rows ? least(rows, job->tile_rows) : rows, at_least_1(job->rows));
	return (struct tiling){.rows = rows,
		.cols = cols,
		.across = (job->cols + cols - 1) / cols,
		.down = (job->rows + rows - 1) / rows};
}

static struct ek_tile tile_at(const struct grid_job *job, const struct tiling *t, uint64_t i)
{
	uint64_t row = i / t->across * t->rows, col = i % t->across * t->cols;
	return (struct ek_tile){
		.first_row = (uint32_t)row,
		.n_rows = (uint32_t)least(t->rows, job->rows - row),
		.first_col = (uint32_t)col,
		.n_cols = (uint32_t)least(t->cols, job->cols - col),
	};
}

static void run_shared(void *args, unsigned int member, unsigned int part)
{
	struct shared_job *shared = args;
	const struct grid_job *job = shared->job;
	int r = run_control_check(shared->call->control);
	if (r < 0) {
		atomic_store_explicit(&shared->result, r, memory_order_relaxed);
		return;
	}
	struct ek_tile t = tile_at(job, &shared->tiling, part);
	job->run(job->args, &t, (uint8_t *)shared->call->scratch + member * job->scratch_each);
}

static int given_up(int code, struct error *err)
{
	return code < 0 ? error_set(err, code, "given up between two tiles") : 0;
}

/* The team that shares this job's tiles out, or NULL where one thread is as good. */
static struct team *helpers(
	const struct op_call *call, const struct grid_job *job, uint64_t tile_work)
{
	struct team *team = call->control ? call->control->team : NULL;
	if (!team || team_members(team) > job->threads || job->rows == 0) { /* an empty batch */
		return NULL;
	}
	const uint64_t least_elements = tile_work / TEAM_SHARE / at_least_1(job->work);
	return team_is_eager(team) || job->rows * job->cols >= least_elements ? team : NULL;
}

static uint64_t part_of(uint64_t n, uint64_t parts, uint64_t step)
{
	uint64_t each = (n + parts - 1) / parts;
	return (each + step - 1) / step * step;
}

/*
 * About @parts tiles: of rows where there are enough of them, since kernels work on several rows at
 * once, else of columns, so that each member reads its part of the weights only.
 */
static struct tiling share(const struct grid_job *job, uint64_t parts, uint64_t tile_work)
{
	struct tiling t = {.rows = job->rows, .cols = job->cols};
	if (job->rows >= parts * TEAM_ROWS) {
		t.rows = part_of(job->rows, parts, TEAM_ROWS);
	} else {
		t.cols = part_of(job->cols, parts, job->col_step);
	}
	const uint64_t most = at_least_1(tile_work / at_least_1(job->work));
	t.cols = least(t.cols, at_least_1(most / job->col_step) * job->col_step);
	t.rows = least(t.rows, at_least_1(most / t.cols));
	t.rows = job->tile_rows ? least(t.rows, job->tile_rows) : t.rows;
	t.across = (job->cols + t.cols - 1) / t.cols;
	t.down = (job->rows + t.rows - 1) / t.rows;
	return t;
}

static int run_team(const struct op_call *call, const struct grid_job *job, struct team *team,
	const struct tiling *tiling, struct error *err)
{
	struct shared_job shared = {.call = call, .job = job, .tiling = *tiling};
	team_run(team, (unsigned int)(tiling->across * tiling->down), run_shared, &shared);
	return given_up(atomic_load(&shared.result), err);
}

/* True where all of the output is one tile: most of a small network's operators, whose time the
 * divisions of tile() would be seen in. */
static bool is_one_tile(const struct grid_job *job, uint64_t tile_work)
{
	return job->rows && job->cols && (!job->tile_rows || job->rows <= job->tile_rows) &&
		job->rows * job->cols <= tile_work / at_least_1(job->work);
}

static int run_one_tile(const struct op_call *call, const struct grid_job *job, struct error *err)
{
	int r = given_up(run_control_check(call->control), err);
	if (r == 0) {
		const struct ek_tile t = {0, (uint32_t)job->rows, 0, (uint32_t)job->cols};
		job->run(job->args, &t, call->scratch);
	}
	return r;
}

int grid_run(const struct op_call *call, const struct grid_job *job, struct error *err)
{
	const uint64_t tile_work = job->tile_work ? job->tile_work : GRID_WORK;
	struct team *team = helpers(call, job, tile_work);
	if (team) {
		const struct tiling shared =
			share(job, (uint64_t)team_members(team) * PARTS_EACH, tile_work);
		if (shared.across * shared.down <= TEAM_MAX_PARTS) {
			return run_team(call, job, team, &shared, err);
		}
	}
	if (is_one_tile(job, tile_work)) {
		return run_one_tile(call, job, err);
	}
	const struct tiling tiling = tile(job, tile_work);
	for (uint64_t i = 0; i < tiling.across * tiling.down; i++) {
		int r = given_up(run_control_check(call->control), err);
		if (r < 0) {
			return r;
		}
		struct ek_tile t = tile_at(job, &tiling, i);
		job->run(job->args, &t, call->scratch);
	}
	return 0;
}
