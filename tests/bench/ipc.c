/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc - cost of a round trip to the daemon, compared with the machine's lower bound
 *
 *   ipc [-c N] [--warmup N] [--spin US] [--json] MODEL
 *
 * Asks the daemon at $EDGED_SOCKET. It moves the daemon's threads to one core meanwhile, so it runs as
 * the daemon's user or as root. --spin: polls for the answer for up to US microseconds, on two cores
 * only.
 *
 * Measures one request with the tensors in the body; copied by the library to shared memory; in
 * shared memory; and in shared memory through a ring, without and with a copy of the tensors. Then
 * round trips between two processes that do nothing else: bytes over a socketpair, the two wakeups
 * of a ring, and on one core sched_yield(). All with both sides on one core and on two cores;
 * polling without sleep on two cores only.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/own.h"
#include "client/lib/edge_client.h"
#include "tests/bench/cpu_pinning.h"
#include "tests/bench/ipc_floor.h"

#define LEARNING 300u /* warm-up rounds: edged learns how long the model takes */
#define MAX_ROWS 20
#define FEW_BYTES 64u
#define TIMEOUT_MS 10000u
#define MOST 1000000ul /* rounds, microseconds */

struct settings {
	const char *model;
	uint32_t count, warmup, spin_us;
	bool json;
};

struct row {
	const char *what, *cores;
	double p50_us, p99_us;
	double cpu_us; /* of edged, per request, with the run; 0: not told */
};

/* cores to which client and daemon are pinned */
struct cores {
	const char *name;
	int client, daemon;
};

struct ipc {
	const struct settings *settings;
	struct edge_client *client; /* tensors in the body, or in the region */
	struct edge_client *usual; /* with the library's defaults */
	struct edge_client *ring; /* with a ring; NULL if the daemon has none */
	struct edge_client_model *model;
	struct edge_client_tensor *inputs, *shared_inputs;
	struct edge_client_place *places;
	struct edge_client_request request, shared_request;
	void *data, *own; /* shared memory, and a private buffer of equal size */
	size_t bytes, input_bytes; /* of @data, and of the inputs at its start */
	uint32_t n_places;
	pid_t daemon;
	uint64_t *ns; /* one time for each round */
	struct row rows[MAX_ROWS];
	unsigned int n_rows;
	struct ipc_floor floor;
};

static void ipc_deinit(struct ipc *ipc)
{
	if (ipc->data) {
		munmap(ipc->data, ipc->bytes);
	}
	free(ipc->inputs);
	free(ipc->shared_inputs);
	free(ipc->places);
	free(ipc->ns);
	free(ipc->own);
	edge_client_model_free(ipc->model);
	edge_client_close(ipc->ring);
	edge_client_close(ipc->usual);
	edge_client_close(ipc->client);
}

static int remote_error(const struct edge_client_error *from, struct error *err)
{
	return error_set(err, from->code, "%s", from->text);
}

static int open_client(struct edge_client **ret_client, struct error *err)
{
	struct edge_client_error why = {0};
	int r = edge_client_open(NULL, TIMEOUT_MS, ret_client, &why);
	return r < 0 ? remote_error(&why, err) : 0;
}

/* ---- the request */

static uint64_t room_of(const struct edge_client_tensor_info *info)
{
	return bytes_align_up(info->bytes ? info->bytes : 1, 64);
}

static bool has_place(const struct edge_client_tensor_info *info)
{
	return !info->run_time_shape && info->type != EDGE_CLIENT_STRING;
}

static int add_region(struct ipc *ipc, struct edge_client *client, int fd, uint32_t *ret_region,
	struct error *err)
{
	struct edge_client_error why = {0};
	int r = edge_client_region_add(client, fd, ipc->bytes,
		EDGE_CLIENT_INPUTS | EDGE_CLIENT_OUTPUTS, TIMEOUT_MS, ret_region, &why);
	return r < 0 ? remote_error(&why, err) : 0;
}

/* Opens a connection with a ring. Its region must get the number of the first connection's
 * region. */
