/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/actor.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/lib/edge_client.h"

#define WAIT_MS 10000
#define MOST_OPEN 64 /* of one connection: what is due beyond it is lost */
#define LAST_NS UINT64_C(1000000000) /* how long answers are waited for after the end */
#define MAX_TENSORS 16

struct line {
	struct edge_client *client;
	struct edge_client_tensor inputs[MAX_TENSORS];
	struct edge_client_place places[MAX_TENSORS];
	struct edge_client_request request;
	struct crowd *crowd;
	uint64_t due_ns; /* of the next question */
	uint32_t n_open;
};

struct question {
	struct line *line;
	uint64_t due_ns;
};

struct crowd {
	struct actor *actor;
	struct line lines[ACTOR_CONNECTIONS];
	unsigned short seed[3];
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench: %s: %s\n", what, why);
	exit(1);
}

/* ---- questions in shared memory, so that edged's work is counted and not the socket's copies */

static void lay_out(struct line *line, const struct edge_client_signature *s)
{
	uint64_t bytes = 0;
	uint32_t region = 0;
	int fd = -1;
	void *data = NULL;
	struct edge_client_error err;
	for (uint32_t i = 0; i < s->n_inputs; i++) {
		line->inputs[i] = (struct edge_client_tensor){.index = i,
			.type = s->inputs[i].type,
			.shape = s->inputs[i].shape,
			.bytes = (size_t)s->inputs[i].bytes,
			.offset = bytes};
		bytes += (s->inputs[i].bytes + 63) & ~UINT64_C(63);
	}
	for (uint32_t i = 0; i < s->n_outputs; i++) {
		line->places[i] = (struct edge_client_place){
			.output = i, .offset = bytes, .room = s->outputs[i].bytes};
		bytes += (s->outputs[i].bytes + 63) & ~UINT64_C(63);
	}
	if (edge_client_memory_new((size_t)bytes, &fd, &data, &err) < 0 ||
		edge_client_region_add(line->client, fd, (size_t)bytes,
			EDGE_CLIENT_INPUTS | EDGE_CLIENT_OUTPUTS, WAIT_MS, &region, &err) < 0) {
		die("shared memory", err.text);
	}
	close(fd);
	for (uint32_t i = 0; i < s->n_inputs; i++) {
		line->inputs[i].region = region;
	}
	for (uint32_t i = 0; i < s->n_outputs; i++) {
		line->places[i].region = region;
	}
}

static void line_open(struct line *line, const struct actor *actor)
{
	struct edge_client_error err;
	struct edge_client_model *model = NULL;
	if (edge_client_open(actor->socket, WAIT_MS, &line->client, &err) < 0 ||
		edge_client_describe(line->client, actor->model, NULL, WAIT_MS, &model, &err) < 0) {
		die("edged", err.text);
	}
	const struct edge_client_signature *s = &model->signatures[0];
	if (s->n_inputs > MAX_TENSORS || s->n_outputs > MAX_TENSORS) {
		die(actor->model, "too many tensors");
	}
	lay_out(line, s);
	line->request = (struct edge_client_request){.model = actor->model,
		.n_inputs = s->n_inputs,
		.inputs = line->inputs,
		.n_places = s->n_outputs,
		.places = line->places,
		.priority = actor->priority};
	edge_client_model_free(model);
}

/* ---- asking */

static void keep(double *values, uint32_t *n, double value)
{
	if (*n < ACTOR_MOST) {
		values[(*n)++] = value;
	}
}

static void on_answer(void *data, const struct edge_client_reply *reply)
{
	struct question *question = data;
	struct line *line = question->line;
	const struct actor *actor = line->crowd->actor;
	struct actor_result *result = actor->result;
	const uint64_t now = clock_now_ns();
	const double us = (double)(now - question->due_ns) / 1e3;
	line->n_open--;
	if (question->due_ns >= actor->from_ns && question->due_ns < actor->end_ns) {
		if (reply->error.code == 0) {
			keep(result->ok_us, &result->n_ok, us);
		} else if (reply->error.status == EDGE_CLIENT_OVERLOADED) {
			keep(result->turned_away_us, &result->n_turned_away, us);
			result->retry_told += reply->error.retry_after_us > 0;
		} else {
			result->n_other++;
		}
	}
	free(question);
}

static void ask(struct line *line, uint64_t due_ns)
{
	uint64_t id = 0;
	struct actor *actor = line->crowd->actor;
	bool counts = due_ns >= actor->from_ns;
	actor->result->n_due += counts;
	if (line->n_open >= MOST_OPEN) {
		actor->result->n_lost += counts;
		return;
	}
	struct question *question = malloc(sizeof(*question));
	if (!question) {
		die("question", "no memory");
	}
	*question = (struct question){line, due_ns};
	struct edge_client_error err;
	if (edge_client_start_infer(line->client, &line->request, on_answer, question, &id, &err) <
		0) {
		die("asking", err.text);
	}
	line->n_open++;
}

