/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/slow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/client_session.h"
#include "daemon/edged.h"
#include "daemon/notice.h"

#define US UINT64_C(1000)
#define MINUTE_NS UINT64_C(60000000000)

static struct served *served_of(const struct request *request)
{
	return request->session ? request->session->served : request->served;
}

/* ---- where it runs */

void slow_run_begin(const struct request *request, struct served_session *session)
{
	const bool wanted = request->slow_ns > 0;
	if (wanted || session->profiled) {
		/* Without memory for it the steps are not told. */
		session->profiled = edge_session_profile(session->session, wanted) == 0 && wanted;
	}
}

static void keep_longest(struct slow_steps *longest, uint32_t node, uint64_t ns)
{
	uint32_t at = longest->n;
	while (at > 0 && longest->steps[at - 1].ns < ns) {
		at--;
	}
	if (ns == 0 || at == SLOW_STEPS) {
		return;
	}
	longest->n += longest->n < SLOW_STEPS;
	memmove(&longest->steps[at + 1], &longest->steps[at],
		(longest->n - 1 - at) * sizeof(longest->steps[0]));
	longest->steps[at].node = node;
	longest->steps[at].ns = ns;
}

void slow_run_end(struct request *request, const struct served_session *session)
{
	struct edge_node_info info;
	const uint64_t *ns = session->profiled ? edge_session_node_ns(session->session) : NULL;
	request->slow.n = 0;
	if (!ns || clock_now_ns() - request->received_ns < request->slow_ns) {
		return;
	}
	const struct edge_model *model = served_of(request)->model;
	for (uint32_t i = 0; edge_model_node(model, request->signature, i, &info) == 0; i++) {
		keep_longest(&request->slow, i, ns[i]);
	}
}

/* ---- where it is told */

static void steps_print(const struct request *request, char *out, size_t size)
{
	size_t used = 0;
	out[0] = 0;
	for (uint32_t i = 0; i < request->slow.n && used < size; i++) {
		struct edge_node_info info = {.op = "step", .detail = ""};
		const uint32_t node = request->slow.steps[i].node;
		int code =
			edge_model_node(served_of(request)->model, request->signature, node, &info);
		(void)code; /* it was there when it ran */
		const bool plain = !info.detail || info.detail[0] == 0;
		used += (size_t)snprintf(out + used, size - used, "%s%u %s%s%s %" PRIu64 " us",
			i == 0 ? "; slowest steps: " : ", ", node, info.op, plain ? "" : " ",
			plain ? "" : info.detail, request->slow.steps[i].ns / US);
	}
}

/* True when there may be another line in this minute. */
static bool may_say(struct slow *slow, uint64_t now_ns, uint64_t *ret_left_out)
{
	if (!slow->window_ns || now_ns - slow->window_ns > MINUTE_NS) {
		slow->window_ns = now_ns;
		slow->lines = 0;
	}
	if (slow->lines >= SLOW_LINES) {
		slow->left_out++;
		return false;
	}
	slow->lines++;
	*ret_left_out = slow->left_out;
	slow->left_out = 0;
	return true;
}

static void say(const struct edged *edged, const struct request *request, enum edge_status status,
	const struct tally_times *times, uint64_t left_out)
{
	char uid[12], pid[12], steps[400], others[64] = "", more[64] = "";
	const struct served *served = served_of(request);
	const struct notice_about about = {.model = served->name,
		.version = served->version,
		.digest = &served->digest,
		.status = status_name(status),
		.duration_us = times->total_ns / US,
		.uid = uid,
		.pid = pid};
	snprintf(uid, sizeof(uid), "%u", (unsigned int)request->account->uid);
	snprintf(pid, sizeof(pid), "%d", (int)request->pid);
	steps_print(request, steps, sizeof(steps));
	if (times->others_ns > 0) {
		snprintf(others, sizeof(others), ", %" PRIu64 " us for others between its steps",
			times->others_ns / US);
	}
	if (left_out > 0) {
		snprintf(more, sizeof(more), "; %" PRIu64 " others were not told", left_out);
	}
	notice(&edged->log, NOTICE_SLOW_REQUEST, &about,
		"slow request: model %s version %s, user %s, process %s: %s after %" PRIu64
		" us, %" PRIu64 " us queued, %" PRIu64 " us computed%s%s%s",
		served->name, served->version, uid, pid, about.status, times->total_ns / US,
		times->queue_ns / US, times->compute_ns / US, others, steps, more);
}

void slow_note(struct edged *edged, const struct request *request, enum edge_status status,
	const struct tally_times *times)
{
	uint64_t left_out = 0;
	if (request->slow_ns > 0 && times->total_ns >= request->slow_ns && served_of(request) &&
		may_say(&edged->slow, clock_now_ns(), &left_out)) {
		say(edged, request, status, times, left_out);
	}
}
