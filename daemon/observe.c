/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/observe.h"

#include "base/clock.h"
#include "daemon/edged.h"

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
	return times;
}

static void count_ok(
	struct edged *edged, const struct request *request, const struct tally_times *times)
{
	metrics_count_run(&edged->metrics, times->queue_ns / US, times->compute_ns / US);
	request->account->requests++;
	request->account->run_ns += times->compute_ns;
}

void observe_answer(
	struct edged *edged, const struct request *request, enum edge_status status, bool ours)
{
	if (request->type != WIRE_INFER) {
		return;
	}
	const struct tally_times times = times_of(request, ours);
	struct store_model *model = model_of(edged, request);
	metrics_count(&edged->metrics, status);
	if (status == EDGE_OK) {
		count_ok(edged, request, &times);
	}
	if (model) {
		tally_note(&model->tally, status, &times);
	}
}

void observe_refused(struct edged *edged, const struct request *request, enum edge_status status)
{
	if (request) {
		observe_answer(edged, request, status, true);
	} else {
		metrics_count(&edged->metrics, status);
	}
}
