/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/background.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NICER 10 /* than it was */
#define NICEST 19
#define SLICE_NS                                                                                   \
	5000000 /* longer than anybody's that has not asked for another; before Linux 6.12 nobody looks */

/*
 * SCHED_BATCH takes a CPU from nobody when it wakes. Who wakes takes it from whom has the longer slice, at
 * once; from whom has the same, when that one's is over, whatever the nice values. Source: sched(7),
 * Documentation/scheduler/sched-eevdf.rst, PREEMPT_SHORT in kernel/sched/features.h of Linux 6.12.
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
