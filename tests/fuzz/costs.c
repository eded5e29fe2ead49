/* SPDX-License-Identifier: Apache-2.0 */
/*
 * costs - shows that the operations that rules declare are what kernels take, and that every kernel can
 * be cancelled
 *
 *   costs [--every N] [--cap MS] PATH...
 *
 * PATH is a file, or a folder that is searched for *.tflite. Shapes and values that cost most are looked
 * for (tests/fuzz/cost_trial.h), in each model as it is and with its constants as inputs, and in graphs of
 * operators that no file has alone (tests/fuzz/made.h). The limits max-macs and the times that edged
 * expects follow from declared operations. Failures are: an operator whose CPU time for a declared
 * operation is more than 20 times the median of its class, one that goes on for more than 5 ms after the run
 * was cancelled, and one that does not look at the run's control for more than 5 ms. A tile is what lies
 * between two looks, so none has an allowance of its own.
 *
 * Classes have the rates of engine/plan/cost.h; searches, signals and strings are classes of their own. Runs with denormal
 * floats are compared with each other: x86 takes some 50 ns for an instruction on them, whatever it does
 * (docs/threat-model.md).
 * Times are of the CPU, the least of several runs each, and are compared with those of the same run of the
 * program. Closes with "N passed, N failed": operators, with denormal floats and without.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/model/model.h"
#include "engine/plan/cost.h"
#include "tests/fuzz/cost_trial.h"
#include "tests/fuzz/made.h"

#define MAX_RATIO 20.0
/* Tiles are to take about 1 ms on a fast core. */
#define MAX_STOP_NS 5000000ull
#define LEAST_OPERATORS 10 /* of a class that has a median of its own; else that of all counts */
#define OPERATORS OP_CUSTOM_END

struct row {
	struct finding worst; /* by its rate */
	struct finding latest; /* by finding_stop_ns() */
	char worst_path[100], latest_path[100];
	const char *class;
	bool denormal;
	double ratio;
};

#define ROWS (2 * OPERATORS) /* those of denormal floats behind the others */

struct campaign {
	struct trial_plan plan;
	unsigned long every, seen, models, died;
	bool has_looks; /* at the control */
	struct row rows[ROWS];
};

static const char *class_of(const struct finding *f)
{
	switch (f->op) {
	case OP_ARG_MAX:
	case OP_ARG_MIN:
	case OP_BUCKETIZE:
	case OP_HASHTABLE_LOOKUP:
	case OP_LSH_PROJECTION:
	case OP_NON_MAX_SUPPRESSION_V4:
	case OP_NON_MAX_SUPPRESSION_V5:
	case OP_POSENET_DECODER:
	case OP_TFLITE_DETECTION_POSTPROCESS:
	case OP_TOPK_V2:
	case OP_UNIQUE:
	case OP_WHERE:
		return "search";
	case OP_AUDIO_SPECTROGRAM:
	case OP_MFCC:
	case OP_RFFT2D:
		return "signal";
	default:
		return strncmp(operators_name(f->op), "Signal", 6) == 0 ? "signal"
			: f->type == DTYPE_STRING                       ? "string"
									: cost_class_name(f->op);
	}
}

/* What the child sends for each finding. */
struct message {
	struct finding finding;
};

static void send_finding(void *context, const struct finding *finding)
{
	const int *fd = context;
	struct message m = {*finding};
	if (write(*fd, &m, sizeof(m)) != sizeof(m)) {
		_exit(1);
	}
}

static void try(const struct campaign *c, const char *path, int fd)
{
	for (int opening = OPEN_NOTHING; opening < OPENINGS; opening++) {
		owned_fd int file = open(path, O_RDONLY | O_CLOEXEC);
		owned(model_free) struct model *model = NULL;
		struct opened o = {0};
		if (opening == OPEN_PARAMS || file < 0 ||
			model_open_fd(file, &(struct model_limits){0}, &model, NULL) < 0) {
			continue;
		}
		struct graph *graph = (struct graph *)(uintptr_t)model_graph(model);
		if (opened_init(&o, graph, 0, (enum opening)opening)) {
			trial_graph(&c->plan, &o, send_finding, &fd);
		}
		opened_deinit(&o);
	}
}

static void take_finding(struct campaign *c, const struct finding *f, const char *path)
{
	struct row *row = &c->rows[f->denormal ? OPERATORS + f->op : f->op];
	size_t length = strlen(path);
	c->has_looks |= f->blind_ns > 0;
	path += length < sizeof(row->worst_path) ? 0 : length - sizeof(row->worst_path) + 1;
	if (finding_rate(f) > finding_rate(&row->worst)) {
		row->worst = *f;
		snprintf(row->worst_path, sizeof(row->worst_path), "%s", path);
	}
	if (finding_stop_ns(f) > finding_stop_ns(&row->latest)) {
		row->latest = *f;
		snprintf(row->latest_path, sizeof(row->latest_path), "%s", path);
	}
}

