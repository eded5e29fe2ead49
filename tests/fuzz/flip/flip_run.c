/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/flip/flip_run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "engine/operators.h"
#include "tests/fuzz/mutant.h"

/* Where the strings of a table end: behind them nothing was written. */
static uint64_t strings_end(const uint8_t *data, uint64_t bytes)
{
	uint64_t n = bytes >= 8 ? bytes_get_u32(data) : 0;
	return n < bytes / 4 - 1 ? bytes_get_u32(data + 4 * (n + 1)) : 0;
}

static void find_poison(const struct flip_run *run)
{
	const struct subgraph *part = run->c.opened.subgraph;
	const uint8_t *data;
	uint64_t bytes = 0;
	run->report->poison_output = -1;
	for (uint32_t i = 0; (data = session_output(run->c.session, i, &bytes)); i++) {
		bool strings = part->tensors[part->outputs[i]].type == DTYPE_STRING;
		uint64_t at = flip_memory_find_poison(data, bytes);
		uint64_t end = strings ? strings_end(data, bytes) : bytes;
		if (at < bytes || end != bytes) {
			run->report->poison_output = (int32_t)i;
			run->report->poison_at = at < bytes ? at : end;
			return;
		}
	}
}

int flip_run_go(void *context)
{
	const struct flip_run *run = context;
	struct error err = {0};
	int r = session_run(run->c.session, NULL, &err);
	run->report->over = 1;
	run->report->result = r;
	memcpy(run->report->text, err.text, sizeof(run->report->text) - 1);
	find_poison(run);
	return 0;
}

static const char *operators_of(const struct flip_run *run)
{
	const struct subgraph *part = run->c.opened.subgraph;
	return part->n_nodes == 1 ? operators_name(part->nodes[0].op) : "several operators";
}

static void print_trial(const struct flip_run *run, const struct flip_trial *t)
{
	const char *by = t->by == FLIP_BY_READS ? "reads" : "ptrace";
	printf("  operand %u becomes %s after %" PRIu64 " of %" PRIu64 " %s\n"
	       "  repeat: flip --case %s --opened %d --placement %d --by %s --operand %u --at %" PRIu64
	       " --change %s --seed %" PRIu64 "\n",
		t->operand, flip_change_name(t->change), t->at, t->of,
		t->by == FLIP_BY_READS ? "reads of it" : "instructions", run->path,
		(int)run->opening, (int)run->placement, by, t->operand, t->at,
		flip_change_name(t->change), run->plan->seed);
}

/* Once for each operand, change and @kind. */
static void print_finding(
	const struct flip_run *run, const struct flip_trial *t, unsigned int kind, const char *text)
{
	const uint32_t bit = t ? UINT32_C(1) << (kind * FLIP_CHANGES + t->change) : 0;
	run->tally->findings++;
	if (t && run->seen[t->operand] & bit) {
		return;
	}
	printf("FOUND %s: %s: %s%s\n", run->path, operators_of(run),
		t ? "" : "undisturbed: ", text);
	if (t) {
		run->seen[t->operand] |= bit;
		print_trial(run, t);
	} else {
		printf("  repeat: flip --case %s --opened %d --placement %d\n", run->path,
			(int)run->opening, (int)run->placement);
	}
}

static bool is_documented(int result)
{
	return result == 0 || result == -EINVAL || result == -EFBIG || result == -ETIMEDOUT ||
		result == -ENOMEM || result == -ERANGE || result == -EOPNOTSUPP;
}

void flip_run_judge(
	const struct flip_run *run, const struct flip_trial *trial, const struct flip_end *end)
{
	const struct flip_report *r = run->report;
	char text[320];
	if (end->signal) {
		snprintf(text, sizeof(text),
			"%s (signal %d) at address 0x%" PRIx64 ", code 0x%" PRIx64,
			end->signal == SIGXCPU ? "does not end" : strsignal(end->signal),
			end->signal, end->address, end->code);
		print_finding(run, trial, 0, text);
	} else if (end->status != 0 || !r->over) {
		snprintf(text, sizeof(text), "exit status %d in the run", end->status);
		print_finding(run, trial, 1, text);
	} else if (!is_documented(r->result) || (r->result && !r->text[0])) {
		snprintf(text, sizeof(text), "result %d, \"%s\"", r->result, r->text);
		print_finding(run, trial, 2, text);
	} else if (r->poison_output >= 0) {
		snprintf(text, sizeof(text),
			"poison, or nothing of this run, in output %d from byte %" PRIu64,
			r->poison_output, r->poison_at);
		print_finding(run, trial, 3, text);
	}
}

uint64_t flip_run_moment(const struct flip_walk *plan, uint64_t n, uint32_t i)
{
	if (plan->only_at >= 0) {
		return i == 0 ? (uint64_t)plan->only_at : UINT64_MAX;
	}
	if (n <= plan->places) {
		return i < n ? i : UINT64_MAX;
	}
	if (i >= plan->places) {
		return UINT64_MAX;
	}
	uint64_t from = n * i / plan->places, to = n * (i + 1) / plan->places;
	uint64_t random = (plan->seed + 1) * 0x9e3779b97f4a7c15u + i + 1;
	return from + mutant_random(&random) % (to - from);
}

bool flip_run_can_change(const struct flip_run *run, uint32_t operand)
{
	const struct flip_operand *o = &run->c.operands[operand];
	const int only = run->plan->only_operand;
	return o->type != DTYPE_STRING && o->shared.bytes > 0 &&
		(only < 0 || operand == (uint32_t)only);
}

bool flip_run_try_changes(const struct flip_run *run, const struct flip_trial *trial, uint32_t turn,
	uint32_t n, flip_run_try_fn try, void *context)
{
	const int only = run->plan->only_change;
	struct flip_trial t = *trial;
	n = only >= 0 ? 1 : n < FLIP_CHANGES ? n : FLIP_CHANGES;
	for (uint32_t i = 0; i < n; i++) {
		t.change = only >= 0 ? (enum flip_change)only : (turn * n + i) % FLIP_CHANGES;
		if (try(context, &t)) {
			return true;
		}
	}
	return false;
}

bool flip_run_try_operands(const struct flip_run *run, const struct flip_trial *trial,
	uint32_t turn, flip_run_try_fn try, void *context)
{
	for (uint32_t i = 0; i < run->c.n_operands; i++) {
		struct flip_trial t = *trial;
		t.operand = i;
		if (flip_run_can_change(run, i) &&
			flip_run_try_changes(run, &t, turn + i, run->plan->changes, try, context)) {
			return true;
		}
	}
	return false;
}

bool flip_run_begin(const struct flip_run *run, const struct flip_trial *trial)
{
	*run->report = (struct flip_report){0};
	flip_change_make(&run->c, trial->operand, trial->change,
		(run->plan->seed + 1) * 0x9e3779b97f4a7c15u ^ trial->at << 20);
	return flip_change_is_one(&run->c, trial->operand);
}

void flip_run_end(const struct flip_run *run, const struct flip_trial *trial)
{
	*run->report = (struct flip_report){0};
	flip_change_restore(&run->c, trial->operand);
	run->tally->trials++;
}
