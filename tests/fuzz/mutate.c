/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutate - breaks model files in many ways and shows that none breaks the library
 *
 *   mutate [--count N] [--seed S] [--no-clock] [--write DIR] PATH...
 *
 * PATH is a file, or a folder that is searched for *.tflite. --write keeps the mutants as files in
 * DIR instead of trying them.
 *
 * Each mutant is opened under budgets and, when it is accepted, run on zeros for at most half a
 * second, then on random bytes and with inputs of other shapes. A forked child does it for a batch
 * of mutants; a child that dies, or a mutant that takes long to load or to end at its deadline
 * (in CPU time; not looked at under a sanitizer), is a failure: its file, seed and way are printed,
 * which makes it again. So is a batch that takes far more memory than the limits.
 * Closes with "N passed, N failed".
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "engine/edge.h"
#include "tests/fuzz/mutant.h"

#define BATCH 250
#define RUN_LIMIT_NS 500000000ull
#define CPU_LIMIT_NS 1000000000ull
#define LOAD_LIMIT_NS 400000000ull
#define MAX_RSS_KIB (400l << 10)
#define WILD_LIMIT_NS 50000000ull
#define RANDOM_BYTES 65536
#define MAX_FILE_BYTES (8u << 20)
#define MAX_FILES 8192

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define CLOCKED false
#define LEAKS() __lsan_do_recoverable_leak_check()
#else
#define CLOCKED true
#define LEAKS() 0
#endif

struct original {
	char *path;
	uint8_t *data;
	size_t size;
	struct mutant_sites sites;
};

struct campaign {
	struct original originals[MAX_FILES];
	size_t n;
	uint64_t seed;
	bool clocked;
	const char *folder; /* --write */
	unsigned long passed, failed;
	long base_rss, max_rss; /* KiB: ours with all files, and of the largest child */
	struct progress { /* shared with the child */
		unsigned long mutant, accepted, slow;
	} * progress;
	uint8_t *copy; /* 64-byte aligned */
};

static const struct edge_limits limits = {
	.arena_bytes = 64u << 20,
	.prepared_bytes = 64u << 20,
	.macs = 20000000000ull,
};

static int must_check read_file(const char *path, struct original *o)
{
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode) || st.st_size < 8 || st.st_size > MAX_FILE_BYTES) {
		return -EINVAL;
	}
	owned_mem uint8_t *data = malloc((size_t)st.st_size);
	if (!data || read(fd, data, (size_t)st.st_size) != st.st_size) {
		return -EIO;
	}
	int r = mutant_find_sites(data, (size_t)st.st_size, &o->sites);
	if (r < 0) {
		return r;
	}
	o->path = strdup(path);
	o->size = (size_t)st.st_size;
	o->data = take(data);
	return 0;
}

