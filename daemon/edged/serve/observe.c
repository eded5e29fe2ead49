/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/observe.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/probe.h"
#include "daemon/edged/serve/serve.h"
#include "daemon/system/notice.h"

/* The table's entry of @request's model; NULL: @request has no model, or the model was removed. */
static struct models_entry *model_of(struct serve *serve, const struct request *request)
{
	return request->loaded ? models_find(serve->models, request->loaded->name) : NULL;
}

static struct counters_times times_of(const struct request *request, bool ours)
{
	const uint64_t now = clock_now_ns();
	struct counters_times times = {.total_ns = now - request->received_ns};
	if (!ours) {
		return times;
	}
	const bool ran = request->run.finished_ns != 0;
	times.queue_ns = (ran ? request->run.started_ns : now) - request->received_ns;
	times.compute_ns = ran ? request_run_ns(request) : 0;
	times.others_ns = ran ? request->run.yielded_ns : 0;
	return times;
}

static void count_ok(
	struct serve *serve, const struct request *request, const struct counters_times *times)
{
	serve->metrics.queue_us += times->queue_ns / NSEC_PER_USEC;
	serve->metrics.run_us += times->compute_ns / NSEC_PER_USEC;
	request->client.account->requests++;
	request->client.account->run_ns += times->compute_ns;
}

/* ---- overload: from the first refusal until no request was refused for a while */

#define OVERLOAD_LOOK_MS 500

static void on_overload(uv_timer_t *timer)
{
	struct serve *serve = timer->data;
	const uint64_t now = clock_now_ns();
	if (sched_overloaded(&serve->sched, now)) {
		return;
	}
	const struct metrics *before = &serve->overload.before;
	const uint64_t us = (now - before->started_ns) / NSEC_PER_USEC;
	const uint64_t refused =
		serve->metrics.counts[EDGE_OVERLOADED] - before->counts[EDGE_OVERLOADED];
	const struct notice_about about = {.duration_us = us};
	uv_timer_stop(timer);
	notice(serve->log, NOTICE_OVERLOAD_ENDED, &about,
		"overload has ended after %" PRIu64 " ms: %" PRIu64
		" requests were answered, %" PRIu64 " turned away",
		us / 1000, serve->metrics.counts[EDGE_OK] - before->counts[EDGE_OK], refused);
}

/* OVERLOADED alone is no overload: it is also the status of users above their limit of bytes and
 * of parked requests. */
static void check_overload(struct serve *serve)
{
	const uint64_t now = clock_now_ns();
	if (uv_is_active((uv_handle_t *)&serve->overload.timer) ||
		!sched_overloaded(&serve->sched, now)) {
		return;
	}
	serve->overload.before = serve->metrics;
	serve->overload.before.started_ns = now;
	uv_timer_start(&serve->overload.timer, on_overload, OVERLOAD_LOOK_MS, OVERLOAD_LOOK_MS);
	notice(serve->log, NOTICE_OVERLOAD_BEGAN, NULL,
		"overload: more is asked than can be done in time, requests are turned away");
}

static void count(struct serve *serve, enum edge_status status)
{
	if (status == EDGE_OVERLOADED) {
		check_overload(serve);
	}
	serve->metrics.counts[status]++;
}

/* ---- answers */

void observe_queued(const struct request *request)
{
	if (request->type == WIRE_INFER) {
		PROBE4(request_queued, request->id, request->loaded->name, (int)request->item.class,
			request->item.cost_ns);
	}
}

void observe_answer(
	struct serve *serve, const struct request *request, enum edge_status status, bool ours)
{
	if (request->type != WIRE_INFER) {
		return;
	}
	const struct counters_times times = times_of(request, ours);
	struct models_entry *model = model_of(serve, request);
	PROBE5(request_done, request->id, request->loaded ? request->loaded->name : "", (int)status,
		times.queue_ns, times.compute_ns);
	count(serve, status);
	if (status == EDGE_OK) {
		count_ok(serve, request, &times);
	}
	if (model) {
		counters_note(&model->counters, status, &times);
	}
	flight_recorder_note(&serve->flight, request, status, &times);
	if (ours) {
		slow_note(&serve->slow, serve->log, request, status, &times);
	}
}

void observe_late(struct serve *serve, const struct request *request)
{
	if (request->type == WIRE_INFER) {
		const struct counters_times times = times_of(request, true);
		slow_note(&serve->slow, serve->log, request, request->answered.status, &times);
	}
}

void observe_refused(struct serve *serve, const struct request *request, enum edge_status status)
{
	if (request) {
		observe_answer(serve, request, status, true);
	} else {
		count(serve, status);
	}
}
