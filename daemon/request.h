/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - one message from a client, from its header to its answer
 *
 * Owned by exactly one of: the connection that reads it, the dispatcher (dispatch.h), a worker. Its
 * struct and body are one allocation, charged to the client's account before it is made; the body
 * is aligned so that a session can read tensors in place.
 */
#ifndef DAEMON_REQUEST_H
#define DAEMON_REQUEST_H

#include <stdatomic.h>

#include "base/wire.h"
#include "daemon/account.h"
#include "daemon/front.h"
#include "daemon/probation.h"
#include "daemon/region.h"
#include "daemon/served.h"
#include "daemon/slow.h"

struct client_session;
struct client_sessions;
struct store;
struct worker;

/* A body of an INFER is judged after that many bytes: its head is rarely longer. */
#define REQUEST_HEAD_BYTES 2048u

struct request {
	/* Who asked. @peer is NULL once it is gone: nobody is answered. */
	const struct front *front;
	void *peer;
	struct account *account;
	pid_t pid; /* that of the connection */
	uint64_t charged;

	uint16_t type; /* enum wire_type */
	uint16_t flags; /* WIRE_FLAG_* */
	uint64_t id;
	bool by_ring; /* it came in a ring's slot, and its reply goes there */
	int fd; /* that came with REGION_ADD, RING_OPEN or STORE; -1: none */
	uint32_t body_bytes;
	uint8_t *body; /* WIRE_ALIGNMENT */

	/* The dispatcher's list, and the queue's. */
	struct request *next, *prev;
	struct request *queue_next;
	struct queue_line *line;
	struct queue_user *user; /* of the account */
	enum queue_class class;
	int64_t cost_ns; /* that it is expected to take */
	bool waits; /* in its session's line, not in the queue */
	bool again; /* of those that are parked: its turn is to come */
	bool parked; /* until its model is loaded again */
	uint64_t parked_until_ns; /* that it waits at most; 0: it never did */
	bool answered; /* a time-out or cancellation was told; what the worker brings is dropped */
	enum edge_status told; /* then: which */
	uint64_t ended_ns; /* and when */
	uint64_t scan; /* of RELOAD, or the order of STORE: answered when it is done */

	uint64_t received_ns, deadline_ns; /* 0: no deadline */
	uint64_t taken_ns, finished_ns; /* by a worker */
	uint64_t slow_ns; /* slow-request: its steps are timed; 0: they are not */
	struct slow_steps slow;
	atomic_bool cancelled;
	struct team *team; /* that helps the worker which runs it; NULL: nobody */
	struct worker
		*worker; /* that runs it, and may do others between its operators; NULL: the loop */
	uint64_t yielded_ns; /* that others took meanwhile */
	uint64_t cpu_ns; /* that its thread had the CPU meanwhile; 0: served_times_run() said no */

	/* Of a session, once that is found: a reference. */
	uint32_t session_id; /* of the header */
	struct client_session *session;

	/* INFER, once judged: inputs[i].index is resolved, and so are the places in regions. */
	struct served *served;
	uint32_t signature;
	bool planned; /* every input has the shape that was planned at load */
	double scale; /* bytes of its inputs by those planned for */
	uint64_t max_reply; /* bytes of its body */
	bool reshaped; /* some input had another shape than planned: its time says nothing */
	bool nan; /* some output has one, and all inputs are finite; looked for while the model is on trial */

	bool broken; /* the disk did not give a part of the model: the answer is none */

	struct error error; /* code 0: the reply is in @reply */
	struct bytes_writer reply;

	/* Last, and not cleared beyond what is said to be in them: most of these arrays is never used. */
	uint32_t n_regions;
	struct wire_infer infer;
	struct region *regions[2 * WIRE_MAX_TENSORS]; /* a reference for each place in one */
};

/* Whose header was there @now_ns. Charges and allocates. -EAGAIN when the client or edged hold too much already, -ENOMEM. */
int must_check request_new(struct account *account, const struct wire_header *header,
	uint64_t now_ns, struct request **ret_request, struct error *err);
void request_free(struct request *request); /* NULL is fine */
DEFINE_OWNED(struct request *, request_free)

/* What its run took, without what was done between its operators. */
static inline uint64_t request_run_ns(const struct request *request)
{
	return request->finished_ns - request->taken_ns - request->yielded_ns;
}

/* The same without what its thread waited for a CPU, or a disk: of its model alone. 0: it is not known. */
static inline uint64_t request_work_ns(const struct request *request)
{
	const uint64_t run_ns = request_run_ns(request);
	return request->cpu_ns < run_ns ? request->cpu_ns : run_ns;
}

/* What its run, which has ended, says of its model. */
enum probation_fault request_fault(const struct request *request);

/* When it is told that it took too long: at its deadline, and @longest_ms after it came if it is a worker's. */
uint64_t request_due_ns(const struct request *request, uint64_t longest_ms);

/* The class that a header asks for. */
enum queue_class request_class(const struct wire_header *header);

/*
 * Holds an INFER against the model's signature: names, types, shapes, exact bytes, wanted outputs.
 * @bytes: how much of the body is there; less than all judges the head only. 0, 1 when the head is
 * not all there yet or the model is unloaded (dispatch_park()), or an error. The first call that finds the model takes its reference and
 * charges as much of the reply as is known by then: what only the run knows is charged when it is
 * there. Sessions and regions are looked for in @sessions and @regions. @max_body: bytes that a
 * reply may have.
 */
int must_check request_judge(struct request *request, const struct store *store,
	const struct client_sessions *sessions, const struct regions *regions, uint32_t bytes,
	uint64_t max_body, struct error *err);

#endif
