/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/tile_grid.h"

#include "backends/cpu/team.h"

/* Plain C on a small Arm core does about half a product per nanosecond: 8 ms. */
#define TILE_GRID_WORK ((uint64_t)4 << 20)
/* Outputs of a tile at most: finishing one takes as long as some ten products. */
#define TILE_GRID_ELEMENTS ((uint64_t)1 << 18)

/* Work below this part of a tile's is done by one thread: some tens of microseconds, of which
 * sharing would cost a few. */
#define TEAM_SHARE 16
/* Tiles for each member at most, so that a slow one delays the others by little, and what part of a tile's
 * work they have at least, where that makes more than two: some microseconds. */
#define PARTS_EACH 4
#define PART_SHARE 16
/* Of elements that are little work each, so many take some microseconds and whole cache lines. */
#define FLOAT_REQUANT_WORK ((uint64_t)1 << 18)
#define FLOAT_REQUANT_STEP 256
/* Kernels work on several rows at once: with fewer in a part they lose time. */
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

/* An output in parts of about the same size: rows in units, columns in the steps of the job. */
struct parting {
	uint64_t unit, units, steps;
	uint64_t across, down; /* parts */
};

struct shared_job {
	const struct op_call *call;
	const struct tile_grid_job *job;
	struct parting parting;
	atomic_int result;
};

/* Outputs of a tile. */
static uint64_t tile_elements(const struct tile_grid_job *job, uint64_t tile_work)
{
	const uint64_t work = job->look_work ? least(job->look_work, tile_work) : tile_work;
	return least(at_least_1(work / at_least_1(job->work)), TILE_GRID_ELEMENTS);
}

static struct tiling tile(const struct tile_grid_job *job, uint64_t tile_work)
{
	uint64_t elements = tile_elements(job, tile_work);
	uint64_t cols = at_least_1(least(job->cols, elements) / job->col_step) * job->col_step;
	uint64_t rows = at_least_1(elements / cols);
	rows = least(job->tile_rows ? least(rows, job->tile_rows) : rows, at_least_1(job->rows));
	if (job->row_step && rows > job->row_step) { /* whole rows of a picture */
		rows -= rows % job->row_step;
	}
	return (struct tiling){.rows = rows,
		.cols = cols,
		.across = (job->cols + cols - 1) / cols,
		.down = (job->rows + rows - 1) / rows};
}

static struct ek_tile tile_at(const struct tile_grid_job *job, const struct tiling *t, uint64_t i)
{
	uint64_t row = i / t->across * t->rows, col = i % t->across * t->cols;
	return (struct ek_tile){
		.first_row = (uint32_t)row,
		.n_rows = (uint32_t)least(t->rows, job->rows - row),
		.first_col = (uint32_t)col,
		.n_cols = (uint32_t)least(t->cols, job->cols - col),
	};
}

static struct ek_tile part_at(const struct tile_grid_job *job, const struct parting *p, uint64_t i)
{
	const uint64_t down = i / p->across, across = i % p->across;
	const uint64_t row = p->units * down / p->down * p->unit;
	const uint64_t col = p->steps * across / p->across * job->col_step;
	return (struct ek_tile){
		.first_row = (uint32_t)row,
		.n_rows = (uint32_t)(least(p->units * (down + 1) / p->down * p->unit, job->rows) -
			row),
		.first_col = (uint32_t)col,
		.n_cols = (uint32_t)(least(p->steps * (across + 1) / p->across * job->col_step,
					     job->cols) -
			col),
	};
}

static void run_shared(void *args, unsigned int member, unsigned int part)
{
	struct shared_job *shared = args;
	const struct tile_grid_job *job = shared->job;
	int r = run_control_check(shared->call->control);
	if (r < 0) {
		atomic_store_explicit(&shared->result, r, memory_order_relaxed);
		return;
	}
	struct ek_tile t = part_at(job, &shared->parting, part);
	job->run(job->args, &t, (uint8_t *)shared->call->scratch + member * job->scratch_each);
}

static int given_up(int code, struct error *err)
{
	return code < 0 ? error_set(err, code, "given up between two tiles") : 0;
}