static void add_path(struct campaign *c, const char *path, unsigned int depth)
{
	struct stat st;
	if (stat(path, &st) < 0 || c->n == MAX_FILES) {
		return;
	}
	if (S_ISREG(st.st_mode)) {
		const char *end = strrchr(path, '.');
		if (end && strcmp(end, ".tflite") == 0 &&
			read_file(path, &c->originals[c->n]) == 0) {
			c->n++;
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

/* What a client may send: any bytes, where a run takes indices or huge floats from them. */
static void fill_inputs(struct edge_session *session, uint64_t *random)
{
	uint8_t *data;
	uint64_t bytes = 0;
	for (uint32_t i = 0; (data = edge_session_input(session, i, &bytes)); i++) {
		bool small = mutant_random(random) & 1;
		for (uint64_t k = 0; k < bytes && k < RANDOM_BYTES; k++) {
			uint8_t byte = (uint8_t)(mutant_random(random) >> 32);
			data[k] = !small ? byte : k % 4 == 0 ? byte & 3 : 0;
		}
	}
}

/* One dimension of one input becomes another. */
static void resize_input(struct edge_session *session, uint64_t *random)
{
	static const int32_t dims[] = {0, 1, 2, 3, 5, 7, 16, 64, 1000, 65536, 1 << 24, INT32_MAX};
	struct edge_tensor_info info;
	uint32_t i = mutant_random(random) % 3;
	if (edge_session_input_info(session, i, &info, NULL) < 0 || info.shape.rank == 0) {
		return;
	}
	info.shape.dim[mutant_random(random) % info.shape.rank] =
		dims[mutant_random(random) % (sizeof(dims) / sizeof(dims[0]))];
	(void)!edge_session_resize(session, i, &info.shape, NULL);
}

/* Two runs more, as clients would ask for them. */
static void run_wildly(struct edge_session *session, uint64_t *random)
{
	for (int i = 0; i < 2; i++) {
		const struct run_control control = {.deadline_ns = clock_now_ns() + WILD_LIMIT_NS};
		fill_inputs(session, random);
		(void)!edge_session_run(session, &control, NULL);
		resize_input(session, random);
	}
}

/* Reads what a client would be sent. */
static void read_outputs(struct edge_session *session)
{
	const uint8_t *data;
	uint64_t bytes = 0;
	uint32_t sum = 0;
	for (uint32_t i = 0; (data = edge_session_output(session, i, &bytes)); i++) {
		for (uint64_t k = 0; k < bytes; k += k + 4096 < bytes ? 4096 : 1) {
			sum += data[k];
		}
	}
	volatile uint32_t read = sum;
	(void)read;
}

struct outcome {
	bool accepted, unplaced; /* refused by a text without a place */
	uint64_t load_ns; /* CPU time of opening */
	uint64_t cpu_ns; /* of opening and the run on zeros */
};

static struct outcome try(const struct campaign *c, size_t size, unsigned long i)
{
	struct error err = {0};
	owned(edge_model_unref) struct edge_model *model = NULL;
	owned(edge_session_free) struct edge_session *session = NULL;
	const struct edge_options options = {
		.backends = backends_builtin(), .cpu_features = ~0ull, .limits = limits};
	uint64_t from = clock_thread_cpu_ns(), random = c->seed + i + 1;
	int r = edge_model_open_bytes(c->copy, size, &options, &model, &err);
	uint64_t load_ns = clock_thread_cpu_ns() - from;
	if (r < 0) {
		return (struct outcome){.load_ns = load_ns, .unplaced = !strchr(err.text, ':')};
	}
	const struct run_control control = {.deadline_ns = clock_now_ns() + RUN_LIMIT_NS};
	if (edge_session_new(model, 0, &session, &err) < 0) {
		return (struct outcome){.load_ns = load_ns};
	}
	r = edge_session_run(session, &control, &err);
	struct outcome outcome = {.accepted = r == 0 || r == -ETIMEDOUT,
		.load_ns = load_ns,
		.cpu_ns = clock_thread_cpu_ns() - from};
	read_outputs(session);
	run_wildly(session, &random);
	read_outputs(session);
	return outcome;
}

static size_t make(struct campaign *c, unsigned long i, const char **ret_kind)
{
	const struct original *o = &c->originals[i % c->n];
	memcpy(c->copy, o->data, o->size);
	return mutant_make(c->copy, o->size, &o->sites, c->seed + i, ret_kind);
}

static void report(struct campaign *c, unsigned long i, const char *why)
{
	const char *kind = "";
	make(c, i, &kind);
	printf("%s: seed %llu, mutant %lu (%s): %s\n", c->originals[i % c->n].path,
		(unsigned long long)c->seed, i, kind, why);
	c->failed++;
}

/* Leaves the mutant for another program, as DIR/<number>.tflite. */
static int must_check write_mutant(const struct campaign *c, unsigned long i, size_t size)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%lu.tflite", c->folder, i);
	FILE *file = fopen(path, "we");
	if (!file) {
		return -errno;
	}
	size_t written = fwrite(c->copy, 1, size, file);
	return fclose(file) == 0 && written == size ? 0 : -EIO;
}

static void child(struct campaign *c, unsigned long first, unsigned long last)
{
	for (unsigned long i = first; i < last; i++) {
		const char *kind;
		c->progress->mutant = i;
		size_t size = make(c, i, &kind);
		if (c->folder) {
			if (write_mutant(c, i, size) < 0) {
				_exit(5);
			}
			continue;
		}
		struct outcome outcome = try(c, size, i);
		c->progress->accepted += outcome.accepted;
		if (outcome.unplaced) {
			_exit(6);
		}
		if (c->clocked &&
			(outcome.cpu_ns > CPU_LIMIT_NS || outcome.load_ns > LOAD_LIMIT_NS)) {
			c->progress->slow = i + 1;
			_exit(3);
		}
	}
	_exit(LEAKS() ? 4 : 0);
}

/* One child's worth; returns the mutant to go on with. */
static unsigned long run_batch(struct campaign *c, unsigned long first, unsigned long last)
{
	int status = 0;
	struct rusage usage;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		child(c, first, last);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
		printf("fork: %s\n", strerror(errno));
		exit(1);
	}
	if (usage.ru_maxrss > c->max_rss) {
		c->max_rss = usage.ru_maxrss;
	}
	if (c->clocked && usage.ru_maxrss > c->base_rss + MAX_RSS_KIB) {
		printf("mutants %lu to %lu take %ld KiB\n", first, last, usage.ru_maxrss);
		c->failed++;
		return last;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		c->passed += last - first;
		return last;
	}
	unsigned long bad = c->progress->mutant;
	char why[64];
	snprintf(why, sizeof(why),
		WIFSIGNALED(status)                ? "killed by signal %d"
			: WEXITSTATUS(status) == 6 ? "refused without a place (%d)"
						   : "exit %d",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	report(c, bad, c->progress->slow == bad + 1 ? "too much CPU time" : why);
	c->passed += bad - first;
	return bad + 1;
}

static int must_check prepare(struct campaign *c)
{
	size_t largest = 0;
	for (size_t i = 0; i < c->n; i++) {
		largest = c->originals[i].size > largest ? c->originals[i].size : largest;
	}
	c->copy = aligned_alloc(64, (largest + 64 + 63) / 64 * 64);
	c->progress = mmap(NULL, sizeof(*c->progress), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return c->copy && c->progress != MAP_FAILED ? 0 : -ENOMEM;
}

static void campaign_free(struct campaign *c)
{
	if (!c) {
		return;
	}
	for (size_t i = 0; i < c->n; i++) {
		free(c->originals[i].path);
		free(c->originals[i].data);
		mutant_sites_deinit(&c->originals[i].sites);
	}
	free(c->copy);
	free(c);
}
DEFINE_OWNED(struct campaign *, campaign_free)

int main(int argc, char **argv)
{
	static const struct option options[] = {{"count", required_argument, NULL, 'c'},
		{"seed", required_argument, NULL, 's'}, {"no-clock", no_argument, NULL, 'n'},
		{"write", required_argument, NULL, 'w'}, {0}};
	unsigned long count = 2000;
	owned(campaign_free) struct campaign *c = calloc(1, sizeof(*c));
	if (!c) {
		return 1;
	}
	c->seed = 1;
	c->clocked = CLOCKED;
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == '?') {
			return 2;
		}
		count = o == 'c' ? strtoul(optarg, NULL, 10) : count;
		c->seed = o == 's' ? strtoull(optarg, NULL, 10) : c->seed;
		c->clocked = o == 'n' ? false : c->clocked;
		c->folder = o == 'w' ? optarg : c->folder;
	}
	for (int i = optind; i < argc; i++) {
		add_path(c, argv[i], 0);
	}
	if (c->n == 0 || prepare(c) < 0) {
		printf("no model files\n0 passed, 1 failed\n");
		return 1;
	}
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	c->base_rss = usage.ru_maxrss;
	for (unsigned long i = 0; i < count && c->failed < 50;) {
		i = run_batch(c, i, i + BATCH < count ? i + BATCH : count);
	}
	printf("%lu mutants of %zu files, %lu still accepted, %ld MiB at most\n", count, c->n,
		c->progress->accepted, c->max_rss >> 10);
	printf("%lu passed, %lu failed\n", c->passed, c->failed);
	return c->failed ? 1 : 0;
}
