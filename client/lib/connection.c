/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lib/connection.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>

#include "base/clock.h"
#include "client/lib/client_error.h"
#include "client/lib/replies.h"

#define MAX_WAITING 4096 /* most requests without a reply */
/* most frames handled in one call, so that a busy connection does not hold up the event loop */
#define FRAMES_PER_CALL 64
/* sched_yield() returns within this time if edged ran, not another program */
#define YIELD_NS 50000
/* synchronous waits without sched_yield() after one that brought no reply */
#define WAITS_WITHOUT_YIELD 255
#define FORGIVEN_NS 500 /* lost time forgiven for each wait */
#define MAX_LOST_NS 10000000 /* without sched_yield() while more time than this was lost */
#define RING_CLIENT_NAP_NS (50 * NSEC_PER_MSEC) /* sleep between checks of the socket */

struct waiting {
	struct waiting *next;
	uint64_t id;
	uint16_t type; /* enum wire_type */
	struct listener listener;
	uint32_t n_places;
	struct wire_place places[]; /* of INFER: places where outputs may be written */
};

static void outcome_deinit(struct outcome *outcome)
{
	edge_client_list_free(outcome->list);
	free(outcome->text);
	edge_client_model_free(outcome->model);
	edge_client_answer_free(outcome->answer);
	edge_client_stats_free(outcome->stats);
	free(outcome->body);
}

/* ---- replies are matched to requests */

static void unlink_waiting(struct edge_client *client, const struct waiting *waiting)
{
	for (struct waiting **at = &client->waiting; *at; at = &(*at)->next) {
		if (*at == waiting) {
			*at = waiting->next;
			client->n_waiting--;
			return;
		}
	}
}

static struct waiting *find_waiting(struct edge_client *client, uint64_t id)
{
	struct waiting *waiting = client->waiting;
	while (waiting && waiting->id != id) {
		waiting = waiting->next;
	}
	return waiting;
}

static void call_back(const struct waiting *waiting, const struct outcome *outcome)
{
	struct edge_client_reply reply = {.id = waiting->id};
	client_error_copy(&outcome->err, &reply.error);
	if (outcome->err.code == 0) {
		reply.list = outcome->list;
		reply.model = outcome->model;
		reply.answer = outcome->answer;
		reply.status = waiting->type == WIRE_STATUS ? &outcome->status : NULL;
		reply.reload = waiting->type == WIRE_RELOAD ? &outcome->reload : NULL;
		reply.session = outcome->session;
		reply.text = outcome->text;
	}
	waiting->listener.fn(waiting->listener.data, &reply);
}

/* Removes @waiting from the list and calls its listener. Takes @outcome. */
static void deliver(struct edge_client *client, struct waiting *waiting, struct outcome *outcome)
{
	unlink_waiting(client, waiting);
	if (client->input_region.request == waiting->id) {
		client->input_region.request = 0;
	}
	if (waiting->listener.outcome) {
		outcome->done = true;
		*waiting->listener.outcome = *outcome;
		*outcome = (struct outcome){0};
		connection_finish_input_region(client);
	} else if (waiting->listener.fn) {
		call_back(waiting, outcome);
	}
	outcome_deinit(outcome);
	free(waiting);
}

int connection_lose(struct edge_client *client, const struct error *why)
{
	if (client->gone.code == 0) {
		client->gone = *why;
	}
	while (client->waiting) {
		struct outcome outcome = {.err = client->gone};
		deliver(client, client->waiting, &outcome);
	}
	return client->gone.code;
}

/* Checks that outputs are only in the places that the request named. */
static int check_places(
	const struct waiting *waiting, const struct edge_client_answer *answer, struct error *err)
{
	for (uint32_t i = 0; i < answer->n_outputs; i++) {
		const struct edge_client_tensor *output = &answer->outputs[i];
		bool found = output->region == 0;
		for (uint32_t k = 0; k < waiting->n_places && !found; k++) {
			const struct wire_place *place = &waiting->places[k];
			found = place->output == output->index && place->region == output->region &&
				place->offset == output->offset && output->bytes <= place->room;
		}
		if (!found) {
			return error_set(err, -EPROTO, "INFER: output %u is not in its place", i);
		}
	}
	return 0;
}

/* *body is NULL afterwards if it was taken. */
static int decode_answer(const struct waiting *waiting, const struct wire_header *header,
	void **body, struct outcome *outcome, struct error *err)
{
	int r = replies_answer(*body, header->body_bytes, header->flags, &outcome->answer, err);
	*body = r == 0 ? NULL : *body;
	return r < 0 ? r : check_places(waiting, outcome->answer, err);
}

