/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip - an operand in a client's memory changes in the middle of a run
 *
 *   flip [--quick | --long] [--by ptrace,reads] [--places N] [--changes N] [--max-steps N]
 *        [--max-reads N] [--half N] [--every N] [--jobs N] [--seed S] PATH...
 *   flip --case PATH [--opened N] [--placement N] [--by ptrace | reads] [--operand I] [--at K]
 *        [--change NAME] [--seed S]
 *
 * PATH is a folder that is searched for golden cases, or a model's file. Each case's run is stopped
 * at many moments. There an operand becomes all ones, zeros, the extremes of its type, random bits,
 * numbers near sizes, or one of its own elements everywhere (flip_change.h), and a copy of
 * the run goes on to its end. The operands are the graph's inputs, and in further walks those
 * constants too that values.c opens. Each walk is done twice: with guard pages directly behind the
 * operands, and directly before them. The session's memory lies between guard pages and is full of
 * poison.
 *
 * There are two ways to choose the moments:
 *
 * ptrace  The run is walked by single instructions. At some of them, all over the run, each operand
 *         changes. A step takes 10 us of CPU time and more: this is for short runs.
 * reads   The run stops before its reads of an operand, and that operand changes there
 *         (flip_stop.h). Between two reads of an operand the instruction at which it changes makes no
 *         difference. So where an operand changes before each of its reads, it has changed at each
 *         instruction of the run. Where it has more reads than --places, one is chosen in each part
 *         of them. Where it has fewer, each has so many more changes. x86-64 only; other CPUs have
 *         the other way instead.
 *
 * Findings are: a signal (a read or write outside); poison in an answer; a run that does not end; a
 * result that session_run() does not promise. Each is printed with the command that repeats it; code
 * addresses are for `addr2line -e`. Closes with "N passed, N failed", counted in cases.
 *
 * Without an option: both ways, 200 places of a run, two changes of each operand at each, in turn.
 *   By instructions, runs of 400,000 at most; by reads, changes before the first 1,000,000.
 * --quick: the smallest cases that have all operators between them, 20 places of each and one of the
 *   two placements; models with strings, WHERE, MaxUnpooling2D and SignalFilterBank in full.
 * --long: for a whole corpus. All runs by reads, those of 20,000 instructions at most by ptrace too.
 *   Where a CPU has no walks by reads, runs of 3,000,000 instructions at most by ptrace.
 * --half 0 or 1: one of the two placements of each walk in turn. Both halves are the whole.
 * Exit status 77 where processes cannot be walked.
 */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "client/golden/golden_find.h"
#include "engine/operators.h"
#include "tests/fuzz/flip/flip_signals.h"
#include "tests/fuzz/flip/flip_trace.h"
#include "tests/fuzz/flip/flip_walk.h"

#define EXIT_SKIPPED 77
#define MAX_OPS (2 * FLIP_OPS) /* with strings and without */
#define MAX_JOBS 64

struct settings {
	struct flip_walk walk;
	struct golden_list list;
	unsigned long every, jobs;
	bool quick, is_case;
	int opened, placement; /* -1: each */
	int half; /* -1: both placements of each walk; else one of them in turn, 0 and 1 together are
		     all */
};

static bool add_path(struct settings *s, const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0) {
		perror(path);
		return false;
	}
	if (S_ISDIR(st.st_mode)) {
		return golden_find(path, &s->list) == 0;
	}
	if (!array_room(&s->list.folders, s->list.count, sizeof(s->list.folders[0]))) {
		return false;
	}
	s->list.folders[s->list.count++] = strdup(path);
	return true;
}

/* The smallest case of each operator. */
static void choose(const struct golden_list *list, bool *ret_chosen)
{
	struct best {
		uint64_t cost;
		size_t index;
	};
	owned_mem struct best *best = calloc(MAX_OPS, sizeof(*best));
	for (size_t i = 0; best && i < list->count; i++) {
		bool used[MAX_OPS] = {0};
		uint64_t cost = flip_case_cost(list->folders[i], used);
		for (size_t op = 0; cost && op < MAX_OPS; op++) {
			if (used[op] && (best[op].cost == 0 || cost < best[op].cost)) {
				best[op].cost = cost;
				best[op].index = i;
			}
		}
	}
	for (size_t op = 0; best && op < MAX_OPS; op++) {
		if (best[op].cost) {
			ret_chosen[best[op].index] = true;
		}
	}
}

