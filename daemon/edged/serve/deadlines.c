/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/deadlines.h"

static bool is_parked(const struct request *request)
{
	return request_state(request) == REQUEST_PARKED;
}

enum edge_status deadlines_status(
	const struct request *request, uint64_t longest_ms, uint64_t now_ns, const char **ret_text)
{
	if (request_due_ns(request, longest_ms) <= now_ns) {
		*ret_text = "the deadline or answer-timeout passed before the answer was ready";
		return EDGE_DEADLINE;
	}
	if (is_parked(request) && request->parked_until_ns <= now_ns) {
		*ret_text = "the model was not loaded again within load-wait";
		return EDGE_OVERLOADED;
	}
	return EDGE_OK;
}

uint64_t deadlines_nearest(const struct request *first, uint64_t longest_ms)
{
	uint64_t nearest = UINT64_MAX;
	for (const struct request *request = first; request; request = request->next) {
		const uint64_t due = request_due_ns(request, longest_ms);
		nearest = due < nearest ? due : nearest;
		if (is_parked(request) && request->parked_until_ns < nearest) {
			nearest = request->parked_until_ns;
		}
	}
	return nearest;
}
