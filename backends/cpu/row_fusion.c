/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/row_fusion.h"

#include <string.h>

#include "backends/cpu/team.h"
#include "base/bytes.h"

/* What all buffers of a chain have together: small beside a core's second cache. */
#define BUFFER_BYTES ((uint64_t)160 << 10)
/* Vectors that begin before a row, or end behind it. */
#define SLACK_BYTES 128

/* A range of rows. */
struct span {
	int64_t first, end;
};

/* The rows of its operand that rows @rows of a node take. */
static struct span rows_taken(const struct ek_window_axis *y, struct span rows)
{
	const int64_t in = y->in;
	int64_t first = rows.first * y->stride - y->pad;
	int64_t end =
		(rows.end - 1) * y->stride - y->pad + ((int64_t)y->taps - 1) * y->dilation + 1;
	first = first < 0 ? 0 : first < in ? first : in;
	end = end > in ? in : end;
	return (struct span){first, end > first ? end : first};
}

/* Rows that each buffer must have for bands of @band rows; bytes of all of them. */
static uint64_t size_buffers(struct row_fusion *s, uint32_t band)
{
	uint64_t rows = band, at = 0;
	for (uint32_t i = s->n - 1; i > 0; i--) {
		const struct ek_window_axis *y = &s->members[i].shape.y;
		struct row_fusion_member *m = &s->members[i - 1];
		rows = (rows - 1) * y->stride + ((uint64_t)y->taps - 1) * y->dilation + 1;
		rows = rows < y->in ? rows : y->in;
		m->rows = rows;
		m->buffer = at + SLACK_BYTES;
		at = bytes_align_up(m->buffer + rows * m->shape.out_row_bytes + SLACK_BYTES, 64);
	}
	s->scratch_at = at;
	return at;
}

bool row_fusion_plan(struct row_fusion *s, unsigned int threads, uint64_t saved, bool eager)
{
	const uint32_t all = s->members[s->n - 1].shape.y.out;
	uint64_t scratch = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		const uint64_t bytes = s->members[i].shape.scratch_bytes;
		scratch = bytes > scratch ? bytes : scratch;
	}
	s->threads = threads;
	s->band = eager ? 1 : all;
	while (s->band > 1 && size_buffers(s, s->band) > BUFFER_BYTES) {
		s->band -= (s->band + 7) / 8;
	}
	s->scratch_each = bytes_align_up(size_buffers(s, s->band) + scratch, 64);
	return eager || s->scratch_each * threads < saved;
}

/* One run of a chain. */
struct job {
	const struct row_fusion *row_fusion;
	const struct op_call *call;
	uint32_t each; /* rows of a part */
	atomic_int result;
};

/* What one thread has of it: the rows that stand in each buffer. */
struct lane {
	const struct job *job;
	uint8_t *scratch;
	struct span there[ROW_FUSION_MAX];
};

/* Rows before @first are not wanted any more. */
static void forget_rows(struct lane *lane, uint32_t i, int64_t first)
{
	const struct row_fusion_member *m = &lane->job->row_fusion->members[i];
	struct span *there = &lane->there[i];
	uint8_t *buffer = lane->scratch + m->buffer;
	if (there->end <= first) {
		*there = (struct span){first, first};
	} else if (there->first < first) {
		memmove(buffer,
			buffer + (size_t)(first - there->first) * (size_t)m->shape.out_row_bytes,
			(size_t)(there->end - first) * (size_t)m->shape.out_row_bytes);
		there->first = first;
	}
}

/* Where row 0 of member @i's result would be. */
static void *row_zero(const struct lane *lane, uint32_t i)
{
	const struct row_fusion_member *m = &lane->job->row_fusion->members[i];
	const uintptr_t buffer = (uintptr_t)lane->scratch + (size_t)m->buffer;
	return (void *)(buffer - (size_t)lane->there[i].first * (size_t)m->shape.out_row_bytes);
}

static void run_member(const struct lane *lane, uint32_t i, struct span rows)
{
	const struct row_fusion *s = lane->job->row_fusion;
	const struct row_fusion_member *m = &s->members[i];
	struct op_call call = *lane->job->call;
	call.node = m->node;
	call.state = m->state;
	const struct row_fusion_rows of = {
		.operand = m->operand,
		.input = i ? row_zero(lane, i - 1) : op_in(&call, 0)->data,
		.output = i + 1 < s->n ? row_zero(lane, i) : op_out(&call, 0)->data,
		.first = (uint32_t)rows.first,
		.n = (uint32_t)(rows.end - rows.first),
		.scratch = lane->scratch + s->scratch_at,
	};
	m->op->run_rows(&call, &of);
}

/* Makes rows @rows of the last member's result; of another's, those that are not there yet. */
static void provide(struct lane *lane, uint32_t last, struct span rows)
{
	struct span make[ROW_FUSION_MAX];
	uint32_t i = last;
	make[i] = rows;
	while (i > 0 && make[i].first < make[i].end) {
		const struct span taken =
			rows_taken(&lane->job->row_fusion->members[i].shape.y, make[i]);
		i--;
		forget_rows(lane, i, taken.first);
		make[i] = (struct span){lane->there[i].end, taken.end};
	}
	for (; i <= last; i++) {
		if (make[i].first < make[i].end) {
			if (i < last) {
				lane->there[i].end = make[i].end;
			}
			run_member(lane, i, make[i]);
		}
	}
}

static void run_part(void *args, unsigned int member, unsigned int part)
{
	struct job *job = args;
	const struct row_fusion *s = job->row_fusion;
	const int64_t all = s->members[s->n - 1].shape.y.out;
	const int64_t first = (int64_t)part * job->each, end = first + job->each;
	struct lane lane = {
		.job = job, .scratch = (uint8_t *)job->call->scratch + member * s->scratch_each};
	for (int64_t at = first; at < end && at < all; at += s->band) {
		struct span rows = {at, at + s->band};
		rows.end = rows.end < end ? rows.end : end;
		rows.end = rows.end < all ? rows.end : all;
		int r = run_control_check(job->call->control);
		if (r < 0) {
			atomic_store_explicit(&job->result, r, memory_order_relaxed);
			return;
		}
		provide(&lane, s->n - 1, rows);
	}
}

int row_fusion_run(const struct row_fusion *s, const struct op_call *call, struct error *err)
{
	struct team *team = call->control ? call->control->team : NULL;
	const uint32_t all = s->members[s->n - 1].shape.y.out;
	bool shared = team && team_members(team) <= s->threads;
	uint32_t parts = shared ? team_members(team) : 1;
	struct job job = {.row_fusion = s, .call = call, .each = (all + parts - 1) / parts};
	if (shared) {
		team_run(team, parts, run_part, &job);
	} else {
		run_part(&job, 0, 0);
	}
	int r = atomic_load(&job.result);
	return r < 0 ? error_set(err, r, "given up between two strips") : 0;
}
