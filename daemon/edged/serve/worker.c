/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "base/probe.h"
#include "base/threads.h"
#include "base/wire/wire.h"
#include "daemon/edged/serve/client_session.h"
#include "daemon/edged/serve/request.h"
#include "daemon/edged/serve/slow.h"
#include "daemon/system/check_finite.h"

#define TEAM_MACS UINT64_C(5000000)

/* ---- inputs */

/* Every input is resized to this request's shape: an earlier request may have left another. */
static int inputs_resize(
	struct loaded_model_session *session, const struct wire_infer *infer, struct error *err)
{
	for (uint32_t i = 0; i < infer->n_inputs; i++) {
		const struct wire_tensor *tensor = &infer->inputs[i];
		int code =
			edge_session_resize(session->session, tensor->index, &tensor->shape, err);
		if (code < 0) {
			return code;
		}
	}
	return 0;
}

static int inputs_bind(
	struct loaded_model_session *session, const struct wire_infer *infer, struct error *err)
{
	for (uint32_t i = 0; i < infer->n_inputs; i++) {
		const struct wire_tensor *tensor = &infer->inputs[i];
		int code = edge_session_bind_input(
			session->session, tensor->index, tensor->data, tensor->bytes, err);
		if (code < 0) {
			return code;
		}
	}
	return 0;
}

/* ---- outputs */

static int output_take(struct edge_session *session, uint32_t index, struct wire_tensor *ret_tensor,
	struct error *err)
{
	struct edge_tensor_info info;
	uint64_t bytes = 0;
	int code = edge_session_output_info(session, index, &info, err);
	if (code < 0) {
		return code;
	}
	const void *data = edge_session_output(session, index, &bytes);
	if (!data || bytes > UINT32_MAX) {
		return error_set(err, -EFBIG, "output %u cannot be sent", index);
	}
	uint32_t length = info.name.length < WIRE_MAX_NAME ? info.name.length : WIRE_MAX_NAME;
	*ret_tensor = (struct wire_tensor){
		.index = (uint16_t)index,
		.name = {.data = info.name.data, .length = length},
		.type = info.type,
		.shape = info.shape,
		.bytes = (uint32_t)bytes,
		.data = data,
	};
	return 0;
}

/* Writes all outputs that have a place, or none. */
static int outputs_place(
	const struct request *request, struct wire_infer_reply *reply, struct error *err)
{
	const struct wire_place *places[WIRE_MAX_TENSORS];
	for (uint32_t i = 0; i < reply->n_outputs; i++) {
		const struct wire_tensor *output = &reply->outputs[i];
		places[i] = request_output_buffer(&request->infer, output->index);
		if (places[i] && output->bytes > places[i]->room) {
			return error_set(err, -EFBIG, "output %u has %u bytes, its place %llu",
				output->index, output->bytes, (unsigned long long)places[i]->room);
		}
	}
	for (uint32_t i = 0; i < reply->n_outputs; i++) {
		struct wire_tensor *output = &reply->outputs[i];
		if (places[i]) {
			/* memmove(): an output may be an input in the client's region. */
			memmove(places[i]->data, output->data, output->bytes);
			output->region = places[i]->region;
			output->offset = places[i]->offset;
		}
	}
	return 0;
}

/* Allocates the reply's body once. Some sizes were not known when the request was validated. */
static int reply_reserve(
	struct request *request, const struct wire_infer_reply *reply, struct error *err)
{
	struct bytes_writer *w = &request->reply;
	uint64_t bytes = 64 + LOADED_MODEL_VERSION_SIZE;
	for (uint32_t i = 0; i < reply->n_outputs; i++) {
		const struct wire_tensor *output = &reply->outputs[i];
		bytes += 64 + output->name.length +
			(output->region ? 0 : bytes_align_up(output->bytes, WIRE_ALIGNMENT));
	}
	if (bytes > request->max_reply) {
		return error_set(err, -EFBIG, "the reply needs up to %llu bytes, the limit is %llu",
			(unsigned long long)bytes, (unsigned long long)request->max_reply);
	}
	w->data = malloc((size_t)bytes);
	if (!w->data) {
		return error_no_memory(err);
	}
	w->capacity = w->limit = (size_t)bytes;
	return 0;
}

