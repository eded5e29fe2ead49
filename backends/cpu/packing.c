/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/packing.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backends/cpu/team.h"
#include "base/array.h"
#include "base/background_yield.h"

/* Packed in a millisecond or two, of which starting a thread takes a tenth. */
#define SHARED_BYTES ((uint64_t)1 << 20)
#define MOST_THREADS 4

bool packing_add(struct packing *packing, const struct packing_job *job)
{
	if (packing->n == TEAM_MAX_PARTS ||
		!array_room(&packing->jobs, packing->n, sizeof(*packing->jobs))) {
		return false;
	}
	packing->jobs[packing->n++] = *job;
	packing->bytes += job->bytes;
	return true;
}

static int compare_bytes(const void *a, const void *b)
{
	const struct packing_job *x = a, *y = b;
	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

static void do_job(void *args, unsigned int member, unsigned int part)
{
	(void)member;
	const struct packing_job *job = &((const struct packing *)args)->jobs[part];
	job->pack(job->state);
	background_yield_if_due();
}

/* Threads that run or want to at this moment, with the caller; proc(5), loadavg. 1 where nobody says. */
static unsigned int busy_threads(void)
{
	char text[64] = "";
	unsigned int n = 0;
	owned_fd int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 ||
		sscanf(text, "%*s %*s %*s %u/", &n) != 1 || n < 1) {
		return 1;
	}
	return n;
}

/* As many as cores are free: a part that waits for a core would have all others wait. One in the background. */
static unsigned int threads_for(const struct packing *packing)
{
	cpu_set_t set;
	if (packing->bytes < SHARED_BYTES || background_yield_has_begun() ||
		sched_getaffinity(0, sizeof(set), &set) < 0) {
		return 1;
	}
	unsigned int cores = (unsigned int)CPU_COUNT(&set), busy = busy_threads();
	unsigned int n = busy < cores ? cores - busy + 1 : 1;
	n = n < MOST_THREADS ? n : MOST_THREADS;
	return n < packing->n ? n : packing->n;
}

void packing_run(struct packing *packing)
{
	const unsigned int threads = threads_for(packing);
	owned(team_free) struct team *team = NULL;
	if (packing->n > 1) {
		qsort(packing->jobs, packing->n, sizeof(packing->jobs[0]), compare_bytes);
	}
	if (threads > 1 && team_new(threads, false, &team, NULL) == 0) {
		team_run(team, packing->n, do_job, packing);
		return;
	}
	for (uint32_t i = 0; i < packing->n; i++) {
		do_job(packing, 0, i);
	}
}

void packing_deinit(struct packing *packing)
{
	free(packing->jobs);
	*packing = (struct packing){0};
}
