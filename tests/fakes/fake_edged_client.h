/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edged as its client in edged-mqtt sees it: notes what is asked, and replies when the test says so. A
 * program that includes it is linked with --wrap of the three functions. Included after cmocka.h.
 */
#ifndef TESTS_FAKES_FAKE_EDGED_CLIENT_H
#define TESTS_FAKES_FAKE_EDGED_CLIENT_H

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "daemon/mqtt/request/edged_client.h"

#define MAX_CALLS 64

/* What was asked of edged. */
struct call {
	char model[64];
	uint32_t session;
	unsigned int priority;
	uint64_t deadline_ns;
	uint32_t n;
	edge_client_reply_fn fn;
	void *data;
};

static struct {
	struct call runs[MAX_CALLS], opens[MAX_CALLS];
	size_t n_runs, n_opens;
	uint32_t closed[MAX_CALLS];
	size_t n_closed;
	int code; /* of the next calls */
} edged;

int __wrap_edged_client_infer(struct edged_client *client, const struct edged_client_run *run,
	edge_client_reply_fn fn, void *data, struct edge_client_error *err);
int __wrap_edged_client_infer(struct edged_client *client, const struct edged_client_run *run,
	edge_client_reply_fn fn, void *data, struct edge_client_error *err)
{
	(void)client;
	if (edged.code < 0) {
		snprintf(err->text, sizeof(err->text), "not now");
		return edged.code;
	}
	assert_true(edged.n_runs < MAX_CALLS);
	struct call *call = &edged.runs[edged.n_runs++];
	*call = (struct call){.session = run->session,
		.priority = run->priority,
		.deadline_ns = run->deadline_ns,
		.n = run->n,
		.fn = fn,
		.data = data};
	strcpy(call->model, run->model);
	return 0;
}

int __wrap_edged_client_session_open(struct edged_client *client, const char *model,
	edge_client_reply_fn fn, void *data, struct edge_client_error *err);
int __wrap_edged_client_session_open(struct edged_client *client, const char *model,
	edge_client_reply_fn fn, void *data, struct edge_client_error *err)
{
	(void)client;
	if (edged.code < 0) {
		*err = (struct edge_client_error){.code = edged.code};
		snprintf(err->text, sizeof(err->text), "not now");
		return edged.code;
	}
	assert_true(edged.n_opens < MAX_CALLS);
	struct call *call = &edged.opens[edged.n_opens++];
	*call = (struct call){.fn = fn, .data = data};
	strcpy(call->model, model);
	return 0;
}

void __wrap_edged_client_session_close(struct edged_client *client, uint32_t session);
void __wrap_edged_client_session_close(struct edged_client *client, uint32_t session)
{
	(void)client;
	assert_true(edged.n_closed < MAX_CALLS);
	edged.closed[edged.n_closed++] = session;
}

/* Each call gets one reply, the last ones when the connection to edged ends. */
static void reply_to(struct call *call, const struct edge_client_reply *reply)
{
	const edge_client_reply_fn fn = take(call->fn);
	if (fn) {
		fn(call->data, reply);
	}
}

static void end_calls(struct call *calls, size_t n)
{
	const struct edge_client_reply lost = {.error = {.code = -ENOTCONN}};
	for (size_t i = 0; i < n; i++) {
		reply_to(&calls[i], &lost);
	}
}

#endif
