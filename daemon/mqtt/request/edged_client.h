/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edged_client - the connection to edged
 *
 * Opened in a worker thread, because the greeting blocks, and then driven by the loop. When the
 * connection is lost, every request fails with -ENOTCONN and the client reconnects until edged is
 * back. Every poll_ms it requests the list of models, and the description of models whose
 * generation is new. After a reconnect all models are described again, because each edged process
 * counts generations from the start. edged counts as away once no list has come for
 * EDGED_CLIENT_AWAY_NS, which is longer than a restart.
 */
#ifndef DAEMON_MQTT_REQUEST_EDGED_CLIENT_H
#define DAEMON_MQTT_REQUEST_EDGED_CLIENT_H

#include <uv.h>

#include "base/log.h"
#include "client/lib/edge_client.h"
#include "daemon/mqtt/request/known_models.h"

#define EDGED_CLIENT_YOUNG_US UINT64_C(5000000)
#define EDGED_CLIENT_AWAY_NS UINT64_C(5000000000)

struct edged_client_events {
	void (*on_up)(void *data);
	void (*on_down)(void *data); /* after all requests have failed */
	void (*on_away)(void *data); /* edged_client_is_away() has become true */
	void (*on_models)(void *data); /* the list or a description has changed */
	/* A model was described; @model is borrowed. on_models() follows. */
	void (*on_description)(void *data, const struct edge_client_model *model);
	/* The few-shot examples of @model have changed; @text is borrowed. A description follows if
	 * it is new. */
	void (*on_examples)(void *data, const char *model, const char *text);
};

struct edged_client_open;

struct edged_client {
	uv_loop_t *loop;
	const struct log *log;
	const char *path; /* path of edged's socket */
	uint64_t poll_ms;
	struct known_models *models;
	const struct edged_client_events *events;
	void *data;

	struct edge_client *client; /* NULL: not connected */
	uv_poll_t socket; /* while there is a client */
	struct edged_client_open *opening; /* connect in the worker thread; NULL: none */
	uv_timer_t timer;
	bool stopping, polling;
	bool failure_logged; /* until the next connection */
	/* edged has more models than MODELS_MAX, which was logged */
	bool full;
	uint64_t gone_ns; /* CLOCK_MONOTONIC since when no list has come; 0: lists come */
	bool away; /* see edged_client_is_away() */
	struct edge_client_status status; /* status of the last poll */
};

void edged_client_start(struct edged_client *edged, uv_loop_t *loop, const struct log *log,
	const char *path, uint64_t poll_ms, struct known_models *models,
	const struct edged_client_events *events, void *data);
/* Closes the connection; requests fail. The handles close in the loop's next turns. */
void edged_client_stop(struct edged_client *edged);

static inline bool edged_client_is_up(const struct edged_client *edged)
{
	return edged->client;
}

/* Returns true if edged has been unreachable for EDGED_CLIENT_AWAY_NS and has sent no list of models
 * since. */
static inline bool edged_client_is_away(const struct edged_client *edged)
{
	return edged->away;
}

/* Returns true if edged has started within EDGED_CLIENT_YOUNG_US of the last poll. Its list may be
 * incomplete. */
static inline bool edged_client_is_young(const struct edged_client *edged)
{
	return edged->status.uptime_us < EDGED_CLIENT_YOUNG_US;
}

/* A run of a model. All pointers are borrowed during the call. */
struct edged_client_run {
	const char *model;
	const char *signature; /* "" or NULL: the default */
	uint32_t session; /* of edged_client_session_open(); 0: none */
	const struct tensor_bytes *tensors;
	uint32_t n; /* at most DECODE_MAX_INPUTS */
	unsigned int priority; /* EDGE_CLIENT_NORMAL ... */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
};

/* Returns a tensor of edged's answer; the data is borrowed. */
struct tensor_bytes edged_client_tensor(const struct edge_client_tensor *from);

/* Sends the request. -ETIMEDOUT: the deadline has passed. -EAGAIN, -ENOTCONN: edged takes none now.
 * Else the errors of edge_client_start_infer(). */
int must_check edged_client_infer(struct edged_client *edged, const struct edged_client_run *run,
	edge_client_reply_fn fn, void *data, struct edge_client_error *err);

/* Like edge_client_start_session_open(). */
int must_check edged_client_session_open(struct edged_client *edged, const char *model,
	edge_client_reply_fn fn, void *data, struct edge_client_error *err);
/* Closes the session without waiting for the reply. */
void edged_client_session_close(struct edged_client *edged, uint32_t session);

/* Requests status and models now. */
void edged_client_poll(struct edged_client *edged);

#endif