/* The team that shares this job's tiles out, or NULL where one thread is as good. */
static struct team *helpers(
	const struct op_call *call, const struct tile_grid_job *job, uint64_t tile_work)
{
	struct team *team = call->control ? call->control->team : NULL;
	if (!team || team_members(team) > job->threads || job->rows == 0 ||
		job->cols == 0) { /* an empty batch */
		return NULL;
	}
	const uint64_t least_elements = tile_work / TEAM_SHARE / at_least_1(job->work);
	return team_is_eager(team) || job->rows * job->cols >= least_elements ? team : NULL;
}

static uint64_t parts_of(uint64_t n, uint64_t each)
{
	return (n + each - 1) / each;
}

/* How much longer the member with most of @n units has than all would have of equal shares, in 1/64. */
static uint64_t unevenness(uint64_t n, uint64_t members)
{
	return 64 * members * parts_of(n, members) / at_least_1(n);
}

/*
 * Rows where there are many of them; of few, what can be shared more evenly: of columns each member reads
 * its part of the weights only, but they come in steps; rows do not, but kernels lose with fewer.
 */
static bool shares_rows(const struct tile_grid_job *job, const struct parting *p, uint64_t members)
{
	const uint64_t each = job->rows / members;
	const uint64_t rows = unevenness(p->units, members) + (each < TEAM_ROWS ? 16 : 0);
	if (p->unit > 1 && p->units >= 3 * members) {
		return true; /* whole rows of a picture are worth more than even shares */
	}
	return each >= (uint64_t)PARTS_EACH * TEAM_ROWS ? p->units >= members
							: rows <= unevenness(p->steps, members);
}

/* No part takes more than a tile may. */
static void bound(const struct tile_grid_job *job, struct parting *p, uint64_t tile_work)
{
	const uint64_t most = tile_elements(job, tile_work);
	const uint64_t steps = at_least_1(most / job->col_step);
	p->across = p->across < parts_of(p->steps, steps) ? parts_of(p->steps, steps) : p->across;
	const uint64_t cols = least(parts_of(p->steps, p->across) * job->col_step, job->cols);
	uint64_t rows = at_least_1(most / cols);
	rows = job->tile_rows ? least(rows, job->tile_rows) : rows;
	if (rows < p->unit) {
		p->unit = 1;
		p->units = job->rows;
	}
	const uint64_t down = parts_of(p->units, rows / p->unit);
	p->down = p->down < down ? down : p->down;
}

static struct parting share(const struct tile_grid_job *job, uint64_t members, uint64_t tile_work)
{
	const uint64_t work = job->rows * job->cols * at_least_1(job->work);
	uint64_t each = least(work / members / (tile_work / PART_SHARE), PARTS_EACH);
	each = each < 2 ? 2 : each; /* something is left to take over from one that comes late */
	struct parting p = {.unit = at_least_1(job->row_step), .across = 1, .down = 1};
	p.units = parts_of(job->rows, p.unit);
	p.steps = parts_of(job->cols, job->col_step);
	if (shares_rows(job, &p, members)) {
		each = least(each, job->rows / members / TEAM_ROWS);
		p.down = least(members * at_least_1(each), p.units);
	} else {
		p.across = least(members * at_least_1(each), p.steps);
	}
	bound(job, &p, tile_work);
	return p;
}

static int run_team(const struct op_call *call, const struct tile_grid_job *job, struct team *team,
	const struct parting *parting, struct error *err)
{
	struct shared_job shared = {.call = call, .job = job, .parting = *parting};
	team_run(team, (unsigned int)(parting->across * parting->down), run_shared, &shared);
	return given_up(atomic_load(&shared.result), err);
}

/* True where all of the output is one tile: most of a small network's operators, whose time the
 * divisions of tile() would be seen in. */
static bool is_one_tile(const struct tile_grid_job *job, uint64_t tile_work)
{
	const uint64_t elements = job->rows * job->cols;
	const uint64_t most = job->look_work ? least(job->look_work, tile_work) : tile_work;
	return elements && elements <= TILE_GRID_ELEMENTS && elements * job->work <= most &&
		(!job->tile_rows || job->rows <= job->tile_rows);
}

