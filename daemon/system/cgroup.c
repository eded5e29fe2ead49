/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT "/sys/fs/cgroup"

/* Finds the group's folder below ROOT; false without one. Source: cgroups(7), /proc/[pid]/cgroup:
 * the line of version 2 is "0::PATH". */
static bool group_find(char out[CGROUP_PATH_SIZE])
{
	char line[CGROUP_PATH_SIZE];
	FILE *file = fopen("/proc/self/cgroup", "re");
	bool found = false;
	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		found = strncmp(line, "0::/", 4) == 0;
	}
	if (file) {
		fclose(file);
	}
	return found &&
		snprintf(out, CGROUP_PATH_SIZE, ROOT "%s", strcmp(line + 3, "/") ? line + 3 : "") <
		CGROUP_PATH_SIZE;
}

/* Reads a number, or "max". */
static uint64_t limit_read(const char *group)
{
	char path[CGROUP_PATH_SIZE + 16], text[32] = "";
	snprintf(path, sizeof(path), "%s/memory.max", group);
	FILE *file = fopen(path, "re");
	if (!file) {
		return UINT64_MAX;
	}
	bool read = fgets(text, sizeof(text), file) && text[0] >= '0' && text[0] <= '9';
	fclose(file);
	return read ? strtoull(text, NULL, 10) : UINT64_MAX;
}

uint64_t cgroup_memory_max(void)
{
	char group[CGROUP_PATH_SIZE];
	uint64_t least = UINT64_MAX;
	if (!group_find(group)) {
		return least;
	}
	while (strlen(group) >= strlen(ROOT)) {
		uint64_t own = limit_read(group);
		least = own < least ? own : least;
		*strrchr(group, '/') = 0;
	}
	return least;
}

void cgroup_file(const char *name, char out[CGROUP_PATH_SIZE])
{
	char group[CGROUP_PATH_SIZE];
	if (!group_find(group) ||
		snprintf(out, CGROUP_PATH_SIZE, "%s/%s", group, name) >= CGROUP_PATH_SIZE) {
		out[0] = 0;
	}
}
