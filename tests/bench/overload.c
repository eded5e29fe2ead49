/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overload - what edged does when more is asked for than it can do
 *
 *   overload EDGED MODEL.tflite [SECONDS [WORKERS]]
 *
 * Starts EDGED on a folder of its own and prints four tables: 64 clients at 0.8 to 10 times what it can
 * do, equal users beside one that asks a hundred times as much, urgent questions beside batch work, and
 * how long it takes until all is as before. Users are made by setuid(), so that table needs root.
 * WORKERS: 0 for one core less than there are, which the clients have.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "client/lib/edge_client.h"
#include "engine/edge.h"
#include "tests/bench/actor.h"

#define CLIENTS 64
#define USERS 8
#define ABUSE 100
#define FIRST_UID 20000
#define SETTLE_NS UINT64_C(1000000000) /* between the start of asking and what counts */
#define CONNECT_NS UINT64_C(500000000)
#define PROBES 100.0 /* urgent questions a second */

struct rig {
	char folder[64], socket[96];
	const char *program, *model_path;
	pid_t pid;
	double seconds;
	long workers;
	double capacity; /* answers a second */
	double run_us; /* one run's p50 */
	double operator_part; /* the longest operator's part of it, 0 to 1 */
};

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- edged */

static void put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
		die(path);
	}
}

static void rig_start(struct rig *rig)
{
	char path[256], text[512];
	snprintf(rig->folder, sizeof(rig->folder), "/tmp/edged-bench-XXXXXX");
	if (!mkdtemp(rig->folder) || chmod(rig->folder, 0755) < 0) {
		die(rig->folder);
	}
	snprintf(rig->socket, sizeof(rig->socket), "%s/socket", rig->folder);
	snprintf(path, sizeof(path), "%s/models", rig->folder);
	if (mkdir(path, 0755) < 0) {
		die(path);
	}
	snprintf(path, sizeof(path), "%s/models/m.tflite", rig->folder);
	snprintf(text, sizeof(text), "cp '%s' '%s'", rig->model_path, path);
	if (system(text) != 0) {
		die(rig->model_path);
	}
	snprintf(path, sizeof(path), "%s/edged.conf", rig->folder);
	snprintf(text, sizeof(text),
		"[daemon]\nsocket = %s\nsocket-mode = 0666\nmodels = %s/models\nstate =\n"
		"workers = %ld\nthreads-per-run = 1\nlog-level = warning\ncheck-program = none\n"
		"[limits]\nmax-bytes-per-user = 1G\nmax-bytes = 2G\n",
		rig->socket, rig->folder, rig->workers);
	put_file(path, text);
	rig->pid = fork();
	if (rig->pid == 0) {
		execl(rig->program, rig->program, "--config", path, (char *)NULL);
		_exit(127);
	}
}

static void rig_wait(const struct rig *rig)
{
	for (int i = 0; i < 1000; i++) {
		struct edge_client *client = NULL;
		struct edge_client_model *model = NULL;
		int r = edge_client_open(rig->socket, 1000, &client, NULL);
		r = r < 0 ? r : edge_client_describe(client, "m", NULL, 1000, &model, NULL);
		edge_client_model_free(model);
		edge_client_close(client);
		if (r == 0) {
			return;
		}
		usleep(10000);
	}
	fprintf(stderr, "bench: edged does not answer\n");
	exit(1);
}

static void rig_stop(struct rig *rig)
{
	char text[128];
	kill(rig->pid, SIGTERM);
	waitpid(rig->pid, NULL, 0);
	snprintf(text, sizeof(text), "rm -rf '%s'", rig->folder);
	if (system(text) != 0) {
		fprintf(stderr, "bench: %s stays\n", rig->folder);
	}
}

/* ---- asking */

static struct actor actor_of(const struct rig *rig, uint32_t connections, double rate)
{
	return (struct actor){.socket = rig->socket,
		.model = "m",
		.n_connections = connections,
		.rate = rate,
		.result = actor_result_new()};
}

/* All at once. */
static void play(const struct rig *rig, struct actor *actors, unsigned int n)
{
	const uint64_t start = clock_now_ns() + CONNECT_NS;
	for (unsigned int i = 0; i < n; i++) {
		actors[i].start_ns = start;
		actors[i].from_ns = start + SETTLE_NS;
		actors[i].end_ns = actors[i].from_ns + (uint64_t)(rig->seconds * 1e9);
		actor_start(&actors[i]);
	}
	for (unsigned int i = 0; i < n; i++) {
		actor_wait(&actors[i]);
	}
}