/* A tile in parts of its columns, with a look at the control before each. */
static __attribute__((noinline)) int run_tile_by_columns(const struct op_call *call,
	const struct tile_grid_job *job, const struct ek_tile *tile, struct error *err)
{
	const uint64_t steps = parts_of(tile->n_cols, job->col_step);
	const uint64_t parts = least(2 * tile->n_cols * job->work / job->row_work, steps);
	int r = 0;
	for (uint64_t i = 0; r == 0 && i < parts; i++) {
		const uint64_t first = steps * i / parts * job->col_step;
		const uint64_t end = least(steps * (i + 1) / parts * job->col_step, tile->n_cols);
		struct ek_tile part = *tile;
		part.first_col += (uint32_t)first;
		part.n_cols = (uint32_t)(end - first);
		r = given_up(run_control_check(call->control), err);
		if (r == 0) {
			job->run(job->args, &part, call->scratch);
		}
	}
	return r;
}

static int run_tile(const struct op_call *call, const struct tile_grid_job *job,
	const struct ek_tile *tile, struct error *err)
{
	if (job->row_work && tile->n_cols * at_least_1(job->work) > job->row_work) {
		return run_tile_by_columns(call, job, tile, err);
	}
	int r = given_up(run_control_check(call->control), err);
	if (r == 0) {
		job->run(job->args, tile, call->scratch);
	}
	return r;
}

/* Apart from tile_grid_run(), which then has few registers to save. */
static __attribute__((noinline)) int run_tiles(const struct op_call *call,
	const struct tile_grid_job *job, uint64_t tile_work, struct error *err)
{
	const struct tiling tiling = tile(job, tile_work);
	for (uint64_t i = 0; i < tiling.across * tiling.down; i++) {
		const struct ek_tile t = tile_at(job, &tiling, i);
		int r = run_tile(call, job, &t, err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* False where the job makes more parts than a team takes. */
static __attribute__((noinline)) bool run_by_team(const struct op_call *call,
	const struct tile_grid_job *job, uint64_t tile_work, struct team *team, int *ret_result,
	struct error *err)
{
	const struct parting shared = share(job, team_members(team), tile_work);
	if (shared.across * shared.down > TEAM_MAX_PARTS) {
		return false;
	}
	*ret_result = run_team(call, job, team, &shared, err);
	return true;
}

int tile_grid_run(const struct op_call *call, const struct tile_grid_job *job, struct error *err)
{
	const uint64_t tile_work = job->tile_work ? job->tile_work : TILE_GRID_WORK;
	struct team *team = helpers(call, job, tile_work);
	int r = 0;
	if (team && run_by_team(call, job, tile_work, team, &r, err)) {
		return r;
	}
	if (is_one_tile(job, tile_work)) {
		const struct ek_tile all = {0, (uint32_t)job->rows, 0, (uint32_t)job->cols};
		return run_tile(call, job, &all, err);
	}
	return run_tiles(call, job, tile_work, err);
}

struct line {
	tile_grid_line_fn *run;
	const void *args;
};

static void run_line(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct line *line = args;
	(void)scratch;
	line->run(line->args, tile->first_row, tile->n_rows);
}

/* As rows of one element. */
static struct tile_grid_job job_of(const struct line *line, uint64_t n)
{
	return (struct tile_grid_job){.rows = n,
		.cols = 1,
		.work = 1,
		.col_step = 1,
		.row_step = FLOAT_REQUANT_STEP,
		.tile_work = FLOAT_REQUANT_WORK,
		.threads = TEAM_MAX_MEMBERS,
		.run = run_line,
		.args = line};
}

bool tile_grid_shares_line(const struct op_call *call, uint64_t n)
{
	const struct tile_grid_job job = job_of(NULL, n);
	return n <= UINT32_MAX && helpers(call, &job, FLOAT_REQUANT_WORK);
}

int tile_grid_run_line(const struct op_call *call, uint64_t n, tile_grid_line_fn *run,
	const void *args, struct error *err)
{
	const struct line line = {run, args};
	const struct tile_grid_job job = job_of(&line, n);
	return tile_grid_run(call, &job, err);
}
