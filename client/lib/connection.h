/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection - requests and their replies over one channel
 *
 * Implements edge_client.h with the project's own types. Each request has a listener: a callback,
 * the outcome of a synchronous call, or none when its caller has given up.
 */
#ifndef CLIENT_LIB_CONNECTION_H
#define CLIENT_LIB_CONNECTION_H

#include "base/error.h"
#include "base/wire/wire.h"
#include "client/lib/channel.h"
#include "client/lib/edge_client.h"
#include "client/lib/input_region.h"
#include "client/lib/ring_client.h"

/* The decoded reply to one request. */
struct outcome {
	struct error err; /* code 0: success */
	struct edge_client_list *list;
	struct edge_client_model *model;
	struct edge_client_answer *answer;
	struct edge_client_status status;
	struct edge_client_power power;
	struct edge_client_reload reload;
	uint32_t session, region;
	char *text; /* of STORE */
	struct edge_client_stats *stats;
	void *body; /* of FLIGHT and CONFIG, undecoded */
	size_t size;
	bool done;
	/* refused because of the bytes held by the input region, which is now given back: retry
	 * once */
	bool retry;
};

/* Receiver of a reply: @fn, or the owner of @outcome. Both NULL: the reply is dropped. */
struct listener {
	edge_client_reply_fn fn;
	void *data;
	struct outcome *outcome;
};

struct waiting; /* a request without a reply */

struct edge_client {
	struct channel channel;
	struct waiting *waiting;
	size_t n_waiting;
	uint64_t last_id;
	uint32_t spin_us;
	uint32_t waits_without_yield; /* synchronous waits left before the next sched_yield() */
	/* CPU time lost to other programs by sched_yield(), less FORGIVEN_NS for each wait, in ns */
	uint64_t lost_ns;
	uint64_t yielded_ns; /* time of the last sched_yield(), in ns */
	/* ring for INFER of synchronous calls, once edge_client_use_ring() was called */
	struct ring_client ring;
	uint64_t in_ring; /* id of the last request sent through the ring */
	struct input_region input_region; /* for INFER of synchronous calls */
	struct outcome *adding; /* receives the reply to its REGION_ADD; NULL: none is expected */
	uint64_t subscription; /* id of the SUBSCRIBE request; 0: none */
	edge_client_models_fn models_fn;
	void *models_data;
	struct error gone; /* code not 0: why the connection is lost */
	struct edge_client_peer peer;
	char peer_name[64], peer_version[64]; /* control characters are escaped */
};

/* As edge_client_events(). */
short connection_events(const struct edge_client *client);

/* Sends and receives without blocking. A negative errno: the connection is lost, and every
 * request has been answered with the error. */
int must_check connection_process(struct edge_client *client, struct error *err);

/* Answers every request with the error @why, or with an earlier error that ended the connection.
 * Returns the code of this error. */
int connection_lose(struct edge_client *client, const struct error *why);

/* Closes the session named in @body: its SESSION_OPEN timed out, so no caller knows the session. */
int must_check connection_abandon_session(
	struct edge_client *client, const void *body, size_t size, struct error *err);

/* Parts of a request beside its body. */
struct connection_extra {
	int fd; /* descriptor to send; -1: none */
	const struct wire_place *places;
	uint32_t n_places;
	bool ring; /* the request may go through the ring, if the ring is free */
};

/* Queues a request, or submits it through the ring. Takes @body. Fills in the id of @header. On
 * success the listener is called exactly once. */
int must_check connection_start_header(struct edge_client *client, struct wire_header header,
	struct bytes_writer *body, const struct connection_extra *extra, struct listener listener,
	uint64_t *ret_id, struct error *err);

/* The contents of a request. Members that its type does not have are ignored. */
struct call {
	uint16_t type; /* enum wire_type */
	const char *model, *version; /* NULL: none */
	uint32_t session, region; /* 0: none */
	const struct edge_client_request *infer;
	const struct wire_store *store;
	uint64_t bytes; /* REGION_ADD: size, and enum wire_region_use */
	unsigned int uses;
	int fd; /* borrowed; sent with STORE and REGION_ADD; STORE: -1: none */
	const struct ring_client *ring; /* RING_OPEN: the ring that is in @region */
	edge_client_models_fn models_fn; /* SUBSCRIBE: gets all later events */
	void *models_data;
};

/* Queues a request as connection_start_header() does. -EOPNOTSUPP: the daemon's version or configuration
 * does not have it. */
int must_check connection_start_call(struct edge_client *client, const struct call *call,
	struct listener listener, uint64_t *ret_id, struct error *err);

/* Sends the request and waits as connection_wait() does. Repeats it once if that can succeed. */
int must_check connection_call(struct edge_client *client, const struct call *call,
	uint32_t timeout_ms, struct outcome *outcome, struct error *err);

/* Sends REGION_REMOVE for the input region @id at once; 0: sends nothing. */
void connection_remove_input_region(struct edge_client *client, uint32_t id);
/* Evaluates the reply to REGION_ADD of the input region, if it is there. */
void connection_finish_input_region(struct edge_client *client);

/* Sends @type, WIRE_FLIGHT or WIRE_CONFIG, with an empty body and waits for the reply. The
 * caller frees *ret_body. -EOPNOTSUPP: the daemon is older than protocol 1.3. */
int must_check connection_ask(struct edge_client *client, uint16_t type, uint32_t timeout_ms,
	void **ret_body, size_t *ret_size, struct error *err);

/* -ENOENT: no open request has this id. */
int must_check connection_cancel(struct edge_client *client, uint64_t id, struct error *err);

/* Waits until request @id has filled @outcome. Returns outcome->err.code, or -ETIMEDOUT after
 * @timeout_ms (0: never). After the return nothing is written to @outcome. */
int must_check connection_wait(struct edge_client *client, uint64_t id,
	const struct outcome *outcome, uint32_t timeout_ms, struct error *err);

#endif