static int share_with_ring(struct ipc *ipc, int fd, uint32_t region, struct error *err)
{
	struct edge_client_error why = {0};
	uint32_t own = 0;
	if (!edge_client_peer(ipc->client)->has_rings) {
		return 0;
	}
	int r = open_client(&ipc->ring, err);
	r = r < 0 ? r : add_region(ipc, ipc->ring, fd, &own, err);
	if (r == 0 && own != region) {
		return error_set(err, -EPROTO, "region %u is %u for another", region, own);
	}
	if (r == 0 && edge_client_use_ring(ipc->ring, TIMEOUT_MS, &why) < 0) {
		return remote_error(&why, err);
	}
	return r;
}

static int share(struct ipc *ipc, const struct edge_client_signature *s, struct error *err)
{
	struct edge_client_error why = {0};
	uint64_t bytes = 0;
	uint32_t region = 0;
	owned_fd int fd = -1;
	for (uint32_t i = 0; i < s->n_inputs; i++) {
		bytes += room_of(&s->inputs[i]);
	}
	ipc->input_bytes = (size_t)bytes;
	for (uint32_t i = 0; i < s->n_outputs; i++) {
		bytes += has_place(&s->outputs[i]) ? room_of(&s->outputs[i]) : 0;
	}
	ipc->own = calloc(1, (size_t)bytes + 1);
	if (!ipc->own) {
		return error_no_memory(err);
	}
	if (edge_client_memory_new((size_t)bytes, &fd, &ipc->data, &why) < 0) {
		return remote_error(&why, err);
	}
	ipc->bytes = (size_t)bytes;
	int r = add_region(ipc, ipc->client, fd, &region, err);
	r = r < 0 ? r : share_with_ring(ipc, fd, region, err);
	for (uint32_t i = 0; i < s->n_inputs; i++) {
		ipc->shared_inputs[i].region = region;
	}
	for (uint32_t i = 0; i < ipc->n_places; i++) {
		ipc->places[i].region = region;
	}
	return r;
}

/* Places the inputs first, then the outputs; all bytes are zero. */
static void lay_out(struct ipc *ipc, const struct edge_client_signature *s)
{
	uint64_t at = 0;
	for (uint32_t i = 0; i < s->n_inputs; i++) {
		ipc->inputs[i] = (struct edge_client_tensor){.index = i,
			.type = s->inputs[i].type,
			.shape = s->inputs[i].shape,
			.bytes = (size_t)s->inputs[i].bytes};
		ipc->shared_inputs[i] = ipc->inputs[i];
		ipc->shared_inputs[i].offset = at;
		at += room_of(&s->inputs[i]);
	}
	for (uint32_t i = 0; i < s->n_outputs; i++) {
		if (has_place(&s->outputs[i])) {
			ipc->places[ipc->n_places++] = (struct edge_client_place){
				.output = i, .offset = at, .room = s->outputs[i].bytes};
			at += room_of(&s->outputs[i]);
		}
	}
}

static int ask_prepare(struct ipc *ipc, struct error *err)
{
	const struct edge_client_signature *s = &ipc->model->signatures[0];
	for (uint32_t i = 0; i < s->n_inputs; i++) {
		if (s->inputs[i].type == EDGE_CLIENT_STRING) {
			return error_set(err, -EINVAL, "this needs a model without text inputs");
		}
	}
	ipc->inputs = calloc((size_t)s->n_inputs + 1, sizeof(ipc->inputs[0]));
	ipc->shared_inputs = calloc((size_t)s->n_inputs + 1, sizeof(ipc->inputs[0]));
	ipc->places = calloc((size_t)s->n_outputs + 1, sizeof(ipc->places[0]));
	ipc->ns = calloc(ipc->settings->count, sizeof(ipc->ns[0]));
	if (!ipc->inputs || !ipc->shared_inputs || !ipc->places || !ipc->ns) {
		return error_no_memory(err);
	}
	lay_out(ipc, s);
	int r = share(ipc, s, err);
	for (uint32_t i = 0; r == 0 && i < s->n_inputs; i++) {
		ipc->inputs[i].data = (uint8_t *)ipc->data + ipc->shared_inputs[i].offset;
	}
	ipc->request = (struct edge_client_request){
		.model = ipc->model->name, .n_inputs = s->n_inputs, .inputs = ipc->inputs};
	ipc->shared_request = ipc->request;
	ipc->shared_request.inputs = ipc->shared_inputs;
	ipc->shared_request.n_places = ipc->n_places;
	ipc->shared_request.places = ipc->places;
	return r;
}

