/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service - the connection to edged, an ordinary client's
 *
 * Opened in another thread, because greeting waits; then driven by the loop. When edged is away every
 * request that it had is told so, and the service tries again until it is back. Every poll_ms it asks
 * what models there are, and describes those that have changed, or may have: each edged counts generations
 * from the beginning. A restart takes less than SERVICE_AWAY_NS: what is longer is told as being away.
 */
#ifndef DAEMON_MQTT_SERVICE_H
#define DAEMON_MQTT_SERVICE_H

#include <uv.h>

#include "base/log.h"
#include "client/edge_client.h"
#include "daemon/mqtt/models.h"

#define SERVICE_YOUNG_US UINT64_C(5000000)
#define SERVICE_AWAY_NS UINT64_C(5000000000)

struct service_events {
	void (*on_up)(void *data);
	void (*on_down)(void *data); /* after every request was told */
	void (*on_away)(void *data); /* service_is_away() from now on */
	void (*on_models)(void *data); /* something about the models is news */
	/* A model has been described, borrowed; on_models follows. */
	void (*on_description)(void *data, const struct edge_client_model *model);
	/* It has other examples, borrowed; a description that is news follows. */
	void (*on_examples)(void *data, const char *model, const char *text);
};

struct service_socket;
struct service_open;

struct service {
	uv_loop_t *loop;
	const struct log *log;
	const char *path; /* of the socket */
	uint64_t poll_ms;
	struct models *models;
	const struct service_events *events;
	void *data;

	struct edge_client *client; /* NULL: away */
	struct service_socket *socket; /* what the loop watches */
	struct service_open *opening; /* the other thread is at it */
	uv_timer_t timer;
	bool stopping, polling, said;
	bool full; /* edged has more models than there is room for, which was said */
	uint64_t gone_ns; /* no list has come since; 0: it is here */
	bool away; /* for so long that it was told */
	struct edge_client_status status; /* of the last poll */
	uint64_t run_us, queue_us; /* moving means of our own requests */
};

void service_start(struct service *service, uv_loop_t *loop, const struct log *log,
	const char *path, uint64_t poll_ms, struct models *models,
	const struct service_events *events, void *data);
/* Handles close with the loop's turns. */
void service_stop(struct service *service);

static inline bool service_is_up(const struct service *service)
{
	return service->client;
}

/* Not for a moment: until a list of its models comes. */
static inline bool service_is_away(const struct service *service)
{
	return service->away;
}

/* It has begun a moment ago, as far as we know: its list may not be whole. */
static inline bool service_is_young(const struct service *service)
{
	return service->status.uptime_us < SERVICE_YOUNG_US;
}

/* As edge_client_start_infer(). */
int must_check service_infer(struct service *service, const struct edge_client_request *request,
	edge_client_reply_fn fn, void *data, uint64_t *ret_id, struct edge_client_error *err);

/* As edge_client_start_session_open() and edge_client_start_session_infer(). */
int must_check service_session_open(struct service *service, const char *model,
	edge_client_reply_fn fn, void *data, struct edge_client_error *err);
int must_check service_session_infer(struct service *service, uint32_t session,
	const struct edge_client_request *request, edge_client_reply_fn fn, void *data,
	struct edge_client_error *err);
/* Nobody waits for its end. */
void service_session_close(struct service *service, uint32_t session);

/* Asks now rather than when it is time. */
void service_poll(struct service *service);

#endif