/* *body is NULL afterwards if it was taken. */
static int decode_reply(const struct waiting *waiting, const struct wire_header *header,
	void **body, struct outcome *outcome, struct error *err)
{
	const size_t size = header->body_bytes;
	const uint16_t type = waiting->type;
	switch (type) {
	case WIRE_LIST:
	case WIRE_STORE_LIST:
		return replies_list(*body, size, type, &outcome->list, err);
	case WIRE_STORE:
		return replies_store(*body, size, &outcome->text, err);
	case WIRE_DESCRIBE:
		return replies_model(*body, size, &outcome->model, err);
	case WIRE_INFER:
		return decode_answer(waiting, header, body, outcome, err);
	case WIRE_STATUS:
		return replies_status(*body, size, &outcome->status, err);
	case WIRE_STATS:
		return replies_stats(*body, size, &outcome->stats, err);
	case WIRE_POWER:
		return replies_power(*body, size, &outcome->power, err);
	case WIRE_RELOAD:
		return replies_reload(*body, size, &outcome->reload, err);
	case WIRE_FLIGHT:
	case WIRE_CONFIG:
		outcome->body = *body;
		outcome->size = size;
		*body = NULL;
		return 0;
	case WIRE_SESSION_OPEN:
		return replies_session(*body, size, &outcome->session, err);
	case WIRE_REGION_ADD:
		return wire_region_decode(*body, size, type, &outcome->region, err);
	/* CANCEL, SESSION_RESET, SESSION_CLOSE, REGION_REMOVE, RING_OPEN: the reply is empty */
	default:
		return size == 0
			? 0
			: error_set(err, -EPROTO, "%s: a reply with a body", wire_type_name(type));
	}
}

static int read_hello(struct edge_client *client, const void *body, size_t size, struct error *err)
{
	struct wire_hello_reply hello = {0};
	int r = wire_hello_reply_decode(body, size, &hello, err);
	if (r < 0) {
		return r;
	}
	if (hello.major != WIRE_MAJOR) {
		return error_set(err, -EPROTO, "the daemon speaks version %u.%u of the protocol",
			hello.major, hello.minor);
	}
	error_escape(
		client->peer_name, sizeof(client->peer_name), hello.name.data, hello.name.length);
	error_escape(client->peer_version, sizeof(client->peer_version), hello.version.data,
		hello.version.length);
	client->peer = (struct edge_client_peer){.name = client->peer_name,
		.version = client->peer_version,
		.protocol_major = hello.major,
		.protocol_minor = hello.minor,
		.max_body_bytes = hello.max_body,
		.max_in_flight = hello.max_in_flight,
		.max_tensors = hello.max_tensors,
		.max_sessions = hello.capabilities & WIRE_CAP_SESSIONS ? hello.max_sessions : 0,
		.has_regions = (hello.capabilities & WIRE_CAP_SHARED_MEMORY) != 0,
		.has_store = (hello.capabilities & WIRE_CAP_ADMIN) != 0,
		.has_events = (hello.capabilities & WIRE_CAP_STREAMS) != 0,
		.has_rings = (hello.capabilities & WIRE_CAP_RINGS) != 0};
	return 0;
}

/* Handles a frame that answers no request. The daemon sends one when it could not read a header. */
static int refuse_unexpected(const struct wire_header *header, const void *body, struct error *err)
{
	if (header->type == WIRE_REPLY && header->id == 0 && header->status != EDGE_OK) {
		wire_error_decode(body, header->body_bytes, header->status, err);
		error_prefix(err, "the daemon");
		err->code = -EPROTO;
		return -EPROTO;
	}
	return error_set(err, -EPROTO, "a frame of type 0x%04x with id %llu that nobody asked for",
		header->type, (unsigned long long)header->id);
}

/* Passes an event to the subscriber. */
static int deliver_event(
	struct edge_client *client, const void *body, size_t size, struct error *err)
{
	struct edge_client_list *list = NULL;
	int r = replies_list(body, size, WIRE_EVENT, &list, err);
	if (r == 0) {
		client->models_fn(client->models_data, list);
		edge_client_list_free(list);
	}
	return r == -ENOMEM ? 0 : r;
}