/* Returns the daemon's process id; 0 if the socket belongs to a service manager. */
static pid_t daemon_of(const struct edge_client *client)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	char path[64], name[32] = "";
	getsockopt(edge_client_fd(client), SOL_SOCKET, SO_PEERCRED, &peer, &size);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)peer.pid);
	FILE *file = fopen(path, "re");
	if (file) {
		size_t n = fread(name, 1, sizeof(name) - 1, file);
		name[n] = 0;
		fclose(file);
	}
	return strncmp(name, "edged", 5) == 0 ? peer.pid : 0;
}

static int ipc_open(struct ipc *ipc, struct error *err)
{
	const struct settings *s = ipc->settings;
	struct edge_client_error why = {0};
	int r = open_client(&ipc->client, err);
	if (r < 0) {
		return r;
	}
	r = edge_client_describe(ipc->client, s->model, NULL, TIMEOUT_MS, &ipc->model, &why);
	if (r < 0) {
		return remote_error(&why, err);
	}
	r = open_client(&ipc->usual, err);
	if (r < 0) {
		return r;
	}
	ipc->daemon = daemon_of(ipc->client);
	edge_client_set_share_from(ipc->client, 0);
	edge_client_set_spin(ipc->client, s->spin_us);
	edge_client_set_spin(ipc->usual, s->spin_us);
	r = ask_prepare(ipc, err);
	if (ipc->ring) {
		edge_client_set_spin(ipc->ring, s->spin_us);
	}
	return r;
}

/* ---- rounds */

typedef int (*round_fn)(struct ipc *ipc, struct error *err);

static int ask(
	struct edge_client *client, const struct edge_client_request *request, struct error *err)
{
	struct edge_client_answer *answer = NULL;
	struct edge_client_error why = {0};
	if (edge_client_infer(client, request, TIMEOUT_MS, &answer, &why) < 0) {
		return remote_error(&why, err);
	}
	edge_client_answer_free(answer);
	return 0;
}

static int round_body(struct ipc *ipc, struct error *err)
{
	return ask(ipc->client, &ipc->request, err);
}

static int round_usual(struct ipc *ipc, struct error *err)
{
	return ask(ipc->usual, &ipc->request, err);
}

static int round_shared(struct ipc *ipc, struct error *err)
{
	return ask(ipc->client, &ipc->shared_request, err);
}

static int round_ring(struct ipc *ipc, struct error *err)
{
	return ask(ipc->ring, &ipc->shared_request, err);
}

/* Inputs are copied in from, and outputs copied out to, a private buffer. */
static int round_copied(struct ipc *ipc, struct error *err)
{
	const size_t n = ipc->input_bytes;
	memcpy(ipc->data, ipc->own, n);
	int r = ask(ipc->ring, &ipc->shared_request, err);
	memcpy((uint8_t *)ipc->own + n, (const uint8_t *)ipc->data + n, ipc->bytes - n);
	return r;
}

static int round_floor(struct ipc *ipc, struct error *err)
{
	return ipc_floor_ask(&ipc->floor, err);
}

