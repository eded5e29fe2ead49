/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tally.h"

void tally_note(struct tally **tally, enum edge_status status, const struct tally_times *times)
{
	struct tally *t = *tally ? *tally : calloc(1, sizeof(*t));
	if (!t) {
		return;
	}
	*tally = t;
	t->counts[status]++;
	if (status == EDGE_OK) {
		histogram_put(&t->phases[WIRE_PHASE_QUEUE], times->queue_ns);
		histogram_put(&t->phases[WIRE_PHASE_COMPUTE], times->compute_ns);
		histogram_put(&t->phases[WIRE_PHASE_TOTAL], times->total_ns);
	}
}
