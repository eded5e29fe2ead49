/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/admission.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/edged/serve/serve.h"

#define OTHER_NS 50000 /* predicted cost of SESSION_OPEN and SESSION_RESET */

static struct sched_request sched_request_of(const struct serve *serve,
	struct queue_connection *connection, enum queue_class class, int64_t cost_ns,
	uint64_t now_ns)
{
	const uint32_t max = (uint32_t)serve->config->queue_length;
	return (struct sched_request){.connection = connection,
		.class = class,
		.cost_ns = cost_ns,
		.now_ns = now_ns,
		.left_ns = UINT64_MAX,
		.max_queued = max > serve->n_waiting ? max - serve->n_waiting : 0};
}

static struct sched_request sched_request_for(const struct serve *serve,
	const struct request *request, struct queue_connection *connection)
{
	struct sched_request wanted = sched_request_of(
		serve, connection, request->item.class, request->item.cost_ns, clock_now_ns());
	if (request->deadline_ns) {
		wanted.left_ns = clock_left_ns(request->deadline_ns, wanted.now_ns);
	}
	return wanted;
}

static int turn_away(struct error *err, const struct sched_refusal *refusal)
{
	static const char *const texts[] = {
		[SCHED_HOT] = "the machine is hot: work of this class is turned away",
		[SCHED_FULL] = "the queue is full",
		[SCHED_CROWDED] = "this user's share of the queue is full",
		[SCHED_FAIR_SHARE] =
			"too much waits already, and this user or connection had more than its share",
		[SCHED_OVERLOAD] = "too much waits already",
		[SCHED_LATE] = "it cannot be done before its deadline",
	};
	const char *text = texts[refusal->reason];
	if (refusal->retry_us == 0) {
		return error_set(err, -EAGAIN, "%s", text);
	}
	error_set(err, -EAGAIN, "%s; ask again in %u us", text, refusal->retry_us);
	if (err) {
		err->retry_after_us = refusal->retry_us;
	}
	return -EAGAIN;
}

/* True for an INFER with a key that is queued or runs, and has not been answered. */
static bool has_key(const struct request *other)
{
	const enum request_state state = request_state(other);
	return other->type == WIRE_INFER && other->infer.key &&
		(state == REQUEST_QUEUED || state == REQUEST_RUNNING);
}

/* The key is not known yet: true if the user has any queued request with a key, which the new
 * one may supersede. */
static bool may_replace(struct serve *serve, const struct queue_connection *connection)
{
	const struct request *other = serve->first;
	while (other &&
		!(has_key(other) && other->item.user == connection->user &&
			request_state(other) == REQUEST_QUEUED)) {
		other = other->next;
	}
	return other;
}

static bool replaces(struct serve *serve, const struct request *request)
{
	const struct request *older = admission_find_older(serve, request);
	return older && request_state(older) == REQUEST_QUEUED;
}

int admission_check_header(struct serve *serve, const struct wire_header *header,
	struct queue_connection *connection, uint64_t now_ns, struct error *err)
{
	struct sched_refusal refusal;
	struct sched_request wanted = sched_request_of(
		serve, connection, request_class(header), connection->cost_ns, now_ns);
	/* also for requests refused because of heat: the sensors must be read again */
	power_wake(&serve->power);
	if (header->flags & WIRE_FLAG_KEY && may_replace(serve, connection)) {
		return 0;
	}
	if (header->deadline_us) {
		wanted.left_ns = header->deadline_us * NSEC_PER_USEC;
	}
	return sched_admits(&serve->sched, &wanted, &refusal) ? 0 : turn_away(err, &refusal);
}

static void predict_cost(
	struct serve *serve, struct request *request, struct queue_connection *connection)
{
	request->item.cost_ns = request->type != WIRE_INFER
		? OTHER_NS
		: predict_ns(&request->loaded->predict, &serve->machine, request->loaded->model,
			  request->signature, request->input_size_ratio);
	connection->cost_ns = request->item.cost_ns;
}

void admission_check(
	struct serve *serve, struct request *request, struct queue_connection *connection)
{
	request->item.connection = connection;
	predict_cost(serve, request, connection);
}

int admission_check_head(struct serve *serve, struct request *request,
	struct queue_connection *connection, struct error *err)
{
	struct sched_refusal refusal;
	predict_cost(serve, request, connection);
	const struct sched_request wanted = sched_request_for(serve, request, connection);
	return replaces(serve, request) || sched_admits(&serve->sched, &wanted, &refusal)
		? 0
		: turn_away(err, &refusal);
}

int admission_check_room(struct serve *serve, const struct request *request, struct error *err)
{
	const struct sched_refusal refusal = {.reason = SCHED_FULL};
	uint32_t queued = 0, running = 0;
	sched_count(&serve->sched, &queued, &running);
	return queued < sched_request_for(serve, request, request->item.connection).max_queued
		? 0
		: turn_away(err, &refusal);
}

int admission_push(struct serve *serve, struct request *request, struct error *err)
{
	struct sched_refusal refusal;
	const struct sched_request wanted =
		sched_request_for(serve, request, request->item.connection);
	int code = sched_push(&serve->sched, request, &wanted, &refusal);
	return code < 0 ? turn_away(err, &refusal) : 0;
}

static bool is_older(const struct request *other, const struct request *request)
{
	return other != request && has_key(other) && other->infer.key == request->infer.key &&
		other->client.account == request->client.account &&
		strcmp(other->loaded->name, request->loaded->name) == 0;
}

struct request *admission_find_older(const struct serve *serve, const struct request *request)
{
	struct request *other = request->infer.key ? serve->first : NULL;
	while (other && !is_older(other, request)) {
		other = other->next;
	}
	return other;
}