static void measure_capacity(struct rig *rig)
{
	struct actor alone = actor_of(rig, 1, 0), many = actor_of(rig, 8, 0);
	alone.window = 1;
	many.window = 2;
	play(rig, &alone, 1);
	play(rig, &many, 1);
	rig->run_us = actor_quantile(alone.result->ok_us, alone.result->n_ok, 0.5);
	rig->capacity = many.result->n_ok / rig->seconds;
	actor_result_free(alone.result);
	actor_result_free(many.result);
	printf("%ld workers, %.0f runs a second, one takes %.0f us, its longest operator %.0f us\n\n",
		rig->workers, rig->capacity, rig->run_us, rig->operator_part * rig->run_us);
}

/* What edged has counted so far. */
static struct edge_client_status status_of(const struct rig *rig)
{
	struct edge_client *client = NULL;
	struct edge_client_status status = {0};
	struct edge_client_error err;
	if (edge_client_open(rig->socket, 1000, &client, &err) < 0 ||
		edge_client_status(client, 1000, &status, &err) < 0) {
		fprintf(stderr, "bench: %s\n", err.text);
		exit(1);
	}
	edge_client_close(client);
	return status;
}

/* What a run took between two of them: longer than alone where the machine had others to serve. */
static double mean_run_us(
	const struct edge_client_status *before, const struct edge_client_status *after)
{
	const uint64_t runs = after->counts[EDGE_CLIENT_OK] - before->counts[EDGE_CLIENT_OK];
	return runs ? (double)(after->run_us - before->run_us) / (double)runs : 0;
}

static void measure_load(struct rig *rig)
{
	static const double loads[] = {0.8, 1, 2, 5, 10};
	double peak = 0, p99_before = 0;
	puts("LOAD  ASKED/s  DONE/s  GOODPUT  RUN us  BUSY  P50 ms  P99 ms  P99/0.8x  TURNED AWAY/s  "
	     "P99 ms  LOST");
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct actor actor = actor_of(rig, CLIENTS, loads[i] * rig->capacity);
		const struct edge_client_status before = status_of(rig);
		play(rig, &actor, 1);
		const struct edge_client_status after = status_of(rig);
		const double run_us = mean_run_us(&before, &after);
		struct actor_result *r = actor.result;
		const double done = r->n_ok / rig->seconds;
		const double p99 = actor_quantile(r->ok_us, r->n_ok, 0.99);
		peak = done > peak ? done : peak;
		p99_before = i == 0 ? p99 : p99_before;
		printf("%4.1f  %7.0f  %6.0f  %6.1f%%  %6.0f  %3.0f%%  %6.1f  %6.1f  %8.2f  %13.0f  %6.2f  "
		       "%4u\n",
			loads[i], r->n_due / rig->seconds, done, 100 * done / peak, run_us,
			100 * done * run_us / 1e6 / (double)rig->workers,
			actor_quantile(r->ok_us, r->n_ok, 0.5) / 1e3, p99 / 1e3, p99 / p99_before,
			r->n_turned_away / rig->seconds,
			actor_quantile(r->turned_away_us, r->n_turned_away, 0.99) / 1e3,
			r->n_lost + r->n_other);
		fflush(stdout);
		actor_result_free(r);
	}
	puts("");
}

/* Equal users ask for their part, one for a hundred of them. */
static void measure_fairness(struct rig *rig)
{
	struct actor actors[USERS + 1];
	const double part = rig->capacity / (USERS + 1);
	double sum = 0, squares = 0, least = INFINITY;
	if (geteuid() != 0) {
		puts("fairness: skipped, only root can be several users\n");
		return;
	}
	for (unsigned int i = 0; i <= USERS; i++) {
		actors[i] =
			actor_of(rig, i < USERS ? 4 : CLIENTS / 2, i < USERS ? part : ABUSE * part);
		actors[i].uid = FIRST_UID + i;
	}
	play(rig, actors, USERS + 1);
	for (unsigned int i = 0; i < USERS; i++) {
		struct actor_result *r = actors[i].result;
		const double share = r->n_due ? (double)r->n_ok / r->n_due : 0;
		sum += share;
		squares += share * share;
		least = share < least ? share : least;
	}
	printf("%d users that ask for their part (%.0f/s) beside one that asks for %d: Jain %.4f, "
	       "answered %.1f%%, the least %.1f%%, the abuser's %.0f/s\n\n",
		USERS, part, ABUSE, sum * sum / (USERS * squares), 100 * sum / USERS, 100 * least,
		actors[USERS].result->n_ok / rig->seconds);
	for (unsigned int i = 0; i <= USERS; i++) {
		actor_result_free(actors[i].result);
	}
}