static int reply_build(struct request *request, struct edge_session *session, struct error *err)
{
	struct wire_infer_reply reply; /* not cleared: that takes longer than the rest */
	reply.regions = request->infer.regions;
	reply.version = wire_text_of(request->loaded->version);
	reply.generation = request->loaded->generation;
	reply.queue_us = (request->run.started_ns - request->received_ns) / NSEC_PER_USEC;
	reply.run_us = (clock_now_ns() - request->run.started_ns - request->run.yielded_ns) /
		NSEC_PER_USEC;
	reply.n_outputs = request->infer.n_wanted;
	for (uint32_t i = 0; i < reply.n_outputs; i++) {
		int code = output_take(session, request->infer.wanted[i], &reply.outputs[i], err);
		if (code < 0) {
			return code;
		}
	}
	if (loaded_model_on_trial(request->loaded)) {
		request->run.has_nan = check_finite_any_nan(reply.outputs, reply.n_outputs) &&
			!check_finite_any_nan_or_infinity(
				request->infer.inputs, request->infer.n_inputs);
	}
	int code = outputs_place(request, &reply, err);
	if (code == 0) {
		code = reply_reserve(request, &reply, err);
	}
	if (code < 0) {
		return code;
	}
	wire_infer_reply_encode(&request->reply, &reply);
	return request->reply.failed ? error_no_memory(err) : 0;
}

/* ---- one request */

static void worker_between(void *context);

static int run_in(struct request *request, struct loaded_model_session *session, struct error *err)
{
	const struct run_control control = {.deadline_ns = request->deadline_ns,
		.cancelled = &request->run.cancelled,
		.team = request->run.team,
		.between = request->run.worker ? worker_between : NULL,
		.context = request->run.worker};
	const struct loaded_model *loaded = request->loaded;
	const bool other = !request->planned;
	/* If the trial passes during the run, crash_marker_end() still removes the crash marker. */
	struct crash_marker *marker = loaded_model_on_trial(loaded) ? loaded->marker : NULL;
	int code = 0;
	request->run.inputs_resized = other;
	if (other || session->resized) {
		session->resized = true;
		code = inputs_resize(session, &request->infer, err);
		session->resized = code < 0 || other;
	}
	if (code == 0) {
		code = inputs_bind(session, &request->infer, err);
	}
	if (code == 0 && !request->session && edge_model_info(request->loaded->model)->has_state) {
		/* requests without a session do not depend on each other */
		edge_session_reset(session->session);
	}
	if (code == 0) {
		slow_run_begin(request, session);
		crash_marker_begin(marker);
		code = edge_session_run(session->session, &control, err);
		crash_marker_end(marker);
		slow_run_end(request, session);
	}
	if (code == 0) {
		code = reply_build(request, session->session, err);
	}
	request->run.model_read_error = edge_model_broken(loaded->model);
	return request->run.model_read_error
		? error_set(err, -EIO, "model %s: the disk did not give a part of it", loaded->name)
		: code;
}

static int run_without_session(struct request *request, struct error *err)
{
	struct loaded_model_session *session = NULL;
	int code = loaded_model_take_session(
		request->loaded, request->signature, request->client.account->uid, &session, err);
	if (code < 0) {
		return code;
	}
	code = run_in(request, session, err);
	loaded_model_give_session(request->loaded, session);
	return code;
}

static int session_open(struct request *request, struct error *err)
{
	struct client_session *session = request->session;
	int code = loaded_model_new_session(session->loaded, &session->model_session, err);
	if (code < 0) {
		return code;
	}
	const struct wire_session_open_reply reply = {
		.session = session->id,
		.version = wire_text_of(session->loaded->version),
		.generation = session->loaded->generation,
	};
	wire_session_open_reply_encode(&request->reply, &reply);
	return request->reply.failed ? error_no_memory(err) : 0;
}

static int run_in_session(struct request *request, struct error *err)
{
	struct loaded_model_session *model_session = request->session->model_session;
	if (request->type == WIRE_SESSION_OPEN) {
		return session_open(request, err);
	}
	if (!model_session) {
		return error_set(
			err, -ENOENT, "session %u could not be opened", request->session->id);
	}
	if (request->type == WIRE_SESSION_RESET) {
		edge_session_reset(model_session->session);
		return 0;
	}
	int code = loaded_model_enter(model_session, request->signature, err);
	return code < 0 ? code : run_in(request, model_session, err);
}

static int run(struct request *request, struct error *err)
{
	if (atomic_load_explicit(&request->run.cancelled, memory_order_relaxed)) {
		return error_set(err, -ECANCELED, "cancelled");
	}
	if (request->deadline_ns && request->run.started_ns > request->deadline_ns) {
		return error_set(err, -ETIMEDOUT, "the deadline passed in the queue");
	}
	return request->session ? run_in_session(request, err) : run_without_session(request, err);
}

/* The model itself was accepted, so these errors are due to the request's shapes or values. */
static void blame_request(struct error *err)
{
	if (err->code == -EBADMSG || err->code == -EOPNOTSUPP) {
		err->code = -EINVAL;
		err->status = EDGE_INVALID;
	}
}