/* Handles one frame. A negative errno: the peer broke the protocol. */
static int dispatch(struct edge_client *client, const struct wire_header *header, void **body,
	struct error *err)
{
	struct outcome outcome = {0};
	struct waiting *waiting = find_waiting(client, header->id);
	if (!*body) { /* no memory for the body: an error of the request, not of the connection */
		error_set(&outcome.err, -ENOBUFS, "no memory for the answer");
		if (waiting) {
			deliver(client, waiting, &outcome);
		}
		return 0;
	}
	if (header->type == (WIRE_EVENT | WIRE_REPLY) && client->subscription != 0 &&
		header->id == client->subscription && header->status == EDGE_OK) {
		return deliver_event(client, *body, header->body_bytes, err);
	}
	if (!waiting || header->type != (waiting->type | WIRE_REPLY)) {
		return refuse_unexpected(header, *body, err);
	}
	int r = 0;
	if (header->status != EDGE_OK) {
		wire_error_decode(*body, header->body_bytes, header->status, &outcome.err);
		outcome.err.retry_after_us = header->deadline_us;
		/* A daemon that is short of time sends retry_after_us, a daemon that is short of
		 * bytes sends 0. */
		if (outcome.err.code == -EAGAIN && outcome.err.retry_after_us == 0) {
			connection_remove_input_region(
				client, input_region_refused(&client->input_region));
			outcome.retry = waiting->id <= client->input_region.removed_at;
		}
	} else if (waiting->type == WIRE_HELLO) {
		r = read_hello(client, *body, header->body_bytes, err);
	} else if (waiting->listener.fn || waiting->listener.outcome) {
		r = decode_reply(waiting, header, body, &outcome, err);
	} else if (waiting->type == WIRE_SESSION_OPEN) {
		r = connection_abandon_session(client, *body, header->body_bytes, err);
	}
	if (r == -ENOMEM) { /* an error of the request, not of the connection */
		error_set(&outcome.err, -ENOBUFS, "no memory for the answer");
		r = 0;
	}
	if (r < 0) {
		outcome_deinit(&outcome);
		return r;
	}
	deliver(client, waiting, &outcome);
	return 0;
}

/* Parses all received bytes: poll() does not report bytes in the channel's memory. */
static int receive_frames(
	struct edge_client *client, const struct outcome *until, struct error *err)
{
	int r = 0;
	for (int i = 0; r == 0 && client->gone.code == 0; i++) {
		struct wire_header header = {0};
		bool enough = i >= FRAMES_PER_CALL || (until && until->done);
		if (enough && !channel_has_more(&client->channel)) {
			break;
		}
		owned_mem void *body = NULL;
		r = channel_receive(&client->channel, &header, &body, err);
		if (r <= 0) {
			break;
		}
		r = dispatch(client, &header, &body, err);
	}
	return r;
}

static int lost(struct edge_client *client, int r, struct error *err)
{
	if (client->gone.code) {
		*err = client->gone;
		return err->code;
	}
	return r < 0 ? connection_lose(client, err) : 0;
}

short connection_events(const struct edge_client *client)
{
	return (short)(POLLIN | (channel_wants_to_send(&client->channel) ? POLLOUT : 0));
}

static int send_frames(struct edge_client *client, struct error *err)
{
	return lost(client, client->gone.code ? 0 : channel_send(&client->channel, err), err);
}

int connection_process(struct edge_client *client, struct error *err)
{
	int r = send_frames(client, err);
	return r < 0 ? r : lost(client, receive_frames(client, NULL, err), err);
}

/* ---- requests */

int connection_start_header(struct edge_client *client, struct wire_header header,
	struct bytes_writer *body, const struct connection_extra *extra, struct listener listener,
	uint64_t *ret_id, struct error *err)
{
	const size_t size = sizeof(struct waiting) + extra->n_places * sizeof(extra->places[0]);
	owned_mem struct waiting *waiting = NULL;
	int r = 0;
	if (client->gone.code) {
		*err = client->gone;
		r = err->code;
	} else if (client->n_waiting >= MAX_WAITING) {
		r = error_set(err, -EAGAIN, "%zu requests wait for an answer", client->n_waiting);
	} else if (client->peer.max_body_bytes && body->size > client->peer.max_body_bytes) {
		r = error_set(err, -EFBIG, "a message of %zu bytes, the daemon takes %u",
			body->size, client->peer.max_body_bytes);
	} else if (!(waiting = malloc(size))) {
		r = error_no_memory(err);
	}
	if (r < 0) {
		bytes_writer_deinit(body);
		return r;
	}
	header.id = client->last_id + 1;
	header.body_bytes = (uint32_t)body->size;
	if (extra->ring && !body->failed && ring_client_takes(&client->ring, body->size)) {
		ring_client_request(&client->ring, &header, body);
		client->in_ring = header.id;
		bytes_writer_deinit(body);
	} else {
		r = channel_queue(&client->channel, &header, body, extra->fd, err);
	}
	if (r < 0) {
		return r;
	}
	client->last_id = header.id;
	*waiting = (struct waiting){.next = client->waiting,
		.id = header.id,
		.type = header.type,
		.listener = listener,
		.n_places = extra->n_places};
	if (extra->n_places > 0) {
		memcpy(waiting->places, extra->places, extra->n_places * sizeof(extra->places[0]));
	}
	client->waiting = take(waiting);
	client->n_waiting++;
	*ret_id = header.id;
	return 0;
}

