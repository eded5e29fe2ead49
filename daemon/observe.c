/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/observe.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/probe.h"
#include "daemon/edged.h"
#include "daemon/notice.h"

#define US UINT64_C(1000)

/* The model that @request asks, as the store has it; NULL: none, or it has gone. */
static struct store_model *model_of(struct edged *edged, const struct request *request)
{
	return request->served ? store_find(&edged->store, request->served->name) : NULL;
}

static struct tally_times times_of(const struct request *request, bool ours)
{
	const uint64_t now = clock_now_ns();
	struct tally_times times = {.total_ns = now - request->received_ns};
	if (!ours) {
		return times;
	}
	const bool ran = request->finished_ns != 0;
	times.queue_ns = (ran ? request->taken_ns : now) - request->received_ns;
	times.compute_ns = ran ? request_run_ns(request) : 0;
	times.others_ns = ran ? request->yielded_ns : 0;
	return times;
}

static void count_ok(
	struct edged *edged, const struct request *request, const struct tally_times *times)
{
	metrics_count_run(&edged->metrics, times->queue_ns / US, times->compute_ns / US);
	request->account->requests++;
	request->account->run_ns += times->compute_ns;
}

/* ---- overload: from the first who is turned away until nobody was for a moment */

#define OVERLOAD_LOOK_MS 500

static void on_overload(uv_timer_t *timer)
{
	struct edged *edged = timer->data;
	const uint64_t now = clock_now_ns();
	if (sched_overloaded(&edged->dispatch.sched, now)) {
		return;
	}
	const struct metrics *before = &edged->before_overload;
	const uint64_t us = (now - before->started_ns) / US;
	const uint64_t refused =
		edged->metrics.counts[EDGE_OVERLOADED] - before->counts[EDGE_OVERLOADED];
	const struct notice_about about = {.duration_us = us};
	uv_timer_stop(timer);
	notice(&edged->log, NOTICE_OVERLOAD_ENDED, &about,
		"overload has ended after %" PRIu64 " ms: %" PRIu64
		" requests were answered, %" PRIu64 " turned away",
		us / 1000, edged->metrics.counts[EDGE_OK] - before->counts[EDGE_OK], refused);
}

/* Others are OVERLOADED too: who holds too many bytes, or waits for a model. */
static void look_at_overload(struct edged *edged)
{
	const uint64_t now = clock_now_ns();
	if (uv_is_active((uv_handle_t *)&edged->overload) ||
		!sched_overloaded(&edged->dispatch.sched, now)) {
		return;
	}
	edged->before_overload = edged->metrics;
	edged->before_overload.started_ns = now;
	uv_timer_start(&edged->overload, on_overload, OVERLOAD_LOOK_MS, OVERLOAD_LOOK_MS);
	notice(&edged->log, NOTICE_OVERLOAD_BEGAN, NULL,
		"overload: more is asked than can be done in time, requests are turned away");
}

static void count(struct edged *edged, enum edge_status status)
{
	if (status == EDGE_OVERLOADED) {
		look_at_overload(edged);
	}
	metrics_count(&edged->metrics, status);
}

/* ---- answers */

void observe_queued(const struct request *request)
{
	if (request->type == WIRE_INFER) {
		PROBE4(request_queued, request->id, request->served->name, (int)request->class,
			request->cost_ns);
	}
}

void observe_answer(
	struct edged *edged, const struct request *request, enum edge_status status, bool ours)
{
	if (request->type != WIRE_INFER) {
		return;
	}
	const struct tally_times times = times_of(request, ours);
	struct store_model *model = model_of(edged, request);
	PROBE5(request_done, request->id, request->served ? request->served->name : "", (int)status,
		times.queue_ns, times.compute_ns);
	count(edged, status);
	if (status == EDGE_OK) {
		count_ok(edged, request, &times);
	}
	if (model) {
		tally_note(&model->tally, status, &times);
	}
	flight_note(&edged->flight, request, status, &times);
	if (ours) {
		slow_note(edged, request, status, &times);
	}
}

void observe_late(struct edged *edged, const struct request *request)
{
	if (request->type == WIRE_INFER) {
		const struct tally_times times = times_of(request, true);
		slow_note(edged, request, request->told, &times);
	}
}

void observe_refused(struct edged *edged, const struct request *request, enum edge_status status)
{
	if (request) {
		observe_answer(edged, request, status, true);
	} else {
		count(edged, status);
	}
}
