/* SPDX-License-Identifier: Apache-2.0 */
#include "client/connection.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>

#include "base/clock.h"
#include "client/replies.h"

#define MAX_WAITING 4096 /* requests without an answer */
#define FRAMES_PER_CALL 64 /* so that one busy connection does not hold up its loop */
#define MS_NS UINT64_C(1000000)
#define WAY_NS 50000 /* giving way takes no longer where it is edged that runs */
#define STAYS 255 /* waits before it is tried again where there was no answer */
#define CREDIT_NS 500 /* of each wait: giving way may take that much longer... */
#define MOST_CREDIT_NS 10000000 /* ...and as much as was saved up */
#define LANE_NAP_NS (50 * MS_NS) /* between looks at the socket */

/* A request without an answer. */
struct waiting {
	struct waiting *next;
	uint64_t id;
	uint16_t type; /* enum wire_type */
	struct listener listener;
	uint32_t n_places;
	struct wire_place places[]; /* of INFER: where outputs may have been written */
};

/* Hands @err to the caller in the public form. */
int connection_tell(const struct error *err, struct edge_client_error *ret_err)
{
	if (ret_err) {
		ret_err->code = err->code;
		ret_err->status = (unsigned int)err->status;
		ret_err->retry_after_us = err->retry_after_us;
		_Static_assert(sizeof(ret_err->text) == sizeof(err->text), "the same text");
		memcpy(ret_err->text, err->text, sizeof(ret_err->text));
	}
	return err->code;
}

static void outcome_deinit(struct outcome *outcome)
{
	replies_list_free(outcome->list);
	free(outcome->text);
	replies_model_free(outcome->model);
	replies_answer_free(outcome->answer);
	replies_stats_free(outcome->stats);
	free(outcome->body);
}

/* ---- answers find those who wait */

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
	connection_tell(&outcome->err, &reply.error);
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

/* Takes the waiting one out of the list and tells whoever waits. @outcome is taken. */
static void deliver(struct edge_client *client, struct waiting *waiting, struct outcome *outcome)
{
	unlink_waiting(client, waiting);
	if (client->tray.request == waiting->id) {
		client->tray.request = 0;
	}
	if (waiting->listener.outcome) {
		outcome->done = true;
		*waiting->listener.outcome = *outcome;
		*outcome = (struct outcome){0};
		tray_hear(client);
	} else if (waiting->listener.fn) {
		call_back(waiting, outcome);
	}
	outcome_deinit(outcome);
	free(waiting);
}

/* The connection is of no use any more: all who wait are told. */
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

/* Outputs are only where they were wanted. */
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

/* *body is NULL when it was taken. */
static int decode_answer(const struct waiting *waiting, const struct wire_header *header,
	void **body, struct outcome *outcome, struct error *err)
{
	int r = replies_answer(*body, header->body_bytes, header->flags, &outcome->answer, err);
	*body = r == 0 ? NULL : *body;
	return r < 0 ? r : check_places(waiting, outcome->answer, err);
}

/* @body may be taken: then *body is NULL. */
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
	default: /* CANCEL, SESSION_RESET, SESSION_CLOSE, REGION_REMOVE, RING_OPEN: nothing is in it */
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

/* A frame that is no reply to anything here. The daemon says so when it could not read a header. */
static int judge_stray(const struct wire_header *header, const void *body, struct error *err)
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

/* What nobody asked for. */
static int tell_models(struct edge_client *client, const void *body, size_t size, struct error *err)
{
	struct edge_client_list *list = NULL;
	int r = replies_list(body, size, WIRE_EVENT, &list, err);
	if (r == 0) {
		client->models_fn(client->models_data, list);
		replies_list_free(list);
	}
	return r == -ENOMEM ? 0 : r;
}

