/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup - memory limits in the control group (version 2) of this process */
#ifndef DAEMON_SYSTEM_CGROUP_H
#define DAEMON_SYSTEM_CGROUP_H

#include <stdint.h>

#define CGROUP_PATH_SIZE 512

/* Returns the lowest memory.max of the group and its ancestors in bytes; UINT64_MAX: no limit. */
uint64_t cgroup_memory_max(void);

/* Writes the path of file @name of the group to @out; "" without a group. */
void cgroup_file(const char *name, char out[CGROUP_PATH_SIZE]);

#endif