/* Returns the CPU time of edged in ns, or 0. */
static uint64_t daemon_cpu_ns(const struct ipc *ipc)
{
	clockid_t id;
	struct timespec time = {0};
	if (!ipc->daemon || clock_getcpuclockid(ipc->daemon, &id) != 0 ||
		clock_gettime(id, &time) < 0) {
		return 0;
	}
	return (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static int measure(
	struct ipc *ipc, const char *what, const char *cores, round_fn fn, struct error *err)
{
	const uint32_t n = ipc->settings->count;
	int r = 0;
	for (uint32_t i = 0; i < LEARNING + ipc->settings->warmup && r == 0; i++) {
		r = fn(ipc, err);
	}
	uint64_t cpu_ns = daemon_cpu_ns(ipc);
	for (uint32_t i = 0; i < n && r == 0; i++) {
		uint64_t start = clock_now_ns();
		r = fn(ipc, err);
		ipc->ns[i] = clock_now_ns() - start;
	}
	cpu_ns = daemon_cpu_ns(ipc) - cpu_ns;
	if (r < 0) {
		return r;
	}
	qsort(ipc->ns, n, sizeof(ipc->ns[0]), compare_ns);
	ipc->rows[ipc->n_rows++] = (struct row){.what = what,
		.cores = cores,
		.p50_us = (double)ipc->ns[(n - 1) / 2] / 1e3,
		.p99_us = (double)ipc->ns[((uint64_t)n * 99 + 99) / 100 - 1] / 1e3,
		.cpu_us = fn == round_floor ? 0 : (double)cpu_ns / 1e3 / n};
	return 0;
}

/* Returns the bytes of all tensors in the body. */
static uint64_t bytes_of(const struct edge_client_tensor_info *tensors, uint32_t n)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < n; i++) {
		bytes += tensors[i].bytes;
	}
	return bytes;
}

/* Pins the child process of ipc_floor as the other side. */
static int measure_floor(struct ipc *ipc, const struct ipc_floor *floor, const char *what,
	const struct cores *on, struct error *err)
{
	struct pins pins;
	ipc->floor = *floor;
	int r = ipc_floor_start(&ipc->floor, err);
	r = r < 0 ? r : pins_init(&pins, ipc->floor.pid, err);
	if (r == 0) {
		r = pins_set(&pins, on->client, on->daemon, err);
		r = r < 0 ? r : measure(ipc, what, on->name, round_floor, err);
		pins_deinit(&pins);
	}
	ipc_floor_stop(&ipc->floor);
	return r;
}

static int measure_floors(struct ipc *ipc, const struct cores *on, struct error *err)
{
	const struct edge_client_signature *s = &ipc->model->signatures[0];
	const uint64_t there = bytes_of(s->inputs, s->n_inputs);
	const uint64_t back = bytes_of(s->outputs, s->n_outputs);
	const struct ipc_floor few = {.bytes_there = FEW_BYTES, .bytes_back = FEW_BYTES};
	const struct ipc_floor all = {
		.bytes_there = (uint32_t)there, .bytes_back = (uint32_t)(back ? back : 1)};
	const struct ipc_floor ring = {.kind = IPC_FLOOR_RING}, spin = {.kind = IPC_FLOOR_SPIN};
	const struct ipc_floor ways = {.kind = IPC_FLOOR_WAYS};
	int r = measure_floor(ipc, &few, "ping-pong of 64 bytes", on, err);
	if (r == 0 && there > FEW_BYTES && there + back <= UINT32_MAX) {
		r = measure_floor(ipc, &all, "ping-pong of as many bytes", on, err);
	}
	r = r < 0 ? r : measure_floor(ipc, &ring, "ping-pong of two wake-ups", on, err);
	if (r == 0 && on->client == on->daemon) {
		r = measure_floor(ipc, &ways, "ping-pong giving way", on, err);
	}
	if (r == 0 && ipc->settings->spin_us) {
		r = measure_floor(ipc, &spin, "ping-pong without sleep", on, err);
	}
	return r;
}

/* True if the library shares inputs of this size by default. */
static bool hands_over(const struct ipc *ipc)
{
	const struct edge_client_signature *s = &ipc->model->signatures[0];
	return edge_client_peer(ipc->usual)->has_regions &&
		bytes_of(s->inputs, s->n_inputs) >= EDGE_CLIENT_SHARE_FROM;
}

static int measure_on(struct ipc *ipc, const struct cores *on, struct error *err)
{
	struct pins pins;
	int r = measure_floors(ipc, on, err);
	r = r < 0 ? r : pins_init(&pins, ipc->daemon, err);
	if (r < 0) {
		return r;
	}
	r = pins_set(&pins, on->client, on->daemon, err);
	r = r < 0 ? r : measure(ipc, "tensors in the body", on->name, round_body, err);
	if (r == 0 && hands_over(ipc)) {
		r = measure(ipc, "inputs copied to shared memory", on->name, round_usual, err);
	}
	r = r < 0 ? r : measure(ipc, "tensors in shared memory", on->name, round_shared, err);
	if (r == 0 && ipc->ring) {
		r = measure(ipc, "all in shared memory", on->name, round_ring, err);
		r = r < 0 ? r : measure(ipc, "all there, with a copy", on->name, round_copied, err);
	}
	pins_deinit(&pins);
	return r;
}

