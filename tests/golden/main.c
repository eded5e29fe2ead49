/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden - runs golden cases and compares every output byte
 *
 *   golden [--every N] [--threads N] [--team N] [--cpu FEATURES]
 *          [--without REWRITES] [--sweep N] [--poison] [--skip-missing] [-f LIST] [FOLDER...]
 *
 * --without leaves rewrites out ("strips,pads", "all"); with "eager" all others are made wherever they
 * can be. --poison runs each case in sessions whose memory is filled with one pattern, then with another,
 * before each run: outputs must be right, and the same. Without --cpu each case runs on every set of kernel variants that this CPU has and the model
 * makes use of. Exit status 0 when every case passed, 1 when one failed, 2 for a bad command line,
 * and 77 (skipped, to meson) where --skip-missing is given and a folder or list is not there.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "backends/backends.h"
#include "client/golden/golden_find.h"
#include "client/golden/golden_run.h"
#include "engine/edge.h"

#define EXIT_SKIPPED 77
#define MAX_MASKS 65 /* none, and one more for each bit */
#define MAX_MISSING 256
#define SWEEP_TEAMS 4
#define SWEEP_SETS 9
#define SWEEP_WAYS (SWEEP_TEAMS * SWEEP_SETS)

struct settings {
	struct golden_list list;
	size_t every;
	uint32_t threads, team;
	uint32_t sweep; /* ways; 0: that of @team and @without alone */
	uint64_t masks[MAX_MASKS];
	uint32_t n_masks;
	uint32_t disabled_rewrites;
	bool poison, skip_missing;
};

/* How many cases wait for an operator. */
struct missing {
	char name[48];
	unsigned int cases;
};

struct tally {
	unsigned int passed, failed, left_out;
	unsigned int ways; /* of a sweep, so far */
	struct missing missing[MAX_MISSING];
	unsigned int n_missing;
};

/* None, then one feature after the other on top, as the variants of a list build on each other. */
static void every_mask(struct settings *s)
{
	uint64_t features = backends_cpu_features(), mask = 0;
	s->masks[s->n_masks++] = 0;
	for (unsigned int bit = 0; bit < 64; bit++) {
		if (features >> bit & 1) {
			mask |= 1ull << bit;
			s->masks[s->n_masks++] = mask;
		}
	}
}

/* The operator's name is the first word in capitals. */
static void operator_of(const char *text, char *ret_name, size_t size)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	ret_name[0] = 0;
	for (size_t n; *text && !ret_name[0]; text += n ? n : 1) {
		n = strspn(text, letters);
		if (n > 2) {
			snprintf(ret_name, size, "%.*s", (int)n, text);
		}
	}
	if (!ret_name[0]) {
		snprintf(ret_name, size, "(unnamed)");
	}
}

static void count_missing(struct tally *tally, const char *text)
{
	char name[sizeof(tally->missing[0].name)];
	operator_of(text, name, sizeof(name));
	unsigned int i = 0;
	while (i < tally->n_missing && strcmp(tally->missing[i].name, name) != 0) {
		i++;
	}
	if (i < MAX_MISSING) {
		tally->n_missing = i == tally->n_missing ? i + 1 : tally->n_missing;
		memcpy(tally->missing[i].name, name, sizeof(name));
		tally->missing[i].cases++;
	}
}

/* The numbers of sets and teams have no common divisor: both go on by one, and every pair comes. */
static void run_ways(const struct settings *s, const struct golden_case *c, struct tally *tally,
	struct golden_result *ret_result)
{
	static const char *const sets[SWEEP_SETS] = {"none", "strips", "pads", "views", "shapes",
		"in-place", "all", "eager", "eager,in-place"};
	for (uint32_t i = 0; i < s->sweep && ret_result->verdict == GOLDEN_PASSED; i++) {
		const char *set = sets[tally->ways % SWEEP_SETS];
		uint32_t team = tally->ways++ % SWEEP_TEAMS + 1, disabled_rewrites = 0;
		size_t length;
		(void)!edge_rewrites(set, &disabled_rewrites, NULL);
		golden_run(
			c, s->masks, s->n_masks, s->threads, team, disabled_rewrites, ret_result);
		length = strlen(ret_result->text);
		if (ret_result->verdict != GOLDEN_PASSED) {
			snprintf(ret_result->text + length, sizeof(ret_result->text) - length,
				" (--without %s --team %u)", set, team);
		}
	}
}