/* @made: the graph of that number, where there is no path. */
static void try_forked(struct campaign *c, const char *path, uint32_t made)
{
	int ends[2], status = 0;
	struct message m;
	fflush(stdout);
	pid_t pid = pipe2(ends, O_CLOEXEC) < 0 ? -1 : fork();
	if (pid < 0) {
		printf("fork: %s\n", strerror(errno));
		exit(1);
	}
	if (pid == 0) {
		if (path) {
			try(c, path, ends[1]);
		} else {
			made_try(made, &c->plan, send_finding, &ends[1]);
		}
		_exit(0);
	}
	close(ends[1]);
	while (read(ends[0], &m, sizeof(m)) == sizeof(m)) {
		take_finding(c, &m.finding, path ? path : "made");
	}
	close(ends[0]);
	c->models++;
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		printf("%s: died of it, status %d\n", path ? path : "made", status);
		c->died++;
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
		if (end && strcmp(end, ".tflite") == 0 && st.st_size < 1 << 20 &&
			c->seen++ % c->every == 0) {
			try_forked(c, path, 0);
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

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Of the class, or of all operators where @class is NULL; *ret_n: how many there are. Denormal floats have medians of
 * their own. */
static double median_of(const struct campaign *c, const char *class, bool denormal, uint32_t *ret_n)
{
	static double rates[ROWS];
	uint32_t n = 0;
	for (uint32_t i = 0; i < ROWS; i++) {
		const struct row *row = &c->rows[i];
		if (row->class && row->denormal == denormal &&
			(!class || strcmp(class, row->class) == 0)) {
			rates[n++] = finding_rate(&row->worst);
		}
	}
	qsort(rates, n, sizeof(rates[0]), compare_doubles);
	*ret_n = n;
	return n ? rates[n / 2] : 1;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	return (x->ratio < y->ratio) - (x->ratio > y->ratio);
}

static void set_ratios(struct campaign *c)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < ROWS; i++) {
		struct row *row = &c->rows[i];
		row->class = row->worst.ns ? class_of(&row->worst) : NULL;
		row->denormal = i >= OPERATORS;
	}
	for (uint32_t i = 0; i < ROWS; i++) {
		struct row *row = &c->rows[i];
		if (row->class) {
			double median = median_of(c, row->class, row->denormal, &n);
			median = n < LEAST_OPERATORS ? median_of(c, NULL, row->denormal, &n)
						     : median;
			row->ratio = finding_rate(&row->worst) / median;
		}
	}
}

static bool judge(const struct row *row)
{
	const struct finding *worst = &row->worst, *latest = &row->latest;
	const char *name = operators_name(row->class ? worst->op : latest->op);
	const unsigned long long stop_us = finding_stop_ns(latest) / 1000;
	bool costly = row->ratio > MAX_RATIO, late = finding_stop_ns(latest) > MAX_STOP_NS;
	printf("%-40s %-20s%s %10.3f ns %8.2f x  stop %6llu us  %9llu us for %llu  %s  %s\n", name,
		row->class ? row->class : "-", row->denormal ? ", denormal" : "",
		finding_rate(worst), row->ratio, stop_us, (unsigned long long)(worst->ns / 1000),
		(unsigned long long)worst->macs, row->worst_path, worst->shape);
	if (costly) {
		printf("FAIL: %s takes %.2f ns for a declared operation, %.0f times the median of its class\n",
			name, finding_rate(worst), row->ratio);
	}
	if (late) {
		printf("FAIL: %s can go on for %llu us after it was cancelled (%llu us were seen): %s %s\n",
			name, stop_us, (unsigned long long)(latest->late_ns / 1000),
			row->latest_path, latest->shape);
	}
	return !costly && !late;
}

static int report(struct campaign *c)
{
	unsigned long passed = 0, failed = c->died;
	set_ratios(c);
	qsort(c->rows, ROWS, sizeof(c->rows[0]), compare_rows);
	for (uint32_t i = 0; i < ROWS; i++) {
		if (c->rows[i].class || finding_stop_ns(&c->rows[i].latest) > 0) {
			bool well = judge(&c->rows[i]);
			passed += well;
			failed += !well;
		}
	}
	if (!c->has_looks) {
		printf("FAIL: no look at the control was seen\n");
		failed++;
	}
	printf("%lu models\n%lu passed, %lu failed\n", c->models, passed, failed);
	return failed > 0 || passed == 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"every", required_argument, NULL, 'e'},
		{"cap", required_argument, NULL, 'c'}, {0}};
	owned_mem struct campaign *c = calloc(1, sizeof(*c));
	if (!c) {
		return 1;
	}
	c->every = 1;
	c->plan = (struct trial_plan){.cap_ns = 12000000, .repetitions = 3};
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == '?') {
			return 2;
		}
		c->every = o == 'e' ? strtoul(optarg, NULL, 10) : c->every;
		c->plan.cap_ns = o == 'c' ? strtoul(optarg, NULL, 10) * 1000000 : c->plan.cap_ns;
	}
	if (c->every == 0 || c->plan.cap_ns == 0) {
		return 2;
	}
	for (uint32_t i = 0; i < MADE_GRAPHS; i++) {
		try_forked(c, NULL, i);
	}
	for (int i = optind; i < argc; i++) {
		add_path(c, argv[i], 0);
	}
	return report(c);
}
