/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_time - how long a model takes from its file to the first answer, and what memory it holds then
 *
 *   load [--rounds N] [--threads N] [--smaps] [--warm] FILE.tflite...
 *
 * Each round is a process of its own, once without the file of packed weights (cold), once with it
 * (warm, with --warm no others). The pages of the model's file are in the system's cache in both. Prints the least of all
 * rounds: opening until the model can be run, the first run, both, what edge_model_keep() takes
 * after it, a run after some others, clearing the session between two users' runs, and Rss of
 * smaps_rollup (with that of the program before it opened anything).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "base/code_pages.h"
#include "engine/edge.h"

#define RUNS_AFTER 20

struct figures {
	uint64_t open_ns, first_ns, both_ns, keep_ns, later_ns, clear_ns;
	uint64_t idle_kb, rss_kb, anonymous_kb;
};

struct plan_of_rounds {
	const char *path;
	int folder; /* of packed weights; -1: they stay in memory */
	unsigned int threads;
	bool smaps, warm;
};

static uint64_t memory_kb(const char *field)
{
	char line[256];
	uint64_t kb = 0;
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':') {
			kb = strtoull(line + strlen(field) + 1, NULL, 10);
		}
	}
	if (file) {
		fclose(file);
	}
	return kb;
}

static void print_smaps(void)
{
	char line[512];
	FILE *file = fopen("/proc/self/smaps", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Rss:", 4) == 0) {
			fprintf(stderr, "    %8llu kB\n", strtoull(line + 4, NULL, 10));
		} else if (strchr(line, '-') && strchr(line, '-') < line + 20) {
			fprintf(stderr, "%s", line);
		}
	}
	if (file) {
		fclose(file);
	}
}

static void must(int r, const char *what, const struct error *err)
{
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", what, err->text);
		_exit(1);
	}
}

static uint64_t timed_run(struct edge_session *session, const struct run_control *control)
{
	struct error err = {0};
	uint64_t start = clock_now_ns();
	must(edge_session_run(session, control, &err), "run", &err);
	return clock_now_ns() - start;
}

/* One process's life. */
static struct figures live(const struct plan_of_rounds *plan)
{
	struct error err = {0};
	const struct edge_packs packs = {plan->folder, "weights"};
	const struct edge_options options = {.backends = backends_builtin(),
		.cpu_features = ~(uint64_t)0,
		.threads = plan->threads,
		.packs = plan->folder < 0 ? NULL : &packs};
	struct team *team = NULL;
	struct figures f = {
		.idle_kb = memory_kb("Rss"), .later_ns = UINT64_MAX, .clear_ns = UINT64_MAX};
	must(backends_team_new(plan->threads, false, &team, &err), "team", &err);
	const struct run_control control = {.team = team};
	struct edge_model *model = NULL;
	struct edge_session *session = NULL;
	uint64_t start = clock_now_ns();
	must(edge_model_open_file(plan->path, &options, &model, &err), plan->path, &err);
	must(edge_session_new(model, 0, &session, &err), "session", &err);
	f.open_ns = clock_now_ns() - start;
	f.first_ns = timed_run(session, &control);
	f.both_ns = clock_now_ns() - start;
	start = clock_now_ns();
	must(edge_model_keep(model, &err), "keep", &err);
	f.keep_ns = clock_now_ns() - start;
	code_pages_forget(); /* as edged does when it has loaded */
	malloc_trim(0);
	for (unsigned int i = 0; i < RUNS_AFTER; i++) {
		uint64_t ns = timed_run(session, &control);
		f.later_ns = ns < f.later_ns ? ns : f.later_ns;
	}
	for (unsigned int i = 0; i < RUNS_AFTER; i++) {
		start = clock_now_ns();
		edge_session_reset(session);
		edge_session_fill(session, 0);
		const uint64_t ns = clock_now_ns() - start;
		f.clear_ns = ns < f.clear_ns ? ns : f.clear_ns;
	}
	f.rss_kb = memory_kb("Rss");
	f.anonymous_kb = memory_kb("Anonymous");
	if (plan->smaps) {
		print_smaps();
	}
	edge_session_free(session);
	edge_model_unref(model);
	backends_team_free(team);
	return f;
}