/* A model with strings, or of one operator that has once judged values in a client's memory and read
 * them again. */
static bool is_suspect(const char *path)
{
	bool used[MAX_OPS] = {0};
	unsigned int n = 0;
	bool strings = false;
	(void)flip_case_cost(path, used);
	for (size_t op = 0; op < MAX_OPS; op++) {
		n += used[op];
		strings = strings || (used[op] && op >= FLIP_OPS);
	}
	return strings ||
		(n == 1 &&
			(used[OP_WHERE] || used[OP_MAX_UNPOOLING_2D] ||
				used[OP_SIGNAL_FILTER_BANK]));
}

/* One case, in a process of its own. */
struct job {
	const struct settings *settings;
	const char *path;
	size_t index;
	pid_t pid;
	struct flip_tally *tally; /* shared with that process */
};

static void *walk_case(void *context)
{
	const struct job *job = context;
	const struct settings *s = job->settings;
	struct flip_walk walk = s->walk;
	bool suspect = s->quick && is_suspect(job->path);
	if (suspect) {
		walk.places = 200;
		walk.changes = FLIP_CHANGES;
		walk.max_steps = 100000;
	}
	for (int opening = OPEN_NOTHING; opening < OPENINGS; opening++) {
		uint64_t length = 0;
		for (int placement = 0; placement < FLIP_PLACEMENTS; placement++) {
			bool in_turn = s->half < 0 || suspect ||
				(job->index + (unsigned int)(opening + s->half)) %
						FLIP_PLACEMENTS ==
					(unsigned int)placement;
			if (s->opened < 0 ? in_turn : s->opened == opening) {
				if (s->placement < 0 || s->placement == placement) {
					flip_walk(&walk, job->path, (enum opening)opening,
						(enum flip_placement)placement, &length,
						job->tally);
				}
			}
		}
	}
	return NULL;
}

/* In a thread of a new process: its heap is the same whatever was tried before, so that instruction
 * K of a run is the same one when it is repeated. */
static void start_case(struct job *job)
{
	pthread_t thread;
	job->pid = fork();
	if (job->pid != 0) {
		return;
	}
	if (pthread_create(&thread, NULL, walk_case, job) != 0) {
		_exit(2);
	}
	pthread_join(thread, NULL);
	fflush(stdout);
	_exit(0);
}

/* Waits for one of @jobs; what its process has counted goes to @sum. */
static void end_case(struct job *jobs, size_t n, struct flip_tally *sum, unsigned long *ret_passed,
	unsigned long *ret_failed)
{
	int status = 0;
	pid_t pid = wait(&status);
	for (size_t i = 0; i < n; i++) {
		const struct flip_tally *t = jobs[i].tally;
		if (pid <= 0 || jobs[i].pid != pid) {
			continue;
		}
		if (status != 0) {
			printf("%s: the walk ended with %d\n", jobs[i].path, status);
		} else if (t->walks == 0 && t->findings == 0) {
			printf("%s: nothing was walked: %s\n", jobs[i].path,
				t->too_long ? "the run is too long" : "no run is possible");
		}
		sum->nothing += status == 0 && t->findings == 0 && t->walks == 0;
		*ret_failed += status != 0 || t->findings > 0;
		*ret_passed += status == 0 && t->findings == 0 && t->walks > 0;
		sum->walks += t->walks;
		sum->steps += t->steps;
		sum->trials += t->trials;
		sum->findings += t->findings;
		sum->too_long += t->too_long;
		sum->stops += t->stops;
		sum->reads += t->reads;
		sum->cut_short += t->cut_short;
		jobs[i].pid = 0;
	}
}

static bool is_due(const struct settings *s, const bool *chosen, size_t i, unsigned long *seen)
{
	return (!s->quick || chosen[i]) && (*seen)++ % s->every == 0;
}

