/* SPDX-License-Identifier: Apache-2.0 */
/* memory - how much this process has, and whether it can be held to less. After cmocka.h. */
#ifndef TESTS_UNIT_MEMORY_H
#define TESTS_UNIT_MEMORY_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A sanitizer has memory of its own way, and ends the process where there is none. */
#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* @what: "VmPeak", "VmData" and the like of /proc/self/status. */
static inline uint64_t memory_kb(const char *what)
{
	char line[128];
	unsigned long long kb = 0;
	const size_t n = strlen(what);
	FILE *file = fopen("/proc/self/status", "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) &&
		(strncmp(line, what, n) != 0 || sscanf(line + n, ": %llu kB", &kb) != 1)) {}
	fclose(file);
	return kb;
}

#endif
