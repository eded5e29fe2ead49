/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/slow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/edged/serve/request.h"
#include "daemon/system/counters.h"
#include "daemon/system/notice.h"

/* ---- on the thread of the run */

void slow_run_begin(const struct request *request, struct loaded_model_session *session)
{
	const bool wanted = request->run.slow_ns > 0;
	if (wanted || session->profiled) {
		/* Without memory the steps are left out of the line. */
		session->profiled = edge_session_profile(session->session, wanted) == 0 && wanted;
	}
}

static void keep_longest(struct request_run *run, uint32_t node, uint64_t ns)
{
	uint32_t at = run->n_steps;
	while (at > 0 && run->steps[at - 1].ns < ns) {
		at--;
	}
	if (ns == 0 || at == REQUEST_SLOW_STEPS) {
		return;
	}
	run->n_steps += run->n_steps < REQUEST_SLOW_STEPS;
	memmove(&run->steps[at + 1], &run->steps[at],
		(run->n_steps - 1 - at) * sizeof(run->steps[0]));
	run->steps[at].node = node;
	run->steps[at].ns = ns;
}

void slow_run_end(struct request *request, const struct loaded_model_session *session)
{
	struct edge_node_info info;
	const uint64_t *ns = session->profiled ? edge_session_node_ns(session->session) : NULL;
	request->run.n_steps = 0;
	if (!ns || clock_now_ns() - request->received_ns < request->run.slow_ns) {
		return;
	}
	const struct edge_model *model = request->loaded->model;
	for (uint32_t i = 0; edge_model_node(model, request->signature, i, &info) == 0; i++) {
		keep_longest(&request->run, i, ns[i]);
	}
}

/* ---- log lines */

static void steps_print(const struct request *request, char *out, size_t size)
{
	size_t used = 0;
	out[0] = 0;
	for (uint32_t i = 0; i < request->run.n_steps && used < size; i++) {
		struct edge_node_info info = {.op = "step", .detail = ""};
		const uint32_t node = request->run.steps[i].node;
		int code = edge_model_node(request->loaded->model, request->signature, node, &info);
		(void)code; /* cannot fail: the node was there when the model ran */
		const bool plain = !info.detail || info.detail[0] == 0;
		used += (size_t)snprintf(out + used, size - used, "%s%u %s%s%s %" PRIu64 " us",
			i == 0 ? "; slowest steps: " : ", ", node, info.op, plain ? "" : " ",
			plain ? "" : info.detail, request->run.steps[i].ns / NSEC_PER_USEC);
	}
}

/* True when another line may be logged in this minute. */
static bool may_log(struct slow *slow, uint64_t now_ns, uint64_t *ret_left_out)
{
	if (!slow->window_ns || now_ns - slow->window_ns > NSEC_PER_MIN) {
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

static void log_request(const struct log *log, const struct request *request,
	enum edge_status status, const struct counters_times *times, uint64_t left_out)
{
	char uid[12], pid[12], steps[400], others[64] = "", more[64] = "";
	const struct loaded_model *loaded = request->loaded;
	const struct notice_about about = {.model = loaded->name,
		.version = loaded->version,
		.digest = &loaded->digest,
		.status = status_name(status),
		.duration_us = times->total_ns / NSEC_PER_USEC,
		.uid = uid,
		.pid = pid};
	snprintf(uid, sizeof(uid), "%u", (unsigned int)request->client.account->uid);
	snprintf(pid, sizeof(pid), "%d", (int)request->client.pid);
	steps_print(request, steps, sizeof(steps));
	if (times->others_ns > 0) {
		snprintf(others, sizeof(others), ", %" PRIu64 " us for others between its steps",
			times->others_ns / NSEC_PER_USEC);
	}
	if (left_out > 0) {
		snprintf(more, sizeof(more), "; %" PRIu64 " others were not logged", left_out);
	}
	notice(log, NOTICE_SLOW_REQUEST, &about,
		"slow request: model %s version %s, user %s, process %s: %s after %" PRIu64
		" us, %" PRIu64 " us queued, %" PRIu64 " us computed%s%s%s",
		loaded->name, loaded->version, uid, pid, about.status,
		times->total_ns / NSEC_PER_USEC, times->queue_ns / NSEC_PER_USEC,
		times->compute_ns / NSEC_PER_USEC, others, steps, more);
}

void slow_note(struct slow *slow, const struct log *log, const struct request *request,
	enum edge_status status, const struct counters_times *times)
{
	uint64_t left_out = 0;
	if (request->run.slow_ns > 0 && times->total_ns >= request->run.slow_ns &&
		request->loaded && may_log(slow, clock_now_ns(), &left_out)) {
		log_request(log, request, status, times, left_out);
	}
}
