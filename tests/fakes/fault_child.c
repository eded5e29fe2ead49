/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arms fault.c in edged-mqtt's worker process.
 *
 * That has no environment and no files, so the number of the call that is to fail from its start on stands beside the program, in PROGRAM.fault. Later
 * ones come by signal (fault_signal.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fakes/fault.h"

/* LeakSanitizer asks. Where it looks as a process ends, that of the pipelines has no right to what it takes. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}

__attribute__((constructor)) static void start(int argc, char **argv)
{
	char path[512] = "";
	unsigned long nth = 0;
	if (argc < 2 || strcmp(argv[1], "--worker") != 0) {
		return;
	}
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(".fault"));
	memcpy(path + (n > 0 ? n : 0), ".fault", sizeof(".fault"));
	FILE *file = fopen(path, "re");
	if (file) {
		if (fscanf(file, "%lu", &nth) != 1) {
			nth = 0;
		}
		fclose(file);
		unlink(path); /* of this process only */
		fault_arm(nth);
	}
}