static double urgent_p99(const struct rig *rig, bool with_batch, double *ret_batch)
{
	struct actor actors[2] = {actor_of(rig, 1, PROBES), actor_of(rig, 4, 0)};
	actors[0].priority = EDGE_CLIENT_REALTIME;
	actors[1].priority = EDGE_CLIENT_BATCH;
	actors[1].window = 4;
	play(rig, actors, with_batch ? 2 : 1);
	const double p99 = actor_quantile(actors[0].result->ok_us, actors[0].result->n_ok, 0.99);
	*ret_batch = actors[1].result->n_ok / rig->seconds;
	actor_result_free(actors[0].result);
	actor_result_free(actors[1].result);
	return p99;
}

static void measure_urgent(const struct rig *rig)
{
	double batch = 0;
	const double before = urgent_p99(rig, false, &batch);
	const double beside = urgent_p99(rig, true, &batch);
	printf("realtime p99 alone %.2f ms, beside batch work (%.0f/s) %.2f ms: %.2f ms more; one "
	       "operator and 1 ms are %.2f\n\n",
		before / 1e3, batch, beside / 1e3, (beside - before) / 1e3,
		rig->operator_part * rig->run_us / 1e3 + 1);
}

/* After 10 times as much: when the last of those that are turned away, at half of what can be done, was
 * due. */
static void measure_recovery(const struct rig *rig)
{
	struct actor flood = actor_of(rig, CLIENTS / 2, 10 * rig->capacity);
	flood.start_ns = clock_now_ns() + CONNECT_NS;
	flood.from_ns = flood.start_ns;
	flood.end_ns = flood.start_ns + 2 * SETTLE_NS;
	actor_start(&flood);
	struct actor after = actor_of(rig, 1, 0);
	after.window = 1;
	after.start_ns = after.from_ns = flood.end_ns;
	after.end_ns = after.start_ns + SETTLE_NS;
	actor_start(&after);
	actor_wait(&flood);
	actor_wait(&after);
	const struct actor_result *r = after.result;
	double sum = 0, late = 0;
	for (uint32_t i = 0; i < r->n_ok; i++) {
		sum += r->ok_us[i];
		late = r->ok_us[i] > 2 * rig->run_us && i < 20 ? sum : late;
	}
	printf("recovery: after 10x, %u turned away in the next second, the last slow answer of the "
	       "first 20 came after %.1f ms\n",
		r->n_turned_away, late / 1e3);
	actor_result_free(flood.result);
	actor_result_free(after.result);
}

/* ---- the model */

struct steps {
	double sum, longest;
};

static int add_step(void *context, const struct edge_step *step)
{
	struct steps *steps = context;
	steps->sum += step->microseconds;
	steps->longest = step->microseconds > steps->longest ? step->microseconds : steps->longest;
	return 0;
}

/* The longest operator's part of a run, as predicted. */
static double part_of_longest(const char *path)
{
	struct error err = {0};
	struct steps steps = {0};
	struct edge_model *model = NULL;
	const struct edge_options options = {
		.backends = backends_builtin(), .cpu_features = ~UINT64_C(0)};
	if (edge_model_open_file(path, &options, &model, &err) < 0 ||
		edge_model_steps(model, 0, add_step, &steps) < 0) {
		fprintf(stderr, "bench: %s: %s\n", path, err.text);
		exit(1);
	}
	edge_model_unref(model);
	return steps.sum > 0 ? steps.longest / steps.sum : 1;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("Usage: overload EDGED MODEL.tflite [SECONDS [WORKERS]]\n", stderr);
		return 2;
	}
	struct rig rig = {.program = argv[1],
		.model_path = argv[2],
		.seconds = argc > 3 ? strtod(argv[3], NULL) : 5,
		.workers = argc > 4 ? strtol(argv[4], NULL, 10) : 0};
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	rig.workers = rig.workers > 0 ? rig.workers : cores > 1 ? cores - 1 : 1;
	rig.operator_part = part_of_longest(rig.model_path);
	rig_start(&rig);
	rig_wait(&rig);
	measure_capacity(&rig);
	measure_load(&rig);
	measure_fairness(&rig);
	measure_urgent(&rig);
	measure_recovery(&rig);
	rig_stop(&rig);
	return 0;
}
