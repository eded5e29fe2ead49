/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/flip/flip_stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/flip/flip_signals.h"

#define ALL_SECONDS 3600 /* CPU time of a run with all of its stops */
#define READS_BYTES (FLIP_MAX_OPERANDS * sizeof(uint64_t))

struct stop {
	struct flip_run *run;
	struct flip_signals signals;
	uint64_t *reads; /* of each operand in the undisturbed run; in shared memory */
	uint32_t next[FLIP_MAX_OPERANDS]; /* moments that each operand has had */
};

static bool try_here(void *context, const struct flip_trial *t)
{
	const struct stop *s = context;
	struct flip_end end;
	if (!flip_run_begin(s->run, t)) {
		return false;
	}
	pid_t copy = flip_signals_copy(FLIP_RUN_SECONDS);
	if (copy == 0) {
		return true;
	}
	if (copy < 0) {
		perror("flip: fork");
		_exit(2);
	}
	flip_signals_wait(copy, &s->run->report->fault, &end);
	flip_run_judge(s->run, t, &end);
	flip_run_end(s->run, t);
	return false;
}

/* How many changes at each read: the fewer reads, the more. */
static uint32_t changes_of(const struct stop *s, uint64_t reads)
{
	const struct flip_walk *plan = s->run->plan;
	const uint64_t n = reads ? (plan->places + reads - 1) / reads : FLIP_CHANGES;
	return n < plan->changes ? plan->changes : n < FLIP_CHANGES ? (uint32_t)n : FLIP_CHANGES;
}

static enum flip_signals_next on_stop(void *context, uint32_t operand, uint64_t n)
{
	struct stop *s = context;
	const uint32_t turn = s->next[operand];
	const struct flip_walk *plan = s->run->plan;
	const uint64_t reads = s->reads[operand];
	const struct flip_trial t = {.by = FLIP_BY_READS, .at = n, .of = reads, .operand = operand};
	if (n != flip_run_moment(plan, reads, turn)) {
		return FLIP_SIGNALS_ON;
	}
	s->next[operand]++;
	s->run->tally->stops++;
	if (flip_run_try_changes(s->run, &t, turn + operand, changes_of(s, reads), try_here, s)) {
		return FLIP_SIGNALS_COPY;
	}
	return flip_run_moment(plan, reads, turn + 1) == UINT64_MAX ? FLIP_SIGNALS_NO_MORE
								    : FLIP_SIGNALS_ON;
}

static enum flip_signals_next on_count(void *context, uint32_t operand, uint64_t n)
{
	const struct stop *s = context;
	s->reads[operand] = n + 1;
	return FLIP_SIGNALS_ON;
}

static int go(void *context)
{
	const struct stop *s = context;
	return flip_run_go(s->run);
}

/* Runs the case in a process of its own, which stops itself. False when something was found. */
static bool run_stopping(
	struct stop *s, enum flip_signals_next (*stop)(void *context, uint32_t operand, uint64_t n))
{
	struct flip_end end;
	struct flip_run *run = s->run;
	const uint64_t found = run->tally->findings;
	*run->report = (struct flip_report){0};
	fflush(stdout);
	pid_t pid = flip_signals_copy(ALL_SECONDS);
	if (pid == 0) {
		s->signals.stop = stop;
		s->signals.context = s;
		s->signals.fault = &run->report->fault;
		_exit(flip_signals_run(&s->signals, go));
	}
	flip_signals_wait(pid, &run->report->fault, &end);
	flip_run_judge(run, NULL, &end);
	return run->tally->findings == found;
}

static struct stop *new_stop(struct flip_run *run)
{
	struct stop *s = calloc(1, sizeof(*s));
	if (!s) {
		perror("flip");
		exit(2);
	}
	s->run = run;
	s->reads = flip_memory_map(READS_BYTES);
	return s;
}

static void free_stop(struct stop *s)
{
	munmap(s->reads, READS_BYTES);
	free(s);
}

static void set_regions(struct stop *s)
{
	s->signals.n_regions = s->run->c.n_operands;
	for (uint32_t i = 0; i < s->run->c.n_operands; i++) {
		const struct flip_shared *shared = &s->run->c.operands[i].shared;
		if (flip_run_can_change(s->run, i)) {
			s->signals.regions[i].start = flip_memory_pages(shared);
			s->signals.regions[i].bytes = shared->room;
		}
	}
}

void flip_stop_reads(struct flip_run *run)
{
	struct stop *s = new_stop(run);
	struct flip_tally *tally = run->tally;
	uint64_t reads = 0;
	set_regions(s);
	s->signals.max_stops = run->plan->max_reads;
	if (run_stopping(s, on_count)) {
		for (uint32_t i = 0; i < run->c.n_operands; i++) {
			reads += s->reads[i];
		}
		tally->reads += reads;
		tally->cut_short += reads >= run->plan->max_reads;
		tally->walks += run_stopping(s, on_stop);
	}
	free_stop(s);
}
