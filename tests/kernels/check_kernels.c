/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_kernels - is every variant of every kernel family exact, and how fast is it
 *
 *   check_kernels [--bench | --count] [--seed N] [--cases N] [--only TEXT] [-v]
 *
 * --count is for tests/kernels/count, which counts instructions between marks in place of time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/crash_note.h"
#include "tests/kernels/kernel_check.h"

static void usage(void)
{
	fputs("usage: check_kernels [--bench | --count] [--seed N] [--cases N] [--only TEXT] [-v]\n",
		stderr);
	exit(2);
}

static void parse(struct check *c, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(argv[i], "--bench") == 0) {
			c->bench = true;
		} else if (strcmp(argv[i], "--count") == 0) {
			c->bench = c->count = true;
		} else if (strcmp(argv[i], "-v") == 0) {
			c->verbose = true;
		} else if (strcmp(argv[i], "--seed") == 0 && value) {
			c->seed = strtoull(argv[++i], NULL, 10);
		} else if (strcmp(argv[i], "--cases") == 0 && value) {
			c->cases = (uint32_t)strtoul(argv[++i], NULL, 10);
		} else if (strcmp(argv[i], "--only") == 0 && value) {
			c->only = argv[++i];
		} else {
			usage();
		}
	}
}

int main(int argc, char **argv)
{
	struct check c = {.seed = 1, .cases = 300, .features = ek_cpu_detect()};
	parse(&c, argc, argv);
	crash_watch();
	static void (*const families[])(struct check *) = {check_conv, check_depthwise,
		check_matmul, check_pool, check_recurrent, check_rows, check_maps, check_hybrid};
	printf("seed %llu\n", (unsigned long long)c.seed);
	fflush(stdout);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		/* Each family draws from its own sequence: a new one does not move the others. */
		c.random = c.seed * 1000 + i;
		families[i](&c);
		check_free_all(&c);
	}
	printf("%u passed, %u failed\n", c.passed, c.failed);
	return c.failed ? 1 : 0;
}