/* A place in @jobs that is free, once one is. */
static struct job *free_job(struct job *jobs, const struct settings *s, struct flip_tally *sum,
	unsigned long *ret_passed, unsigned long *ret_failed)
{
	for (;;) {
		for (size_t i = 0; i < s->jobs; i++) {
			if (jobs[i].pid == 0) {
				*jobs[i].tally = (struct flip_tally){0};
				return &jobs[i];
			}
		}
		end_case(jobs, s->jobs, sum, ret_passed, ret_failed);
	}
}

static int walk_all(const struct settings *s)
{
	struct flip_tally sum = {0};
	struct job jobs[MAX_JOBS] = {0};
	unsigned long passed = 0, failed = 0, seen = 0;
	owned_mem bool *chosen = calloc(s->list.count + 1, sizeof(*chosen));
	struct flip_tally *tallies = mmap(NULL, MAX_JOBS * sizeof(*tallies), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!chosen || tallies == MAP_FAILED) {
		return 2;
	}
	for (size_t i = 0; i < s->jobs; i++) {
		jobs[i].tally = &tallies[i];
	}
	if (s->quick) {
		choose(&s->list, chosen);
	}
	for (size_t i = 0; i < s->list.count; i++) {
		if (is_due(s, chosen, i, &seen)) {
			struct job *job = free_job(jobs, s, &sum, &passed, &failed);
			job->settings = s;
			job->path = s->list.folders[i];
			job->index = seen;
			start_case(job);
		}
	}
	for (size_t i = 0; i < s->jobs; i++) {
		while (jobs[i].pid > 0) {
			end_case(jobs, s->jobs, &sum, &passed, &failed);
		}
	}
	printf("%" PRIu64 " walks of %" PRIu64 " instructions and %" PRIu64 " reads, %" PRIu64
	       " stops by signals, %" PRIu64 " changes, %" PRIu64 " findings; %" PRIu64
	       " runs longer than %" PRIu64 " instructions not walked by them, %" PRIu64
	       " with more than %" PRIu64 " reads, %" PRIu64 " cases without a run to walk\n"
	       "%lu passed, %lu failed\n",
		sum.walks, sum.steps, sum.reads, sum.stops, sum.trials, sum.findings, sum.too_long,
		s->walk.max_steps, sum.cut_short, s->walk.max_reads, sum.nothing, passed, failed);
	munmap(tallies, MAX_JOBS * sizeof(*tallies));
	return failed > 0 || passed == 0;
}

/* Names with commas; 0 where one is not known. */
static unsigned int by_of(const char *names)
{
	static const char *const known[] = {"ptrace", "reads"};
	unsigned int by = 0;
	for (const char *name = names; *name; name += *name == ',') {
		const size_t length = strcspn(name, ",");
		unsigned int i = 0;
		while (i < 2 &&
			(strlen(known[i]) != length || strncmp(name, known[i], length) != 0)) {
			i++;
		}
		if (i == 2) {
			return 0;
		}
		by |= 1u << i;
		name += length;
	}
	return by;
}

