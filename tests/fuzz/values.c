/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values - runs every operator with any contents of its operands
 *
 *   values [--count N] [--seed S] [--threads N] [--scribble] PATH...
 *
 * PATH is a file, or a folder that is searched for *.tflite. Each subgraph of a model is run as it
 * is; with the constants that a rule or a kernel concludes from (op_row.params) as inputs, so that
 * only the run knows them; and with all small constants as inputs. Each way it is run N times with
 * hostile contents (tests/fuzz/contents.h) and now and then with other shapes, from nothing to
 * huge. A run may end well or with an error. Failures are: a forked child that dies or that a
 * sanitizer stops; a run that goes on for long after its deadline; memory far above the limits; a
 * session that gives another answer after all that than before it; and, where a golden case stands
 * beside the model, another answer than the case's with constants as inputs.
 *
 * --threads: so many sessions of a model at once. --scribble: somebody writes into the bound inputs
 * during the runs, as a client with shared memory can. Closes with "N passed, N failed".
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/model/model.h"
#include "tests/fuzz/abuse.h"

#define MAX_SUBGRAPHS 4
#define MAX_RSS_KIB (320l << 10)

struct campaign {
	struct abuse_plan plan;
	unsigned long passed, failed, ran_well;
};

/* The case that stands beside the model, or in a folder beside it. */
static struct golden_case *find_golden(const char *path)
{
	static const char *const places[] = {"", "/*"};
	struct golden_case *golden = NULL;
	char copy[4096], pattern[4200];
	glob_t found;
	snprintf(copy, sizeof(copy), "%s", path);
	const char *folder = dirname(copy);
	for (size_t i = 0; i < 2 && !golden; i++) {
		snprintf(pattern, sizeof(pattern), "%s%s/case.txt", folder, places[i]);
		if (glob(pattern, 0, NULL, &found) == 0) {
			(void)!golden_case_read(dirname(found.gl_pathv[0]), &golden, NULL);
			globfree(&found);
		}
	}
	bool fit = golden && !golden->signature;
	for (size_t i = 0; fit && i < golden->n_entries; i++) {
		/* The recorder could not set a scalar of strings: such a case's answer is no law. */
		fit = golden->entries[i].kind != GOLDEN_IN ||
			golden->entries[i].type != DTYPE_STRING || golden->entries[i].shape.rank;
	}
	if (!fit) {
		golden_case_free(golden);
		golden = NULL;
	}
	return golden;
}

/* Exit status of the child. */
static int try(const struct campaign *c, const char *path, uint32_t subgraph, enum opening opening)
{
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	owned(model_free) struct model *model = NULL;
	owned(golden_case_free) struct golden_case *golden = NULL;
	struct opened o = {0};
	struct error err = {0};
	if (fd < 0 || model_open_fd(fd, &(struct model_limits){0}, &model, &err) < 0) {
		return ABUSE_NOTHING;
	}
	struct graph *graph = (struct graph *)(uintptr_t)model_graph(model);
	int status = ABUSE_NOTHING;
	if (subgraph < graph->n_subgraphs && opened_init(&o, graph, subgraph, opening)) {
		golden = subgraph == 0 ? find_golden(path) : NULL;
		status = abuse_graph(&c->plan, &o, golden, subgraph);
	}
	opened_deinit(&o);
	fflush(stdout);
	return status;
}

/* False when nobody needs to look at the model's further subgraphs. */
static bool try_forked(
	struct campaign *c, const char *path, uint32_t subgraph, enum opening opening)
{
	int status = 0;
	struct rusage usage;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(try(c, path, subgraph, opening));
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
		printf("fork: %s\n", strerror(errno));
		exit(1);
	}
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	bool large = ABUSE_MEASURED && usage.ru_maxrss > MAX_RSS_KIB * (long)c->plan.threads;
	bool ran =
		(code == ABUSE_RAN || code == ABUSE_NOTHING || code == ABUSE_NEVER_WELL) && !large;
	c->passed += ran;
	c->failed += !ran;
	c->ran_well += code == ABUSE_RAN;
	if (!ran) {
		printf("%s: subgraph %u, opened %d, seed %lu: %s %d, %ld KiB\n", path, subgraph,
			(int)opening, c->plan.seed, code < 0 ? "killed by signal" : "exit",
			abs(code), usage.ru_maxrss);
	}
	return code != ABUSE_NOTHING || opening != OPEN_NOTHING;
}

static void try_file(struct campaign *c, const char *path)
{
	for (uint32_t subgraph = 0; subgraph < MAX_SUBGRAPHS; subgraph++) {
		for (int opening = OPEN_NOTHING; opening < OPENINGS; opening++) {
			if (!try_forked(c, path, subgraph, (enum opening)opening)) {
				return;
			}
		}
	}
}

static void add_path(struct campaign *c, const char *path, unsigned int depth)
{
	struct stat st;
	if (stat(path, &st) < 0) {
		return;
	}
	if (S_ISREG(st.st_mode)) {
		const char *end = strrchr(path, '.');
		if (end && strcmp(end, ".tflite") == 0 && st.st_size < 1 << 20) {
			try_file(c, path);
		}
		return;
	}
	char pattern[4096];
	glob_t found;
	snprintf(pattern, sizeof(pattern), "%s/*", path);
	if (depth < 6 && glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			add_path(c, found.gl_pathv[i], depth + 1);
		}
		globfree(&found);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"count", required_argument, NULL, 'c'},
		{"seed", required_argument, NULL, 's'}, {"threads", required_argument, NULL, 't'},
		{"scribble", no_argument, NULL, 'w'}, {0}};
	struct campaign c = {.plan = {.count = 200, .seed = 1, .threads = 1}};
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == '?') {
			return 2;
		}
		c.plan.count = o == 'c' ? strtoul(optarg, NULL, 10) : c.plan.count;
		c.plan.seed = o == 's' ? strtoul(optarg, NULL, 10) : c.plan.seed;
		c.plan.threads =
			o == 't' ? (unsigned int)strtoul(optarg, NULL, 10) : c.plan.threads;
		c.plan.scribble = o == 'w' ? true : c.plan.scribble;
	}
	if (c.plan.threads == 0 || c.plan.threads > ABUSE_MAX_THREADS) {
		return 2;
	}
	for (int i = optind; i < argc; i++) {
		add_path(&c, argv[i], 0);
	}
	printf("%lu ran well at least once\n%lu passed, %lu failed\n", c.ran_well, c.passed,
		c.failed);
	return c.failed > 0 || c.passed == 0;
}
