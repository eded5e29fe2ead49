/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup - the control group (version 2) of this process, as far as memory goes */
#ifndef DAEMON_CGROUP_H
#define DAEMON_CGROUP_H

#include <stdint.h>

#define CGROUP_PATH_SIZE 512

/* The least memory.max of the group and of those above it; UINT64_MAX where there is none. */
uint64_t cgroup_memory_max(void);

/* The path of the group's file @name in @out; "" where there is no group. */
void cgroup_file(const char *name, char out[CGROUP_PATH_SIZE]);

#endif
