/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection - requests that wait for their answers, over one channel
 *
 * What edge_client.h offers, in the project's own terms. A request has a listener: a callback, the
 * outcome of a synchronous call, or nobody (an answer that is no longer wanted).
 */
#ifndef CLIENT_CONNECTION_H
#define CLIENT_CONNECTION_H

#include "base/error.h"
#include "base/wire.h"
#include "client/channel.h"
#include "client/edge_client.h"
#include "client/lane.h"
#include "client/tray.h"

/* What came for one request. */
struct outcome {
	struct error err; /* code 0: answered */
	struct edge_client_list *list;
	struct edge_client_model *model;
	struct edge_client_answer *answer;
	struct edge_client_status status;
	struct edge_client_power power;
	struct edge_client_reload reload;
	uint32_t session, region;
	char *text; /* of STORE */
	struct edge_client_stats *stats;
	void *body; /* of FLIGHT and CONFIG, as it came */
	size_t size;
	bool done;
	bool again; /* refused for what the tray held, which is given back: it may be asked once more */
};

/* Who is told: @fn, or whoever owns @outcome, or with neither nobody. */
struct listener {
	edge_client_reply_fn fn;
	void *data;
	struct outcome *outcome;
};

struct waiting; /* a request without an answer */

struct edge_client {
	struct channel channel;
	struct waiting *waiting;
	size_t n_waiting;
	uint64_t last_id;
	uint32_t spin_us;
	uint32_t stays; /* waits in which it does not give way */
	uint64_t lost_ns; /* that others had meanwhile, less what waits are worth */
	uint64_t gave_ns; /* when it did */
	struct lane lane; /* once there is one: for INFER of synchronous calls */
	uint64_t in_lane; /* id of the last request that went there */
	struct tray tray; /* for INFER of synchronous calls too */
	uint64_t subscription; /* id of its request; 0: none */
	edge_client_models_fn models_fn;
	void *models_data;
	struct error gone; /* code not 0: why the connection answers nothing any more */
	struct edge_client_peer peer;
	char peer_name[64], peer_version[64]; /* escaped */
};

/* @err in the public form, if @ret_err is not NULL. Returns err->code. */
int connection_tell(const struct error *err, struct edge_client_error *ret_err);

/* Sends and receives what can be. A negative errno once the connection is gone: then nobody waits
 * any more. */
int must_check connection_process(struct edge_client *client, struct error *err);

/* Everybody who waits is told @why, or what was the matter before. Returns that error's code. */
int connection_lose(struct edge_client *client, const struct error *why);

/* Who opened the session of this reply has given up meanwhile, and nobody knows its number: closes it. */
int must_check connection_abandon_session(
	struct edge_client *client, const void *body, size_t size, struct error *err);

/* The daemon is older, or was told not to have any: -EOPNOTSUPP. */
int connection_no_sessions(struct error *err);

/* What goes out with a request beside its body. */
struct connection_extra {
	int fd; /* -1: none */
	const struct wire_place *places;
	uint32_t n_places;
	bool lane; /* it may go there, if that is free */
};

/* Queues a request, or asks it in the lane; @body is taken, @header gets its id. The listener is told once
 * when it gave 0. */
int must_check connection_start_header(struct edge_client *client, struct wire_header header,
	struct bytes_writer *body, const struct connection_extra *extra, struct listener listener,
	uint64_t *ret_id, struct error *err);

/* Queues a request; the listener is told once when it gave 0. @body is taken. */
int must_check connection_start(struct edge_client *client, uint16_t type,
	struct bytes_writer *body, struct listener listener, uint64_t *ret_id, struct error *err);

/* The same for each message. */
int must_check connection_start_hello(
	struct edge_client *client, struct listener listener, uint64_t *ret_id, struct error *err);
int must_check connection_start_store(struct edge_client *client, const struct wire_store *store,
	int fd, struct listener listener, uint64_t *ret_id, struct error *err);
/* Whatever is told from then on goes to @fn. */
int must_check connection_start_subscribe(struct edge_client *client, edge_client_models_fn fn,
	void *data, struct listener listener, uint64_t *ret_id, struct error *err);
/* @type: WIRE_LIST, WIRE_STORE_LIST, WIRE_STATUS or WIRE_RELOAD. */
int must_check connection_start_empty(struct edge_client *client, uint16_t type,
	struct listener listener, uint64_t *ret_id, struct error *err);
int must_check connection_start_describe(struct edge_client *client, const char *model,
	const char *version, struct listener listener, uint64_t *ret_id, struct error *err);
/* @model: NULL for none. */
int must_check connection_start_power(struct edge_client *client, const char *model,
	struct listener listener, uint64_t *ret_id, struct error *err);
/* @session: 0 for none. */
int must_check connection_start_infer(struct edge_client *client, uint32_t session,
	const struct edge_client_request *request, struct listener listener, uint64_t *ret_id,
	struct error *err);

int must_check connection_start_session_open(struct edge_client *client, const char *model,
	const char *version, struct listener listener, uint64_t *ret_id, struct error *err);
/* @type: WIRE_SESSION_RESET or WIRE_SESSION_CLOSE. */
int must_check connection_start_session(struct edge_client *client, uint16_t type, uint32_t session,
	struct listener listener, uint64_t *ret_id, struct error *err);

/* @fd is borrowed. */
int must_check connection_start_region_add(struct edge_client *client, int fd,
	const struct wire_region *region, struct listener listener, uint64_t *ret_id,
	struct error *err);
int must_check connection_start_region_remove(struct edge_client *client, uint32_t region,
	struct listener listener, uint64_t *ret_id, struct error *err);

/* Tells the daemon of the ring that @lane is, in @region. */
int must_check connection_start_ring(struct edge_client *client, const struct lane *lane,
	uint32_t region, struct listener listener, uint64_t *ret_id, struct error *err);

/* Asks with an empty body what edgectl alone asks: WIRE_FLIGHT or WIRE_CONFIG. The reply's body is the
 * caller's to free. -EOPNOTSUPP for a daemon before protocol 1.3. */
int must_check connection_ask(struct edge_client *client, uint16_t type, uint32_t timeout_ms,
	void **ret_body, size_t *ret_size, struct error *err);

/* -ENOENT when nobody waits for that request. */
int must_check connection_cancel(struct edge_client *client, uint64_t id, struct error *err);

/* Until the outcome that listens to request @id is filled. Returns outcome->err.code, or -ETIMEDOUT
 * after @timeout_ms (0: never); after that nobody writes to the outcome. */
int must_check connection_wait(struct edge_client *client, uint64_t id,
	const struct outcome *outcome, uint32_t timeout_ms, struct error *err);

#endif