/* A negative errno when the peer broke the protocol. */
static int dispatch(struct edge_client *client, const struct wire_header *header, void **body,
	struct error *err)
{
	struct outcome outcome = {0};
	struct waiting *waiting = find_waiting(client, header->id);
	if (!*body) { /* no memory for it: bad for who waits, not for the connection */
		error_set(&outcome.err, -ENOBUFS, "no memory for the answer");
		if (waiting) {
			deliver(client, waiting, &outcome);
		}
		return 0;
	}
	if (header->type == (WIRE_EVENT | WIRE_REPLY) && client->subscription != 0 &&
		header->id == client->subscription && header->status == EDGE_OK) {
		return tell_models(client, *body, header->body_bytes, err);
	}
	if (!waiting || header->type != (waiting->type | WIRE_REPLY)) {
		return judge_stray(header, *body, err);
	}
	int r = 0;
	if (header->status != EDGE_OK) {
		wire_error_decode(*body, header->body_bytes, header->status, &outcome.err);
		outcome.err.retry_after_us = header->deadline_us;
		/* The daemon says when to come again unless it is bytes that there are too many of. */
		if (outcome.err.code == -EAGAIN && outcome.err.retry_after_us == 0) {
			outcome.again = tray_makes_room(client, waiting->id);
		}
	} else if (waiting->type == WIRE_HELLO) {
		r = read_hello(client, *body, header->body_bytes, err);
	} else if (waiting->listener.fn || waiting->listener.outcome) {
		r = decode_reply(waiting, header, body, &outcome, err);
	} else if (waiting->type == WIRE_SESSION_OPEN) {
		r = connection_abandon_session(client, *body, header->body_bytes, err);
	}
	if (r == -ENOMEM) { /* the same */
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

/* What is left in the channel's memory would not be told by poll(). */
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
	if (extra->lane && !body->failed && lane_takes(&client->lane, body->size)) {
		lane_ask(&client->lane, &header, body);
		client->in_lane = header.id;
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
	return connection_start(client, WIRE_CANCEL, &body, (struct listener){0}, &own_id, err);
}

/* ---- synchronous calls */

static bool waits_for_worker(uint16_t type)
{
	return type == WIRE_INFER || type == WIRE_SESSION_OPEN || type == WIRE_SESSION_RESET;
}

/* Whoever gave up must not be written to: the answer, when it comes, is for nobody. */
static int give_up(struct edge_client *client, uint64_t id, struct error *err)
{
	struct waiting *waiting = find_waiting(client, id);
	struct error ignored = {0};
	if (waiting && waits_for_worker(waiting->type) &&
		connection_cancel(client, id, &ignored) == 0) {
		int r = channel_send(&client->channel, &ignored);
		(void)r; /* a connection that is gone says so at the next call */
	}
	if (waiting) {
		waiting->listener.outcome = NULL;
	}
	return error_set(err, -ETIMEDOUT, "no answer in time");
}

/* Milliseconds until @end_ns, rounded up; -1 for 0, which means never. */
static int poll_time(uint64_t end_ns)
{
	uint64_t now = clock_now_ns();
	if (end_ns == 0) {
		return -1;
	}
	uint64_t ms = now >= end_ns ? 0 : (end_ns - now + MS_NS - 1) / MS_NS;
	return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* What has come through the lane, if anything has. */
static int receive_lane(struct edge_client *client, struct error *err)
{
	struct wire_header header = {0};
	owned_mem void *body = NULL;
	if (!lane_is_busy(&client->lane) || !lane_has_answer(&client->lane)) {
		return 0;
	}
	int r = lane_take(&client->lane, &header, &body, err);
	return r <= 0 ? r : dispatch(client, &header, &body, err);
}

/* True while the answer to @id is expected from there. */
static bool lane_holds(const struct edge_client *client, uint64_t id, const struct outcome *outcome)
{
	return client->in_lane == id && lane_is_busy(&client->lane) && !outcome->done &&
		client->gone.code == 0;
}

/*
 * Where edged has this core too, it answers sooner if this thread lets it run than if that sleeps and has to be woken.
 * Where it has another one, or somebody else gets this one, that is of no use, and tried again only after a while.
 */
static bool give_way(struct edge_client *client)
{
	if (client->lost_ns > CREDIT_NS) {
		client->lost_ns -= CREDIT_NS;
	}
	if (client->stays > 0 || client->lost_ns > MOST_CREDIT_NS) {
		client->stays -= client->stays > 0;
		return false;
	}
	client->gave_ns = clock_now_ns();
	sched_yield();
	return true;
}

/* Edged may have given way more often lately: then the system had it wait for that, and this thread had the core again
 * at once. */
static void give_way_again(const struct edge_client *client)
{
	if (clock_now_ns() - client->gave_ns < WAY_NS) {
		sched_yield();
	}
}

static void note_way(struct edge_client *client, bool answered)
{
	const uint64_t took_ns = clock_now_ns() - client->gave_ns;
	client->lost_ns += took_ns < WAY_NS ? 0 : took_ns;
	client->stays = answered ? 0 : STAYS;
}

static void lane_spin(const struct edge_client *client)
{
	const uint64_t end_ns = client->spin_us ? clock_now_ns() + client->spin_us * 1000 : 0;
	while (!lane_has_answer(&client->lane) && end_ns && clock_now_ns() < end_ns) {}
}

/* While the lane has request @id. A daemon that ended wakes nobody, so sleep is short, and the socket is looked at
 * in between. Else only what is left there of an earlier one, which nobody waits for, is taken. */
static int wait_at_lane(struct edge_client *client, uint64_t id, const struct outcome *outcome,
	uint64_t end_ns, struct error *err)
{
	if (lane_holds(client, id, outcome)) {
		lane_spin(client);
	}
	if (lane_holds(client, id, outcome) && !lane_has_answer(&client->lane) &&
		give_way(client)) {
		if (!lane_has_answer(&client->lane)) {
			give_way_again(client);
		}
		note_way(client, lane_has_answer(&client->lane));
	}
	int r = receive_lane(client, err);
	while (r == 0 && lane_holds(client, id, outcome)) {
		const uint64_t now = clock_now_ns();
		if (end_ns && now >= end_ns) {
			return -ETIMEDOUT;
		}
		const uint64_t left = end_ns ? end_ns - now : LANE_NAP_NS;
		lane_sleep(&client->lane, left < LANE_NAP_NS ? left : LANE_NAP_NS);
		r = receive_lane(client, err);
		r = r < 0 || outcome->done ? r : receive_frames(client, outcome, err);
	}
	return lost(client, r, err);
}

/* Receives until it is done, for as long as this connection spins. */
static int spin(struct edge_client *client, const struct outcome *outcome, struct error *err)
{
	const uint64_t end_ns = client->spin_us ? clock_now_ns() + client->spin_us * 1000 : 0;
	int r = 0;
	while (r == 0 && !outcome->done && clock_now_ns() < end_ns) {
		r = receive_frames(client, outcome, err);
	}
	return lost(client, r, err);
}

/* -ETIMEDOUT at the end. With nothing left to send, the first time, it is the receive itself that waits. */
static int wait_for_bytes(struct edge_client *client, uint32_t first_ms, uint64_t end_ns)
{
	struct pollfd ready = {client->channel.fd, edge_client_events(client), 0};
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
	uint64_t end_ns = timeout_ms ? clock_now_ns() + timeout_ms * MS_NS : 0;
	bool first = true;
	for (;;) {
		int r = send_frames(client, err);
		r = r < 0 ? r : wait_at_lane(client, id, outcome, end_ns, err);
		if (r == -ETIMEDOUT) {
			return give_up(client, id, err);
		}
		r = r < 0 || outcome->done ? r : spin(client, outcome, err);
		if (first && r == 0 && !outcome->done && give_way(client)) {
			r = lost(client, receive_frames(client, outcome, err), err);
			if (r == 0 && !outcome->done) {
				give_way_again(client);
				r = lost(client, receive_frames(client, outcome, err), err);
			}
			note_way(client, outcome->done);
		}
		if (outcome->done) {
			*err = outcome->err;
			return err->code;
		}
		if (r < 0) {
			return r;
		}
		r = wait_for_bytes(client, first ? timeout_ms : 0, end_ns);
		first = false;
		if (r < 0) {
			int code = give_up(client, id, err);
			return r == -ETIMEDOUT ? code : error_set(err, r, "poll: %s", strerror(-r));
		}
		r = lost(client, receive_frames(client, outcome, err), err);
		client->channel.may_wait = false;
		if (outcome->done) {
			*err = outcome->err;
			return err->code;
		}
		if (r < 0) {
			return r;
		}
	}
}
