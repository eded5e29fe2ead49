/* SPDX-License-Identifier: Apache-2.0 */
/* metrics - counters of the daemon for STATUS. Loop thread only. */
#ifndef DAEMON_SYSTEM_METRICS_H
#define DAEMON_SYSTEM_METRICS_H

#include "base/status.h"

struct metrics {
	uint64_t started_ns;
	uint64_t counts[EDGE_STATUS_COUNT]; /* INFER requests answered, by status */
	uint64_t queue_us, run_us; /* sums over requests answered OK */
};

#endif
