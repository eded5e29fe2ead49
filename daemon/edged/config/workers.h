/* SPDX-License-Identifier: Apache-2.0 */
/* workers - how many threads `workers` and `threads-per-run` mean */
#ifndef DAEMON_EDGED_CONFIG_WORKERS_H
#define DAEMON_EDGED_CONFIG_WORKERS_H

#include <stdint.h>

/* How many threads @wanted means: 0 for one per core that this process may use, at most 4. */
unsigned int workers_count(uint64_t wanted);

#endif
