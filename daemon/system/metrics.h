/* SPDX-License-Identifier: Apache-2.0 */
/* metrics - counters for STATUS. Loop thread only. */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include "base/clock.h"
#include "base/status.h"

struct metrics {
	uint64_t started_ns;
	uint64_t counts[EDGE_STATUS_COUNT]; /* INFER requests answered, by status */
	uint64_t queue_us, run_us; /* sums over those answered OK */
};

void metrics_init(struct metrics *metrics);
void metrics_count(struct metrics *metrics, enum edge_status status);
void metrics_count_run(struct metrics *metrics, uint64_t queue_us, uint64_t run_us);

/* Resident bytes of this process, 0 when the kernel does not say. */
uint64_t metrics_resident_bytes(void);

#endif