int connection_cancel(struct edge_client *client, uint64_t id, struct error *err)
{
	const struct waiting *waiting = find_waiting(client, id);
	struct bytes_writer body = {0};
	uint64_t own_id = 0;
	if (!waiting || !(waiting->listener.fn || waiting->listener.outcome)) {
		return error_set(
			err, -ENOENT, "request %llu is not waiting", (unsigned long long)id);
	}
	wire_cancel_encode(&body, id);
	return connection_start_header(client, (struct wire_header){.type = WIRE_CANCEL}, &body,
		&(struct connection_extra){.fd = -1}, (struct listener){0}, &own_id, err);
}

/* ---- synchronous calls */

static bool waits_for_worker(uint16_t type)
{
	return type == WIRE_INFER || type == WIRE_SESSION_OPEN || type == WIRE_SESSION_RESET;
}

/* Detaches the outcome of a caller that timed out: the reply will be dropped. */
static int give_up(struct edge_client *client, uint64_t id, struct error *err)
{
	struct waiting *waiting = find_waiting(client, id);
	struct error ignored = {0};
	if (waiting && waits_for_worker(waiting->type) &&
		connection_cancel(client, id, &ignored) == 0) {
		int r = channel_send(&client->channel, &ignored);
		(void)r; /* the next call reports a lost connection */
	}
	if (waiting) {
		waiting->listener.outcome = NULL;
	}
	return error_set(err, -ETIMEDOUT, "no answer in time");
}

