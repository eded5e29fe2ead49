/* SPDX-License-Identifier: Apache-2.0 */
/* metrics - counters of the daemon for STATUS. Loop thread only. */
#ifndef DAEMON_SYSTEM_METRICS_H
#define DAEMON_SYSTEM_METRICS_H

#include "base/clock.h"
#include "base/status.h"

struct metrics {
	uint64_t started_ns;
	uint64_t counts[EDGE_STATUS_COUNT]; /* INFER requests answered, by status */
	uint64_t queue_us, run_us; /* sums over requests answered OK */
};

void metrics_init(struct metrics *metrics);
void metrics_count(struct metrics *metrics, enum edge_status status);
void metrics_count_run(struct metrics *metrics, uint64_t queue_us, uint64_t run_us);

/* Returns the resident memory of this process in bytes; 0: not known. */
uint64_t metrics_resident_bytes(void);

#endif
