/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/flip/flip_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/fuzz/flip/flip_run.h"
#include "tests/fuzz/flip/flip_stop.h"
#include "tests/fuzz/flip/flip_trace.h"

/* A run that ptrace walks. */
struct walk {
	struct flip_run *run;
	pid_t child;
	uint64_t length; /* instructions of the undisturbed run */
};

/* @t: NULL lets the run go on as it is. */
static bool try_copy(void *context, const struct flip_trial *t)
{
	const struct walk *w = context;
	struct flip_end end;
	if (t && !flip_run_begin(w->run, t)) {
		return false;
	}
	pid_t copy = flip_trace_copy(w->child);
	if (copy < 0) {
		fprintf(stderr, "flip: %s: the stopped run cannot be copied\n", w->run->path);
		exit(2);
	}
	flip_trace_finish(copy, FLIP_RUN_SECONDS, &end);
	flip_run_judge(w->run, t, &end);
	if (t) {
		flip_run_end(w->run, t);
	}
	*w->run->report = (struct flip_report){0};
	return false;
}

static void start(struct walk *w)
{
	*w->run->report = (struct flip_report){0};
	w->child = flip_trace_start(flip_run_go, w->run);
	if (w->child < 0) {
		fprintf(stderr, "flip: %s: no child can be walked\n", w->run->path);
		exit(2);
	}
}

/* Counts the instructions of the undisturbed run; false when there are too many. */
static bool measure(struct walk *w)
{
	struct flip_end end;
	struct flip_tally *tally = w->run->tally;
	start(w);
	w->length = 0;
	while (!w->run->report->over && w->length < w->run->plan->max_steps) {
		if (!flip_trace_step(w->child, &end)) {
			flip_run_judge(w->run, NULL, &end);
			return false;
		}
		w->length++;
	}
	bool over = w->run->report->over;
	flip_trace_kill(w->child);
	tally->steps += w->length;
	tally->too_long += !over;
	return over;
}

static void walk_run(struct walk *w)
{
	struct flip_end end;
	struct flip_run *run = w->run;
	uint32_t turn = 0;
	start(w);
	(void)try_copy(w, NULL);
	for (uint64_t at = 0; !run->report->over; at++) {
		const uint64_t next = flip_run_moment(run->plan, w->length, turn);
		struct flip_trial t = {.by = FLIP_BY_PTRACE, .at = at, .of = w->length};
		if (next == UINT64_MAX) {
			break;
		}
		if (at == next) {
			(void)flip_run_try_operands(run, &t, turn++, try_copy, w);
		}
		if (!flip_trace_step(w->child, &end)) {
			flip_run_judge(run, NULL, &end);
			return;
		}
		run->tally->steps++;
	}
	flip_trace_kill(w->child);
	run->tally->walks++;
}

/* Operands stand elsewhere in the other placement: some instructions more or less than @length. */
static void walk_by_ptrace(struct flip_run *run, uint64_t *length)
{
	struct walk w = {.run = run, .length = *length};
	if (w.length || measure(&w)) {
		*length = w.length;
		walk_run(&w);
	}
}

static void walk_case(struct flip_run *run, uint64_t *length)
{
	if (run->plan->by & FLIP_BY_READS) {
		flip_stop_reads(run);
	}
	if (run->plan->by & FLIP_BY_PTRACE) {
		walk_by_ptrace(run, length);
	}
}

void flip_walk(const struct flip_walk *plan, const char *path, enum opening opening,
	enum flip_placement placement, uint64_t *length, struct flip_tally *tally)
{
	const size_t seen_bytes = FLIP_MAX_OPERANDS * sizeof(uint32_t);
	struct flip_run *run = calloc(1, sizeof(*run));
	if (!run) {
		perror("flip");
		exit(2);
	}
	run->plan = plan;
	run->path = path;
	run->opening = opening;
	run->placement = placement;
	run->tally = tally;
	run->report = flip_memory_map(sizeof(*run->report));
	run->seen = flip_memory_map(seen_bytes);
	if (flip_case_open(&run->c, path, opening, placement)) {
		walk_case(run, length);
	}
	flip_case_close(&run->c);
	munmap(run->report, sizeof(*run->report));
	munmap(run->seen, seen_bytes);
	free(run);
}