/* Returns the milliseconds until @end_ns, rounded up; -1 for 0, which means never. */
static int poll_time(uint64_t end_ns)
{
	uint64_t now = clock_now_ns();
	if (end_ns == 0) {
		return -1;
	}
	uint64_t ms = (clock_left_ns(end_ns, now) + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* Handles the reply in the ring, if there is one. */
static int receive_ring(struct edge_client *client, struct error *err)
{
	struct wire_header header = {0};
	owned_mem void *body = NULL;
	if (!ring_client_is_busy(&client->ring) || !ring_client_has_answer(&client->ring)) {
		return 0;
	}
	int r = ring_client_take(&client->ring, &header, &body, err);
	return r <= 0 ? r : dispatch(client, &header, &body, err);
}

/* True while the ring is expected to receive the reply to @id. */
static bool ring_holds(const struct edge_client *client, uint64_t id, const struct outcome *outcome)
{
	return client->in_ring == id && ring_client_is_busy(&client->ring) && !outcome->done &&
		client->gone.code == 0;
}

/*
 * Calls sched_yield() if that is likely to bring the reply. If edged runs on this CPU core,
 * sched_yield() lets it run at once, which is faster than a sleep and a wakeup. If edged runs on
 * another core, or another program gets this core, sched_yield() is useless and is tried again
 * only after WAITS_WITHOUT_YIELD waits.
 */
static bool yield_cpu(struct edge_client *client)
{
	if (client->lost_ns > FORGIVEN_NS) {
		client->lost_ns -= FORGIVEN_NS;
	}
	if (client->waits_without_yield > 0 || client->lost_ns > MAX_LOST_NS) {
		client->waits_without_yield -= client->waits_without_yield > 0;
		return false;
	}
	client->yielded_ns = clock_now_ns();
	sched_yield();
	return true;
}

/* Yields again if the first yield returned quickly: the scheduler may have preferred this thread
 * because edged had yielded more often. */
static void yield_again(const struct edge_client *client)
{
	if (clock_now_ns() - client->yielded_ns < YIELD_NS) {
		sched_yield();
	}
}

static void yield_record(struct edge_client *client, bool answered)
{
	const uint64_t took_ns = clock_now_ns() - client->yielded_ns;
	client->lost_ns += took_ns < YIELD_NS ? 0 : took_ns;
	client->waits_without_yield = answered ? 0 : WAITS_WITHOUT_YIELD;
}

static void ring_busy_poll(const struct edge_client *client)
{
	const uint64_t end_ns = client->spin_us ? clock_now_ns() + client->spin_us * 1000 : 0;
	while (!ring_client_has_answer(&client->ring) && end_ns && clock_now_ns() < end_ns) {}
}

/* Waits for the reply to @id while the ring has the request. Sleeps are short and the socket is
 * checked in between, because a daemon that has ended wakes nobody. Without such a request only
 * a late reply of an earlier request is taken from the ring. */
static int wait_at_ring(struct edge_client *client, uint64_t id, const struct outcome *outcome,
	uint64_t end_ns, struct error *err)
{
	if (ring_holds(client, id, outcome)) {
		ring_busy_poll(client);
	}
	if (ring_holds(client, id, outcome) && !ring_client_has_answer(&client->ring) &&
		yield_cpu(client)) {
		if (!ring_client_has_answer(&client->ring)) {
			yield_again(client);
		}
		yield_record(client, ring_client_has_answer(&client->ring));
	}
	int r = receive_ring(client, err);
	while (r == 0 && ring_holds(client, id, outcome)) {
		const uint64_t now = clock_now_ns();
		if (end_ns && now >= end_ns) {
			return -ETIMEDOUT;
		}
		const uint64_t left = end_ns ? clock_left_ns(end_ns, now) : RING_CLIENT_NAP_NS;
		ring_client_sleep(
			&client->ring, left < RING_CLIENT_NAP_NS ? left : RING_CLIENT_NAP_NS);
		r = receive_ring(client, err);
		r = r < 0 || outcome->done ? r : receive_frames(client, outcome, err);
	}
	return lost(client, r, err);
}

/* Receives for up to spin_us, or until @outcome is done. */
static int busy_poll(struct edge_client *client, const struct outcome *outcome, struct error *err)
{
	const uint64_t end_ns = client->spin_us ? clock_now_ns() + client->spin_us * 1000 : 0;
	int r = 0;
	while (r == 0 && !outcome->done && clock_now_ns() < end_ns) {
		r = receive_frames(client, outcome, err);
	}
	return lost(client, r, err);
}

/* Blocks until the socket is ready. -ETIMEDOUT at @end_ns. With @first_ms and nothing to send,
 * the next receive blocks instead of poll(). */
static int wait_for_bytes(struct edge_client *client, uint32_t first_ms, uint64_t end_ns)
{
	struct pollfd ready = {client->channel.fd, connection_events(client), 0};
	if (first_ms && !(ready.events & POLLOUT) && channel_wait(&client->channel, first_ms)) {
		return 0;
	}
	int time = poll_time(end_ns);
	if (time == 0) {
		return -ETIMEDOUT;
	}
	return poll(&ready, 1, time) < 0 && errno != EINTR ? -errno : 0;
}

int connection_wait(struct edge_client *client, uint64_t id, const struct outcome *outcome,
	uint32_t timeout_ms, struct error *err)
{
	uint64_t end_ns = timeout_ms ? clock_now_ns() + timeout_ms * NSEC_PER_MSEC : 0;
	int r = 0;
	for (bool first = true; r == 0 && !outcome->done; first = false) {
		r = send_frames(client, err);
		r = r < 0 ? r : wait_at_ring(client, id, outcome, end_ns, err);
		if (r == -ETIMEDOUT) {
			return give_up(client, id, err);
		}
		r = r < 0 || outcome->done ? r : busy_poll(client, outcome, err);
		if (first && r == 0 && !outcome->done && yield_cpu(client)) {
			r = lost(client, receive_frames(client, outcome, err), err);
			if (r == 0 && !outcome->done) {
				yield_again(client);
				r = lost(client, receive_frames(client, outcome, err), err);
			}
			yield_record(client, outcome->done);
		}
		if (r < 0 || outcome->done) {
			break;
		}
		r = wait_for_bytes(client, first ? timeout_ms : 0, end_ns);
		if (r < 0) {
			int code = give_up(client, id, err);
			return r == -ETIMEDOUT ? code : error_set(err, r, "poll: %s", strerror(-r));
		}
		r = lost(client, receive_frames(client, outcome, err), err);
		client->channel.may_wait = false;
	}
	if (outcome->done) {
		*err = outcome->err;
		return err->code;
	}
	return r;
}
