/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - one message from a client, from its header to its answer
 *
 * A request is owned by the connection that reads it, then by the dispatcher (dispatch.h); while a
 * worker runs it only the worker may touch most of its fields. The struct and the body are one
 * allocation, charged to the client's account before it is made. The body is aligned so that a
 * session can read tensors in place.
 */
#ifndef DAEMON_EDGED_SERVE_REQUEST_H
#define DAEMON_EDGED_SERVE_REQUEST_H

#include <stdatomic.h>

#include "base/wire/wire.h"
#include "daemon/edged/model/loaded_model.h"
#include "daemon/edged/models/probation.h"
#include "daemon/edged/serve/account.h"
#include "daemon/edged/serve/region.h"

struct client_session;
struct client_sessions;
struct models;
struct team;
struct worker;

/* An INFER is validated as soon as its first so many bytes have arrived: its head, which names the
 * model and the tensors, is rarely longer. Thus a large request is refused before it is read. */
#define REQUEST_HEAD_BYTES 2048u
#define REQUEST_SLOW_STEPS 4

/* In all states but READING and DONE the request is in the dispatcher's list. */
enum request_state {
	REQUEST_READING, /* its connection reads it, or the loop handles it */
	REQUEST_PARKED, /* until its model is loaded */
	REQUEST_SESSION_WAIT, /* until its session's earlier requests have ended */
	REQUEST_QUEUED, /* in the scheduler's queue */
	REQUEST_RUNNING, /* a worker or the loop itself (inline run) runs it */
	REQUEST_RUNNING_ANSWERED, /* it still runs, but its client was answered or is gone */
	REQUEST_LOADER_WAIT, /* RELOAD and STORE, until the loader's thread has done them */
	REQUEST_DONE, /* out of the list; about to be freed */
};

/* The client that sent a request. */
struct request_client {
	void *conn; /* struct conn, which this folder does not know */
	struct account *account;
	pid_t pid; /* process id of the connection's client */
	bool by_ring; /* it came through the ring; the reply goes through the ring */
	uint64_t charged; /* bytes, for the request and the known part of its reply */
};

/* One run, written by the thread that runs it. */
struct request_run {
	uint64_t started_ns, finished_ns; /* begin and end on clock_now_ns(); 0: not yet */
	uint64_t yielded_ns; /* time that the worker gave to more urgent requests during the run */
	uint64_t cpu_ns; /* CPU time of its thread during the run; 0: not measured */
	atomic_bool cancelled;
	struct team *team; /* helper threads of the run; NULL: none */
	struct worker *worker; /* worker of the run; NULL: the loop */
	bool inputs_resized; /* an input had another shape than planned: the time is not learned */
	bool has_nan; /* an output has NaN, but all inputs are finite; checked during a trial */
	bool model_read_error; /* a page of the model's file could not be read: no result */
	uint64_t slow_ns; /* option slow-request; 0: steps are not timed */
	/* the slowest nodes, slowest first */
	uint32_t n_steps;
	struct {
		uint32_t node; /* index in the signature's subgraph */
		uint64_t ns;
	} steps[REQUEST_SLOW_STEPS];
};

struct request {
	struct queue_item
		item; /* link of the queue or of its session's waiting list; first member */
	struct request *next, *prev; /* links of the dispatcher's list */
	_Atomic(enum request_state) state; /* changed by request_enter() alone */
	struct request_client client;

	uint16_t type; /* enum wire_type */
	uint16_t flags; /* WIRE_FLAG_* */
	uint64_t id; /* chosen by the client */
	int fd; /* descriptor of a REGION_ADD, RING_OPEN or STORE; -1: none */
	uint32_t body_bytes;
	uint8_t *body; /* aligned to WIRE_ALIGNMENT */
	uint64_t received_ns, deadline_ns; /* on clock_now_ns(); deadline 0: none */