static int measure_all(struct ipc *ipc, struct error *err)
{
	struct pins pins;
	int r = pins_init(&pins, 0, err);
	if (r < 0) {
		return r;
	}
	pins_deinit(&pins);
	if (!ipc->daemon) {
		return error_set(err, -EPERM, "this needs an edged that opened its socket itself");
	}
	const struct cores one = {"one", pins.cores[0], pins.cores[0]};
	const struct cores two = {"two", pins.cores[0], pins.cores[1]};
	if (ipc->settings->spin_us && two.daemon < 0) {
		return error_set(
			err, -EOPNOTSUPP, "there is one core: nobody can do without sleep");
	}
	r = ipc->settings->spin_us ? 0 : measure_on(ipc, &one, err);
	return r == 0 && two.daemon >= 0 ? measure_on(ipc, &two, err) : r;
}

/* ---- output */

static void print_table(const struct ipc *ipc)
{
	printf("%-32s %-5s %10s %10s %10s\n", "ROUND TRIP", "CORES", "P50 us", "P99 us", "CPU us");
	for (unsigned int i = 0; i < ipc->n_rows; i++) {
		const struct row *row = &ipc->rows[i];
		printf("%-32s %-5s %10.2f %10.2f ", row->what, row->cores, row->p50_us,
			row->p99_us);
		if (row->cpu_us > 0) {
			printf("%10.2f\n", row->cpu_us);
		} else {
			printf("%10s\n", "-");
		}
	}
}

static void print_json(const struct ipc *ipc)
{
	for (unsigned int i = 0; i < ipc->n_rows; i++) {
		const struct row *row = &ipc->rows[i];
		printf("%s{\"round_trip\": \"%s\", \"cores\": \"%s\", \"p50_us\": %.3f, \"p99_us\": %.3f, "
		       "\"cpu_us\": %.3f}",
			i ? ",\n " : "[", row->what, row->cores, row->p50_us, row->p99_us,
			row->cpu_us);
	}
	puts("]");
}

static bool read_count(const char *text, uint32_t *ret)
{
	char *end = NULL;
	const unsigned long n = strtoul(text, &end, 10);
	*ret = (uint32_t)n;
	return end != text && *end == 0 && n <= MOST;
}

static bool read_settings(int argc, char **argv, struct settings *s)
{
	static const struct option options[] = {{"warmup", required_argument, NULL, 'w'},
		{"spin", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'}, {0}};
	bool valid = true;
	for (int o; (o = getopt_long(argc, argv, "c:", options, NULL)) != -1;) {
		switch (o) {
		case 'c':
			valid = read_count(optarg, &s->count) && s->count > 0 && valid;
			break;
		case 'w':
			valid = read_count(optarg, &s->warmup) && valid;
			break;
		case 's':
			valid = read_count(optarg, &s->spin_us) && valid;
			break;
		case 'j':
			s->json = true;
			break;
		default:
			valid = false;
		}
	}
	s->model = argv[optind];
	return valid && optind + 1 == argc;
}

int main(int argc, char **argv)
{
	struct settings settings = {.count = 100, .warmup = 5};
	__attribute__((cleanup(ipc_deinit))) struct ipc ipc = {.settings = &settings};
	struct error err = {0};
	if (!read_settings(argc, argv, &settings)) {
		fputs("usage: ipc [-c N] [--warmup N] [--spin US] [--json] MODEL\n", stderr);
		return 2;
	}
	int r = ipc_open(&ipc, &err);
	r = r < 0 ? r : measure_all(&ipc, &err);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", settings.model, err.text);
		return 1;
	}
	if (settings.json) {
		print_json(&ipc);
	} else {
		print_table(&ipc);
	}
	return 0;
}
