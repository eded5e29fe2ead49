/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/admission.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/edged.h"

#define US UINT64_C(1000)
#define OTHER_NS 50000 /* what opening a session, or taking it back, is taken for */

static struct sched_wish wish_of(const struct dispatch *dispatch, struct queue_line *line,
	enum queue_class class, int64_t cost_ns, uint64_t now_ns)
{
	const uint32_t most = (uint32_t)dispatch->edged->config.queue_length;
	return (struct sched_wish){.line = line,
		.class = class,
		.cost_ns = cost_ns,
		.now_ns = now_ns,
		.left_ns = UINT64_MAX,
		.most = most > dispatch->n_waiting ? most - dispatch->n_waiting : 0};
}

static struct sched_wish wish_of_request(
	const struct dispatch *dispatch, const struct request *request, struct queue_line *line)
{
	struct sched_wish wish =
		wish_of(dispatch, line, request->class, request->cost_ns, clock_now_ns());
	if (request->deadline_ns) {
		bool over = request->deadline_ns <= wish.now_ns;
		wish.left_ns = over ? 0 : request->deadline_ns - wish.now_ns;
	}
	return wish;
}

static int turn_away(struct error *err, const struct sched_refusal *refusal)
{
	static const char *const texts[] = {
		[SCHED_HOT] = "the machine is hot: work of this class is turned away",
		[SCHED_FULL] = "the queue is full",
		[SCHED_CROWDED] = "this user's share of the queue is full",
		[SCHED_SHARE] =
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

/* INFER with a key. */
static bool has_key(const struct request *other)
{
	return other->type == WIRE_INFER && other->line && !other->answered && other->infer.key;
}

/* Whose key the header has is not known yet: its user has something that could give up its place. */
static bool may_replace(struct dispatch *dispatch, const struct queue_line *line)
{
	const struct request *other = dispatch->first;
	while (other &&
		!(has_key(other) && other->user == line->user &&
			sched_has(&dispatch->sched, other))) {
		other = other->next;
	}
	return other;
}

static bool replaces(struct dispatch *dispatch, const struct request *request)
{
	const struct request *older = admission_find_older(dispatch, request);
	return older && sched_has(&dispatch->sched, older);
}

int admission_check_header(struct dispatch *dispatch, const struct wire_header *header,
	struct queue_line *line, uint64_t now_ns, struct error *err)
{
	struct sched_refusal refusal;
	struct sched_wish wish =
		wish_of(dispatch, line, request_class(header), line->cost_ns, now_ns);
	power_wake(&dispatch->edged->power); /* also for who is turned away because of heat */
	if (header->flags & WIRE_FLAG_KEY && may_replace(dispatch, line)) {
		return 0;
	}
	if (header->deadline_us) {
		wish.left_ns = header->deadline_us * US;
	}
	return sched_admits(&dispatch->sched, &wish, &refusal) ? 0 : turn_away(err, &refusal);
}

static void judge_cost(struct dispatch *dispatch, struct request *request, struct queue_line *line)
{
	request->cost_ns = request->type != WIRE_INFER
		? OTHER_NS
		: predict_ns(&request->served->predict, &dispatch->machine, request->served->model,
			  request->signature, request->scale);
	line->cost_ns = request->cost_ns;
}

void admission_judge(struct dispatch *dispatch, struct request *request, struct queue_line *line)
{
	request->line = line;
	judge_cost(dispatch, request, line);
}

int admission_check_head(struct dispatch *dispatch, struct request *request,
	struct queue_line *line, struct error *err)
{
	struct sched_refusal refusal;
	judge_cost(dispatch, request, line);
	const struct sched_wish wish = wish_of_request(dispatch, request, line);
	return replaces(dispatch, request) || sched_admits(&dispatch->sched, &wish, &refusal)
		? 0
		: turn_away(err, &refusal);
}

int admission_check_room(
	struct dispatch *dispatch, const struct request *request, struct error *err)
{
	const struct sched_refusal refusal = {.reason = SCHED_FULL};
	uint32_t queued = 0, running = 0;
	sched_count(&dispatch->sched, &queued, &running);
	return queued < wish_of_request(dispatch, request, request->line).most
		? 0
		: turn_away(err, &refusal);
}

int admission_push(struct dispatch *dispatch, struct request *request, struct error *err)
{
	struct sched_refusal refusal;
	const struct sched_wish wish = wish_of_request(dispatch, request, request->line);
	int code = sched_push(&dispatch->sched, request, &wish, &refusal);
	return code < 0 ? turn_away(err, &refusal) : 0;
}

static bool is_older(const struct request *other, const struct request *request)
{
	return other != request && has_key(other) && other->infer.key == request->infer.key &&
		other->account == request->account &&
		strcmp(other->served->name, request->served->name) == 0;
}

struct request *admission_find_older(const struct dispatch *dispatch, const struct request *request)
{
	struct request *other = request->infer.key ? dispatch->first : NULL;
	while (other && !is_older(other, request)) {
		other = other->next;
	}
	return other;
}