	uint64_t parked_until_ns; /* latest end of the wait for the model; 0: never parked */
	uint64_t wait_for_number; /* RELOAD: scan to wait for; STORE: number of its store command */
	struct {
		enum edge_status status;
		uint64_t ns; /* on clock_now_ns() */
	} answered; /* what the client got; in state RUNNING_ANSWERED */
	struct request_run run;

	/* Requests of a session. */
	uint32_t session_id; /* session id in the header; 0: none */
	struct client_session *session;

	/* Set by request_validate() for INFER, together with @infer and @regions. */
	struct loaded_model *loaded;
	uint32_t signature;
	bool planned; /* every input has the shape that was planned when the model was loaded */
	double input_size_ratio; /* bytes of its inputs / planned bytes: the run time grows with it */
	uint64_t max_reply; /* limit of the reply's body, in bytes */

	struct error error; /* code 0: @reply has the reply */
	struct bytes_writer reply;

	/* Must stay last: request_new() does not clear from infer.places on. */
	uint32_t n_regions;
	struct wire_infer infer;
	/* @n_regions references, one per tensor in a region */
	struct region *regions[2 * WIRE_MAX_TENSORS];
};

/* The request of @item; NULL for NULL. */
static inline struct request *request_of(struct queue_item *item)
{
	return (struct request *)item;
}

/* A worker changes QUEUED to RUNNING at any time: without the scheduler's lock, the answer QUEUED
 * may be out of date. */
static inline enum request_state request_state(const struct request *request)
{
	return atomic_load_explicit(&request->state, memory_order_relaxed);
}

/* True when a request in @from may enter @to. */
bool request_may_enter(enum request_state from, enum request_state to);
/* Changes the state; asserts that it may. Loop thread, but for QUEUED to RUNNING, which is a
 * worker's, under the scheduler's lock (sched.h). */
void request_enter(struct request *request, enum request_state state);

/* Allocates and charges a request whose header came at @now_ns. -EAGAIN when the client or edged
 * hold too many bytes already, -ENOMEM. */
int must_check request_new(struct account *account, const struct wire_header *header,
	uint64_t now_ns, struct request **ret_request, struct error *err);
void request_free(struct request *request); /* NULL is fine */
DEFINE_OWNED(struct request *, request_free)

/* The run time in ns without more urgent requests that ran in between. */
static inline uint64_t request_run_ns(const struct request *request)
{
	const struct request_run *run = &request->run;
	return run->finished_ns - run->started_ns - run->yielded_ns;
}

/* The run time in ns without waits for a CPU or a disk. 0: not measured. */
static inline uint64_t request_cpu_ns(const struct request *request)
{
	const uint64_t run_ns = request_run_ns(request);
	return request->run.cpu_ns < run_ns ? request->run.cpu_ns : run_ns;
}

/* How a trial counts the run of @request, which has ended. */
enum probation_outcome request_trial_outcome(const struct request *request);

/* When the client is answered DEADLINE: at the request's deadline, and for requests that wait for
 * a worker or run at most @answer_timeout_ms after the request came. UINT64_MAX: never. */
uint64_t request_due_ns(const struct request *request, uint64_t answer_timeout_ms);

enum queue_class request_class(const struct wire_header *header);

/* The buffer in the client's region into which @output is written; NULL: it goes into the reply. */
const struct wire_place *request_output_buffer(const struct wire_infer *infer, unsigned int output);

/*
 * Validates an INFER against the model's signature: names, types, shapes, sizes, wanted outputs.
 *
 * @bytes: how many bytes of the body have arrived. If not all, only the head is validated. Returns
 * 0; 1 when the head is not complete or the model is unloaded (dispatch_park()); or an error. The first call that
 * finds the model takes a reference and charges the known part of the reply; sizes known only after
 * the run are charged then. Sessions and regions are looked up in @sessions and @regions.
 * @max_body: limit of the reply's body in bytes.
 */
int must_check request_validate(struct request *request, const struct models *models,
	const struct client_sessions *sessions, const struct regions *regions, uint32_t bytes,
	uint64_t max_body, struct error *err);

#endif