/* Until the next question of a connection is due, on the mean 1 / rate. */
static uint64_t pause_ns(struct crowd *crowd)
{
	const double rate = crowd->actor->rate / crowd->actor->n_connections;
	return (uint64_t)(-log(1.0 - erand48(crowd->seed)) / rate * 1e9);
}

/* It waits: what is due meanwhile is asked later, and counts from when it was due. */
static bool is_full(const struct line *line, const struct actor *actor)
{
	return actor->window > 0 && line->n_open >= actor->window;
}

static void ask_what_is_due(struct crowd *crowd, struct line *line, uint64_t now)
{
	const struct actor *actor = crowd->actor;
	while (actor->rate > 0 && line->due_ns <= now && line->due_ns < actor->end_ns &&
		!is_full(line, actor)) {
		ask(line, line->due_ns);
		line->due_ns += pause_ns(crowd);
	}
	while (actor->rate <= 0 && line->n_open < actor->window && now >= actor->start_ns &&
		now < actor->end_ns) {
		ask(line, now);
	}
}

static uint64_t next_due(const struct crowd *crowd)
{
	const struct actor *actor = crowd->actor;
	uint64_t next = actor->end_ns;
	for (uint32_t i = 0; actor->rate > 0 && i < actor->n_connections; i++) {
		const struct line *line = &crowd->lines[i];
		next = line->due_ns < next && !is_full(line, actor) ? line->due_ns : next;
	}
	return actor->rate > 0 ? next : actor->start_ns;
}

static uint32_t open_questions(const struct crowd *crowd)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < crowd->actor->n_connections; i++) {
		n += crowd->lines[i].n_open;
	}
	return n;
}

/* What has come, and what is to go. A look at each connection each time would take more than edged does. */
static void process(struct line *line, struct pollfd *ready, uint32_t n_before)
{
	struct edge_client_error err;
	const bool asked = line->n_open != n_before;
	if ((asked || ready->revents) && edge_client_process(line->client, &err) < 0) {
		die("connection", err.text);
	}
	*ready = (struct pollfd){
		.fd = edge_client_fd(line->client), .events = edge_client_events(line->client)};
}

static void turn(struct crowd *crowd, struct pollfd *ready)
{
	const uint32_t n = crowd->actor->n_connections;
	uint64_t now = clock_now_ns();
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t n_before = crowd->lines[i].n_open;
		ask_what_is_due(crowd, &crowd->lines[i], now);
		process(&crowd->lines[i], &ready[i], n_before);
	}
	const uint64_t due = next_due(crowd);
	now = clock_now_ns();
	const uint64_t left = due > now ? due - now : open_questions(crowd) > 0 ? 20000000 : 0;
	const struct timespec time = {
		.tv_sec = (time_t)(left / 1000000000), .tv_nsec = (long)(left % 1000000000)};
	if (ppoll(ready, n, &time, NULL) < 0 && errno != EINTR) {
		die("poll", strerror(errno));
	}
}

static void act(struct actor *actor)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));
	struct pollfd ready[ACTOR_CONNECTIONS] = {0};
	if (!crowd || (actor->uid && setuid(actor->uid) < 0)) {
		die("actor", strerror(errno));
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	crowd->actor = actor;
	crowd->seed[0] = (unsigned short)actor->uid;
	crowd->seed[1] = (unsigned short)(actor->rate * 7);
	for (uint32_t i = 0; i < actor->n_connections; i++) {
		crowd->lines[i].crowd = crowd;
		line_open(&crowd->lines[i], actor);
	}
	for (uint32_t i = 0; i < actor->n_connections && actor->rate > 0; i++) {
		crowd->lines[i].due_ns = actor->start_ns + pause_ns(crowd);
	}
	while (clock_now_ns() < actor->end_ns ||
		(open_questions(crowd) > 0 && clock_now_ns() < actor->end_ns + LAST_NS)) {
		turn(crowd, ready);
	}
	actor->result->n_lost += open_questions(crowd);
}

/* ---- as a process */

struct actor_result *actor_result_new(void)
{
	void *memory = mmap(NULL, sizeof(struct actor_result), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		die("result", strerror(errno));
	}
	return memory;
}

void actor_result_free(struct actor_result *result)
{
	munmap(result, sizeof(*result));
}

void actor_start(struct actor *actor)
{
	actor->pid = fork();
	if (actor->pid < 0) {
		die("fork", strerror(errno));
	}
	if (actor->pid == 0) {
		act(actor);
		_exit(0);
	}
}

void actor_wait(struct actor *actor)
{
	int status = 0;
	if (waitpid(actor->pid, &status, 0) < 0 || status != 0) {
		die("actor", "it failed");
	}
}

static int compare(const void *a, const void *b)
{
	double x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

double actor_quantile(double *values, uint32_t n, double part)
{
	if (n == 0) {
		return NAN;
	}
	qsort(values, n, sizeof(values[0]), compare);
	uint32_t at = (uint32_t)ceil(part * n);
	return values[at > 0 ? at - 1 : 0];
}