static struct figures live_in_child(const struct plan_of_rounds *plan)
{
	struct figures f = {0};
	int ends[2], status = 0;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		exit(1);
	}
	pid_t pid = fork();
	if (pid == 0) {
		f = live(plan);
		_exit(write(ends[1], &f, sizeof(f)) == sizeof(f) ? 0 : 1);
	}
	close(ends[1]);
	ssize_t n = read(ends[0], &f, sizeof(f));
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0 || n != sizeof(f)) {
		fprintf(stderr, "%s: a round failed\n", plan->path);
		exit(1);
	}
	return f;
}

static void keep_least(struct figures *least, const struct figures *f)
{
	uint64_t *a = (uint64_t *)least;
	const uint64_t *b = (const uint64_t *)f;
	for (size_t i = 0; i < sizeof(*f) / sizeof(*a); i++) {
		a[i] = b[i] < a[i] ? b[i] : a[i];
	}
}

static void print_row(const char *how, const struct figures *f)
{
	printf("  %-6s open %7.2f ms  first run %7.2f ms  together %7.2f ms  keep %6.2f ms  later %7.3f ms  clear %6.3f ms  "
	       "Rss %5" PRIu64 " kB (before %" PRIu64 ", anonymous %" PRIu64 ")\n",
		how, (double)f->open_ns / 1e6, (double)f->first_ns / 1e6, (double)f->both_ns / 1e6,
		(double)f->keep_ns / 1e6, (double)f->later_ns / 1e6, (double)f->clear_ns / 1e6,
		f->rss_kb, f->idle_kb, f->anonymous_kb);
}

static void bench(const struct plan_of_rounds *plan, unsigned int rounds)
{
	struct figures heap, cold, warm;
	memset(&heap, 0xff, sizeof(heap));
	memset(&cold, 0xff, sizeof(cold));
	memset(&warm, 0xff, sizeof(warm));
	struct plan_of_rounds without = *plan;
	without.folder = -1;
	without.smaps = false;
	for (unsigned int i = 0; i < rounds; i++) {
		struct figures f;
		if (!plan->warm) {
			f = live_in_child(&without);
			keep_least(&heap, &f);
		}
		if (!plan->warm || i == 0) {
			unlinkat(plan->folder, "weights", 0);
			f = live_in_child(plan);
			keep_least(&cold, &f);
		}
		f = live_in_child(plan);
		keep_least(&warm, &f);
	}
	unlinkat(plan->folder, "weights", 0);
	printf("%s\n", plan->path);
	if (!plan->warm) {
		print_row("heap", &heap);
		print_row("cold", &cold);
	}
	print_row("warm", &warm);
}

int main(int argc, char **argv)
{
	char name[] = "/tmp/edge-load-XXXXXX";
	struct plan_of_rounds plan = {.threads = 1};
	unsigned int rounds = 10;
	int at = 1;
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--smaps") == 0) {
			plan.smaps = true;
		} else if (strcmp(argv[at], "--warm") == 0) {
			plan.warm = true;
		} else if (strcmp(argv[at], "--rounds") == 0 && at + 1 < argc) {
			rounds = (unsigned int)strtoul(argv[++at], NULL, 10);
		} else if (strcmp(argv[at], "--threads") == 0 && at + 1 < argc) {
			plan.threads = (unsigned int)strtoul(argv[++at], NULL, 10);
		}
	}
	plan.folder = mkdtemp(name) ? open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (plan.folder < 0 || at == argc || plan.threads < 1 ||
		plan.threads > BACKENDS_MAX_THREADS) {
		fprintf(stderr,
			"load [--rounds N] [--threads N] [--smaps] [--warm] FILE.tflite...\n");
		return 2;
	}
	for (; at < argc; at++) {
		plan.path = argv[at];
		bench(&plan, rounds);
	}
	close(plan.folder);
	rmdir(name);
	return 0;
}
