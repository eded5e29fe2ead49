/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/background.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NICER 10 /* than it was */
#define NICEST 19
#define SLICE_NS 100000 /* the least that Linux 6.12 takes; older ones do not look at it */

/*
 * SCHED_BATCH takes a CPU from nobody when it wakes. A slice is what it may have before one that wakes
 * takes it away: without a short one that is 3 ms, whatever its nice value. Source: sched(7),
 * Documentation/scheduler/sched-eevdf.rst.
 */
void background_enter(void)
{
	const id_t self = (id_t)gettid();
	const int wanted = getpriority(PRIO_PROCESS, self) + NICER;
	const int nice = wanted < NICEST ? wanted : NICEST;
	struct sched_attr attributes = {.size = sizeof(attributes),
		.sched_policy = SCHED_BATCH,
		.sched_nice = nice,
		.sched_runtime = SLICE_NS};
	if (syscall(SYS_sched_setattr, 0, &attributes, 0) < 0) {
		setpriority(PRIO_PROCESS, self, nice);
	}
}