static void run_one(const struct settings *s, const char *folder, struct tally *tally)
{
	owned(golden_case_free) struct golden_case *c = NULL;
	struct golden_result result = {0};
	struct error err = {0};
	if (golden_case_read(folder, &c, &err) < 0) {
		result.verdict = GOLDEN_DIFFERS;
		memcpy(result.text, err.text, sizeof(err.text));
	} else if (s->sweep) {
		run_ways(s, c, tally, &result);
	} else if (s->poison) {
		golden_run_poisoned(c, s->masks, s->n_masks, s->disabled_rewrites, &result);
	} else {
		golden_run(c, s->masks, s->n_masks, s->threads, s->team, s->disabled_rewrites,
			&result);
	}
	if (result.verdict == GOLDEN_PASSED) {
		tally->passed++;
		return;
	}
	if (result.verdict == GOLDEN_LEFT_OUT) {
		tally->left_out++;
		printf("%s: LEFT OUT: a scalar of strings, which the recorder could not set: %s\n",
			folder, result.text);
		return;
	}
	tally->failed++;
	printf("%s: %s\n", folder, result.text);
	if (result.verdict == GOLDEN_MISSING) {
		count_missing(tally, result.text);
	}
}

/* 0, or the exit status with which to leave. */
static int add_cases(struct settings *s, const char *path, bool is_list)
{
	int r = is_list ? golden_find_listed(path, &s->list) : golden_find(path, &s->list);
	if (r == -ENOENT && s->skip_missing) {
		printf("SKIPPED: %s is not there: NOTHING WAS COMPARED\n", path);
		return EXIT_SKIPPED;
	}
	if (r < 0) {
		fprintf(stderr, "golden: %s: %s\n", path, strerror(-r));
		return 2;
	}
	return 0;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: golden [--every N] [--threads N] [--team N] [--cpu FEATURES] "
		"[--without REWRITES] [--sweep N] [--poison] [--skip-missing] [-f LIST] [FOLDER...]\n");
	return 2;
}

static int parse_count(const char *text, uint32_t most, uint32_t *ret_count)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (end == text || *end || n < 1 || n > most) {
		return -EINVAL;
	}
	*ret_count = (uint32_t)n;
	return 0;
}

static int parse_option(struct settings *s, int option, const char *argument)
{
	uint32_t count;
	struct error err;
	switch (option) {
	case 'f':
		return add_cases(s, argument, true);
	case 'e':
		if (parse_count(argument, UINT32_MAX, &count) < 0) {
			return usage();
		}
		s->every = count;
		return 0;
	case 't':
		return parse_count(argument, 64, &s->threads) < 0 ? usage() : 0;
	case 'm':
		return parse_count(argument, 16, &s->team) < 0 ? usage() : 0;
	case 'c':
		if (backends_cpu_mask(argument, &s->masks[0], &err) < 0) {
			fprintf(stderr, "golden: %s\n", err.text);
			return 2;
		}
		s->n_masks = 1;
		s->masks[0] &= backends_cpu_features();
		return 0;
	case 'w':
		if (edge_rewrites(argument, &s->disabled_rewrites, &err) < 0) {
			fprintf(stderr, "golden: %s\n", err.text);
			return 2;
		}
		return 0;
	case 'p':
		return parse_count(argument, SWEEP_WAYS, &s->sweep) < 0 ? usage() : 0;
	case 'o':
		s->poison = true;
		return 0;
	case 's':
		s->skip_missing = true;
		return 0;
	default:
		return usage();
	}
}

static int parse(struct settings *s, int argc, char **argv)
{
	static const struct option options[] = {
		{"every", required_argument, NULL, 'e'},
		{"threads", required_argument, NULL, 't'},
		{"team", required_argument, NULL, 'm'},
		{"cpu", required_argument, NULL, 'c'},
		{"without", required_argument, NULL, 'w'},
		{"sweep", required_argument, NULL, 'p'},
		{"poison", no_argument, NULL, 'o'},
		{"skip-missing", no_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	int option, r;
	while ((option = getopt_long(argc, argv, "f:", options, NULL)) != -1) {
		r = parse_option(s, option, optarg);
		if (r) {
			return r;
		}
	}
	for (; optind < argc; optind++) {
		r = add_cases(s, argv[optind], false);
		if (r) {
			return r;
		}
	}
	if (s->n_masks == 0) {
		every_mask(s);
	}
	return 0;
}

static int run_all(const struct settings *s)
{
	struct tally tally = {0};
	for (size_t i = 0; i < s->list.count; i += s->every) {
		run_one(s, s->list.folders[i], &tally);
	}
	for (unsigned int i = 0; i < tally.n_missing; i++) {
		printf("missing %s: %u cases\n", tally.missing[i].name, tally.missing[i].cases);
	}
	if (tally.left_out) {
		printf("%u left out\n", tally.left_out);
	}
	printf("%u passed, %u failed\n", tally.passed, tally.failed);
	return tally.failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct settings s = {.every = 1, .threads = 1, .team = 1};
	setvbuf(stdout, NULL, _IOLBF, 0);
	int r = parse(&s, argc, argv);
	if (r == 0 && s.list.count == 0) {
		r = s.skip_missing ? EXIT_SKIPPED : usage();
		printf("SKIPPED: no cases: NOTHING WAS COMPARED\n");
	}
	r = r ? r : run_all(&s);
	golden_list_deinit(&s.list);
	return r;
}