static bool parse(struct settings *s, int argc, char **argv)
{
	static const struct option options[] = {{"quick", no_argument, NULL, 'q'},
		{"long", no_argument, NULL, 'l'}, {"every", required_argument, NULL, 'e'},
		{"jobs", required_argument, NULL, 'j'}, {"seed", required_argument, NULL, 's'},
		{"case", required_argument, NULL, 'c'}, {"opened", required_argument, NULL, 'o'},
		{"placement", required_argument, NULL, 'p'},
		{"places", required_argument, NULL, 'n'}, {"operand", required_argument, NULL, 'i'},
		{"at", required_argument, NULL, 'k'}, {"change", required_argument, NULL, 'h'},
		{"by", required_argument, NULL, 'b'}, {"max-steps", required_argument, NULL, 'm'},
		{"max-reads", required_argument, NULL, 'x'},
		{"changes", required_argument, NULL, 'g'}, {"half", required_argument, NULL, 'f'},
		{0}};
	bool fine = true;
	for (int o; fine && (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		long n = optarg ? strtol(optarg, NULL, 10) : 0;
		switch (o) {
		case 'q':
			s->quick = true;
			s->half = 0;
			s->walk.places = 20;
			s->walk.max_steps = 30000;
			break;
		case 'l':
			s->walk.max_steps = flip_signals_possible() ? 20000 : 3000000;
			break;
		case 'e':
			s->every = (unsigned long)n;
			fine = n > 0;
			break;
		case 'j':
			s->jobs = (unsigned long)n;
			fine = n > 0 && n <= MAX_JOBS;
			break;
		case 's':
			s->walk.seed = (uint64_t)n;
			break;
		case 'c':
			s->is_case = true;
			s->walk.changes = FLIP_CHANGES;
			s->walk.max_steps = 100000000;
			fine = add_path(s, optarg);
			break;
		case 'o':
			s->opened = (int)n;
			break;
		case 'n':
			s->walk.places = (uint32_t)n;
			fine = n > 0 && n <= 1000000;
			break;
		case 'p':
			s->placement = (int)n;
			break;
		case 'i':
			s->walk.only_operand = (int)n;
			break;
		case 'k':
			s->walk.only_at = n;
			break;
		case 'b':
			s->walk.by = by_of(optarg);
			fine = s->walk.by != 0;
			break;
		case 'f':
			s->half = (int)n;
			fine = n == 0 || n == 1;
			break;
		case 'g':
			s->walk.changes = (uint32_t)n;
			fine = n > 0 && n <= FLIP_CHANGES;
			break;
		case 'm':
			s->walk.max_steps = (uint64_t)n;
			fine = n > 0;
			break;
		case 'x':
			s->walk.max_reads = (uint64_t)n;
			fine = n > 0;
			break;
		case 'h':
			s->walk.only_change = (int)flip_change_find(optarg);
			fine = s->walk.only_change < FLIP_CHANGES;
			break;
		default:
			fine = false;
		}
	}
	for (; fine && optind < argc; optind++) {
		fine = add_path(s, argv[optind]);
	}
	return fine && s->list.count > 0;
}

/*
 * Starts the program again, with addresses that are the same each time: what depends on them can be
 * repeated. Copies are made by vectors: "rep movsb" stops at each byte.
 */
static void fix_addresses(char **argv)
{
	static const char tunable[] = "GLIBC_TUNABLES";
	int persona = personality(0xffffffff);
	if (getenv(tunable) || persona < 0) {
		return;
	}
	(void)personality((unsigned long)persona | ADDR_NO_RANDOMIZE);
	if (setenv(tunable, "glibc.cpu.x86_rep_movsb_threshold=0x7fffffff", 1) == 0) {
		execv("/proc/self/exe", argv);
	}
}

/* What to print where the moments of runs cannot be chosen as it is asked; else NULL. */
static const char *missing(struct flip_walk *walk)
{
	if (!flip_signals_possible()) {
		walk->by = FLIP_BY_PTRACE;
	}
	const char *why = walk->by & FLIP_BY_PTRACE ? flip_trace_missing() : NULL;
	if (why && walk->by & FLIP_BY_READS) {
		printf("SKIPPED: %s: no run is walked by instructions\n", why);
		walk->by = FLIP_BY_READS;
		return NULL;
	}
	return why;
}

int main(int argc, char **argv)
{
	struct settings s = {.walk = {.seed = 1,
				     .places = 200,
				     .max_steps = 400000,
				     .changes = 2,
				     .by = FLIP_BY_PTRACE | FLIP_BY_READS,
				     .max_reads = 1000000,
				     .only_at = -1,
				     .only_operand = -1,
				     .only_change = -1},
		.every = 1,
		.jobs = 1,
		.opened = -1,
		.placement = -1,
		.half = -1};
	fix_addresses(argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!parse(&s, argc, argv)) {
		fprintf(stderr,
			"usage: flip [--quick | --long] [--by ptrace,reads] [--places N] [--changes N]\n"
			"            [--max-steps N] [--max-reads N] [--half N] [--every N] [--jobs N] "
			"[--seed S] PATH...\n"
			"       flip --case PATH [--opened N] [--placement N] [--by ptrace | reads] "
			"[--operand I]\n"
			"            [--at K] [--change NAME] [--seed S]\n");
		return 2;
	}
	const char *why = missing(&s.walk);
	if (why) {
		printf("SKIPPED: %s: NO OPERAND WAS CHANGED\n", why);
		return EXIT_SKIPPED;
	}
	flip_memory_poison();
	int r = walk_all(&s);
	golden_list_deinit(&s.list);
	return r;
}
