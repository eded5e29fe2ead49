/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/deadlines.h"

#include "base/clock.h"

static bool is_parked(const struct request *request)
{
	return request_state(request) == REQUEST_PARKED;
}

enum edge_status deadlines_status(const struct request *request, uint64_t answer_timeout_ms,
	uint64_t now_ns, const char **ret_text)
{
	if (request_due_ns(request, answer_timeout_ms) <= now_ns) {
		*ret_text = "the deadline or answer-timeout passed before the answer was ready";
		return EDGE_DEADLINE;
	}
	if (is_parked(request) && request->parked_until_ns <= now_ns) {
		*ret_text = "the model was not loaded again within load-wait";
		return EDGE_OVERLOADED;
	}
	return EDGE_OK;
}

uint64_t deadlines_nearest(const struct request *first, uint64_t answer_timeout_ms)
{
	uint64_t nearest = UINT64_MAX;
	for (const struct request *request = first; request; request = request->next) {
		const uint64_t due = request_due_ns(request, answer_timeout_ms);
		nearest = due < nearest ? due : nearest;
		if (is_parked(request) && request->parked_until_ns < nearest) {
			nearest = request->parked_until_ns;
		}
	}
	return nearest;
}

static void on_timer(uv_timer_t *timer)
{
	struct serve *serve = timer->data;
	const uint64_t answer_timeout_ms = serve->config->answer_timeout_ms, now = clock_now_ns();
	const char *why = NULL;
	for (struct request *request = serve->first, *next; request; request = next) {
		next = request->next;
		const enum edge_status status =
			deadlines_status(request, answer_timeout_ms, now, &why);
		if (status != EDGE_OK) {
			serve->end_late(serve, request, status, why);
		}
	}
	deadlines_update(serve);
}

void deadlines_update(struct serve *serve)
{
	const uint64_t now = clock_now_ns();
	const uint64_t nearest = deadlines_nearest(serve->first, serve->config->answer_timeout_ms);
	if (nearest == UINT64_MAX) {
		uv_timer_stop(&serve->timer);
		return;
	}
	uint64_t ms = (clock_left_ns(nearest, now) + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	uv_update_time(serve->timer.loop);
	uv_timer_start(&serve->timer, on_timer, ms, 0);
}
