/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/background.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NICER 10 /* added to the nice value */
#define NICEST 19
#define SLICE_NS 5000000 /* slice in ns, longer than the default; ignored before Linux 6.12 */

/*
 * With SCHED_BATCH a waking thread preempts no other. A thread with a shorter slice preempts one
 * with a longer slice at once; among equal slices it waits for the end of the slice, whatever the
 * nice values. Source: sched(7), Documentation/scheduler/sched-eevdf.rst, PREEMPT_SHORT in
 * kernel/sched/features.h of Linux 6.12.
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
