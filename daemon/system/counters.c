/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/counters.h"

void counters_note(
	struct counters **counters, enum edge_status status, const struct counters_times *times)
{
	struct counters *t = *counters ? *counters : calloc(1, sizeof(*t));
	if (!t) {
		return;
	}
	*counters = t;
	t->counts[status]++;
	if (status == EDGE_OK) {
		histogram_put(&t->phases[WIRE_PHASE_QUEUE], times->queue_ns);
		histogram_put(&t->phases[WIRE_PHASE_COMPUTE], times->compute_ns);
		histogram_put(&t->phases[WIRE_PHASE_TOTAL], times->total_ns);
	}
}