void worker_run(struct request *request, uint64_t now_ns)
{
	struct error err = {0};
	const bool timed = request->loaded && loaded_model_times_run(request->loaded);
	const uint64_t cpu_ns = timed ? clock_thread_cpu_ns() : 0;
	request->run.started_ns = now_ns;
	PROBE3(request_start, request->id, request->loaded ? request->loaded->name : "",
		request->run.started_ns - request->received_ns);
	int code = run(request, &err);
	if (code < 0) {
		if (err.text[0] == 0) {
			error_set(&err, code, "%s", status_name(error_status_of(code)));
		}
		blame_request(&err);
		bytes_writer_deinit(&request->reply);
		request->error = err;
	}
	request->run.finished_ns = clock_now_ns();
	request->run.cpu_ns = timed ? clock_thread_cpu_ns() - cpu_ns : 0;
	if (code == 0 && !request->session && request->planned) {
		loaded_model_note_run(request->loaded, request->signature, request_run_ns(request));
	}
}

/* ---- threads */

/* A run of a smaller model ends before helper threads wake. */
static bool wants_team(const struct request *request)
{
	const struct loaded_model *loaded = request->loaded;
	return loaded && edge_model_info(loaded->model)->macs >= TEAM_MACS;
}

/*
 * Parallel requests come before parallel threads of one request: a team helps a run only if no
 * other request waits or runs. A request that comes later finds an idle worker and shares the cores
 * with the rest of that run.
 */
static struct team *team_take(struct workers *workers, const struct request *request, bool alone)
{
	if (!alone || workers->threads_per_run < 2 || !wants_team(request)) {
		return NULL;
	}
	pthread_mutex_lock(&workers->mutex);
	struct team *team = workers->team;
	workers->team = NULL;
	if (!team && !workers->team_made) {
		workers->team_made = true;
		if (backends_team_new(workers->threads_per_run, false, &team, NULL) < 0) {
			team = NULL;
		}
	}
	pthread_mutex_unlock(&workers->mutex);
	return team;
}

static void team_give_back(struct workers *workers, struct team *team)
{
	if (team) {
		pthread_mutex_lock(&workers->mutex);
		workers->team = team;
		pthread_mutex_unlock(&workers->mutex);
	}
}

static void worker_do(struct worker *worker, struct request *request)
{
	request->run.worker = worker;
	worker->request = request;
	worker_run(request, clock_now_ns());
	sched_give_back(worker->workers->sched, request, request_run_ns(request));
}

/*
 * Called between two operators: runs one more urgent request, if any. The interrupted run then goes
 * on for a QUEUE_FLOORth of that time before it yields again, so that urgent requests without end
 * do not stop it.
 */
static void worker_between(void *context)
{
	struct worker *worker = context;
	struct request *below = worker->request;
	struct sched *sched = worker->workers->sched;
	if (!sched_has_above(sched, below->item.class)) {
		return;
	}
	const uint64_t start = clock_now_ns();
	struct request *request =
		start < worker->yield_ns ? NULL : sched_take_above(sched, below->item.class);
	if (!request) {
		return;
	}
	worker_do(worker, request);
	worker->request = below;
	const uint64_t end = clock_now_ns();
	below->run.yielded_ns += end - start;
	worker->yield_ns = end + (end - start) / QUEUE_FLOOR;
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;
	struct workers *workers = worker->workers;
	bool alone = false;
	for (struct request *request; (request = sched_take(workers->sched, &alone));) {
		struct team *team = team_take(workers, request, alone);
		request->run.team = team;
		worker_do(worker, request);
		team_give_back(workers, team);
	}
	return NULL;
}

int workers_start(struct workers *workers, struct sched *sched, uint64_t wanted,
	uint64_t threads_per_run, struct error *err)
{
	sigset_t all, before;
	*workers =
		(struct workers){.sched = sched, .threads_per_run = workers_count(threads_per_run)};
	const unsigned int n = workers_count(wanted);
	int code = pthread_mutex_init(&workers->mutex, NULL);
	sched->n_workers = n > 0 ? n : 1;
	threads_mask(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (code == 0 && workers->n < n) {
		struct worker *worker = &workers->threads[workers->n];
		worker->workers = workers;
		code = pthread_create(&worker->thread, NULL, worker_main, worker);
		workers->n += code == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code != 0) {
		workers_stop(workers);
		return error_set(err, -code, "a worker's thread: %s", strerror(code));
	}
	return 0;
}

void workers_stop(struct workers *workers)
{
	if (workers->n == 0) {
		return;
	}
	sched_stop(workers->sched);
	while (workers->n > 0) {
		pthread_join(workers->threads[--workers->n].thread, NULL);
	}
	backends_team_free(workers->team);
	workers->team = NULL;
	pthread_mutex_destroy(&workers->mutex);
}
