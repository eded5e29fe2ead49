/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/metrics.h"

#include <stdio.h>
#include <unistd.h>

void metrics_init(struct metrics *metrics)
{
	*metrics = (struct metrics){.started_ns = clock_now_ns()};
}

void metrics_count(struct metrics *metrics, enum edge_status status)
{
	metrics->counts[status]++;
}

void metrics_count_run(struct metrics *metrics, uint64_t queue_us, uint64_t run_us)
{
	metrics->queue_us += queue_us;
	metrics->run_us += run_us;
}

uint64_t metrics_resident_bytes(void)
{
	unsigned long long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file) {
		return 0;
	}
	int n = fscanf(file, "%*u %llu", &pages);
	fclose(file);
	return n == 1 ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
