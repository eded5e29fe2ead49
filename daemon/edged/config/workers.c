/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/config/workers.h"

#include <sched.h>

static unsigned int cores(void)
{
	cpu_set_t set;
	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned int)CPU_COUNT(&set) : 1;
}

unsigned int workers_count(uint64_t wanted)
{
	return wanted ? (unsigned int)wanted : cores() < 4 ? cores() : 4;
}
