/* SPDX-License-Identifier: Apache-2.0 */
/* bench: repeats one request, on one or more sessions or connections at once. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/strings.h"
#include "client/edgectl/commands.h"
#include "client/edgectl/report.h"
#include "client/edgectl/target.h"
#include "client/edgectl/view/node_view.h"
#include "engine/edge.h"

struct bench_client { /* one session or connection, and its measurements */
	pthread_t thread;
	struct target *target;
	struct tensor_bytes *inputs;
	uint64_t *ns; /* time of each run; @count entries */
	uint64_t *node_ns; /* shortest time of each node; NULL without --per-op */
	uint32_t n_nodes;
	uint32_t warmup, count;
	bool started;
	bool show_progress;
	struct error err; /* code 0: all runs succeeded */
};

struct bench {
	const struct cli_settings *settings;
	bool local;
	struct bench_client *clients;
	uint32_t n_clients;
	uint64_t wall_ns;
};

struct latencies {
	double min_ms, p50_ms, p90_ms, p99_ms, max_ms, mean_ms, per_second;
	size_t n;
};

static void bench_client_deinit(struct bench_client *client)
{
	for (uint32_t i = 0; client->inputs && i < client->target->n_inputs; i++) {
		tensor_free(&client->inputs[i]);
	}
	free(client->inputs);
	free(client->ns);
	free(client->node_ns);
	target_free(client->target);
}

static void bench_deinit(struct bench *bench)
{
	for (uint32_t i = 0; i < bench->n_clients; i++) {
		bench_client_deinit(&bench->clients[i]);
	}
	free(bench->clients);
}

/* Fills 8-bit inputs with noise, identical in every run. Wider types, which may be indices, are
 * zero; strings are empty. */
static int make_inputs(struct bench_client *client, struct error *err)
{
	const struct target *t = client->target;
	uint32_t seed = 1;
	client->inputs = calloc((size_t)t->n_inputs + 1, sizeof(client->inputs[0]));
	if (!client->inputs) {
		return error_no_memory(err);
	}
	for (uint32_t i = 0; i < t->n_inputs; i++) {
		struct tensor_bytes *tensor = &client->inputs[i];
		const struct tensor_spec *spec = &t->inputs[i];
		int r = spec->type == DTYPE_STRING
			? tensor_new_strings(&spec->shape, tensor, err)
			: tensor_new(spec->type, &spec->shape, tensor, err);
		if (r < 0) {
			return r;
		}
		bool is_byte = tensor->type == DTYPE_INT8 || tensor->type == DTYPE_UINT8;
		for (uint64_t k = 0; is_byte && k < tensor->bytes; k++) {
			seed = seed * 1664525u + 1013904223u;
			((uint8_t *)tensor->data)[k] = (uint8_t)(seed >> 24);
		}
	}
	return 0;
}

static void keep_min_node_times(struct bench_client *client)
{
	const uint64_t *ns = edge_session_node_ns(client->target->session);
	for (uint32_t i = 0; ns && i < client->n_nodes; i++) {
		client->node_ns[i] = ns[i] < client->node_ns[i] ? ns[i] : client->node_ns[i];
	}
}

static void *bench_client_main(void *data)
{
	struct bench_client *client = data;
	uint64_t ignored = 0, progress_ns = 0;
	int r = 0;
	for (uint32_t i = 0; i < client->warmup && r == 0; i++) {
		r = target_run(client->target, client->inputs, &ignored, &client->err);
	}
	for (uint32_t i = 0; i < client->count && r == 0; i++) {
		r = target_run(client->target, client->inputs, &client->ns[i], &client->err);
		if (r == 0 && client->node_ns) {
			keep_min_node_times(client);
		}
		if (client->show_progress) {
			report_progress("runs", i, client->count, &progress_ns);
		}
	}
	report_progress_end(progress_ns);
	return NULL;
}

static int prepare_profile(struct bench_client *client, struct error *err)
{
	client->n_nodes = edge_model_node_count(client->target->model);
	client->node_ns = calloc((size_t)client->n_nodes + 1, sizeof(client->node_ns[0]));
	if (!client->node_ns) {
		return error_no_memory(err);
	}
	memset(client->node_ns, 0xff, client->n_nodes * sizeof(client->node_ns[0]));
	int r = edge_session_profile(client->target->session, true);
	return r < 0 ? error_set(err, r, "profile: %s", strerror(-r)) : 0;
}

static int prepare_client(struct bench *bench, uint32_t i, struct target *first, struct error *err)
{
	const struct cli_settings *s = bench->settings;
	struct bench_client *client = &bench->clients[i];
	client->count = s->count / bench->n_clients + (i < s->count % bench->n_clients);
	client->warmup = s->warmup;
	client->show_progress = i == 0 && !s->quiet;
	int r = 0;
	if (i == 0) {
		client->target = first;
	} else {
		r = target_open_again(first, &client->target, err);
	}
	r = r < 0 ? r : make_inputs(client, err);
	if (r == 0 && i == 0 && s->per_op) {
		r = prepare_profile(client, err);
	}
	client->ns = calloc((size_t)client->count + 1, sizeof(client->ns[0]));
	return r < 0 ? r : client->ns ? 0 : error_no_memory(err);
}

static int open_first(struct bench *bench, struct target **ret_target, struct error *err)
{
	const struct cli_settings *s = bench->settings;
	struct target_options options = {.socket = s->socket,
		.priority = (unsigned int)s->priority,
		.latest_key = s->latest_key,
		.timeout_ms = s->timeout_ms,
		.cpu = s->cpu,
		.threads = s->threads};
	const char *name = s->arguments[0];
	return bench->local ? target_open_file(name, &options, ret_target, err)
			    : target_open_model(name, &options, ret_target, err);
}

static int prepare(struct bench *bench, struct error *err)
{
	struct target *first = NULL;
	int r = open_first(bench, &first, err);
	if (r < 0) {
		return r;
	}
	uint32_t n = bench->settings->clients;
	bench->clients = calloc(n, sizeof(bench->clients[0]));
	if (!bench->clients) {
		target_free(first);
		return error_no_memory(err);
	}
	bench->n_clients = n;
	bench->clients[0].target = first;
	for (uint32_t i = 0; i < n && r == 0; i++) {
		r = prepare_client(bench, i, first, err);
	}
	return r;
}

static int run_clients(struct bench *bench, struct error *err)
{
	uint64_t start = clock_now_ns();
	int r = 0;
	for (uint32_t i = 1; i < bench->n_clients && r == 0; i++) {
		r = -pthread_create(
			&bench->clients[i].thread, NULL, bench_client_main, &bench->clients[i]);
		bench->clients[i].started = r == 0;
	}
	if (r == 0) {
		bench_client_main(&bench->clients[0]);
	}
	for (uint32_t i = 1; i < bench->n_clients; i++) {
		if (bench->clients[i].started) {
			pthread_join(bench->clients[i].thread, NULL);
		}
	}
	bench->wall_ns = clock_now_ns() - start;
	if (r < 0) {
		return error_set(err, r, "thread: %s", strerror(-r));
	}
	for (uint32_t i = 0; i < bench->n_clients; i++) {
		if (bench->clients[i].err.code) {
			*err = bench->clients[i].err;
			return err->code;
		}
	}
	return 0;
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* Nearest rank: the shortest time that at least @percent of the runs did not exceed. */
static double percentile_ms(const uint64_t *sorted, size_t n, unsigned int percent)
{
	size_t rank = (n * percent + 99) / 100;
	return (double)sorted[rank ? rank - 1 : 0] / 1e6;
}

static int latencies_compute(const struct bench *bench, struct latencies *f)
{
	size_t n = bench->settings->count, at = 0;
	owned_mem uint64_t *all = calloc(n, sizeof(all[0]));
	double sum = 0, runs = 0;
	if (!all) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < bench->n_clients; i++) {
		const struct bench_client *client = &bench->clients[i];
		memcpy(all + at, client->ns, client->count * sizeof(all[0]));
		at += client->count;
		runs += client->count + client->warmup; /* wall_ns includes the warm-up */
	}
	qsort(all, n, sizeof(all[0]), compare_ns);
	for (size_t i = 0; i < n; i++) {
		sum += (double)all[i];
	}
	*f = (struct latencies){
		.min_ms = (double)all[0] / 1e6,
		.p50_ms = percentile_ms(all, n, 50),
		.p90_ms = percentile_ms(all, n, 90),
		.p99_ms = percentile_ms(all, n, 99),
		.max_ms = (double)all[n - 1] / 1e6,
		.mean_ms = sum / (double)n / 1e6,
		.per_second = runs / ((double)bench->wall_ns / 1e9),
		.n = n,
	};
	return 0;
}

static void latency_fields(struct fields *f, const void *record, const void *context)
{
	const struct latencies *latencies = record;
	(void)context;
	fields_integer(f, "RUNS", "runs", (int64_t)latencies->n);
	fields_real(f, "MIN ms", "min_ms", 3, latencies->min_ms);
	fields_real(f, "P50 ms", "p50_ms", 3, latencies->p50_ms);
	fields_real(f, "P90 ms", "p90_ms", 3, latencies->p90_ms);
	fields_real(f, "P99 ms", "p99_ms", 3, latencies->p99_ms);
	fields_real(f, "MAX ms", "max_ms", 3, latencies->max_ms);
	fields_real(f, "MEAN ms", "mean_ms", 3, latencies->mean_ms);
	fields_real(f, "RUNS/s", "runs_per_s", 1, latencies->per_second);
}

static int print_bench_table(const struct bench *bench, const struct latencies *latencies)
{
	const struct bench_client *first = &bench->clients[0];
	int r = fields_print_table(
		FIELDS_LIST(latency_fields, NULL, latencies, 1), stdout, bench->settings);
	if (r < 0 || !first->node_ns) {
		return r;
	}
	putchar('\n');
	return node_view_print(first->target->model, 0, first->node_ns, bench->settings);
}

static int print_bench_json(const struct bench *bench, const struct latencies *latencies)
{
	const struct bench_client *first = &bench->clients[0];
	owned_json struct json_document *d = json_builder_document_new(false);
	json_builder_put_text(d, "model", first->target->name);
	json_builder_put_text(d, "version", first->target->version);
	json_builder_put_bool(d, "local", bench->local);
	json_builder_put_integer(d, "at_once", bench->n_clients);
	latency_fields(&(struct fields){.json = d}, latencies, NULL);
	if (first->node_ns) {
		node_view_put(d, first->target->model, 0, first->node_ns);
	}
	return json_builder_print(d, stdout, bench->settings->format == CLI_FORMAT_JSON);
}

static int check_settings(const struct cli_settings *s, bool local)
{
	if (!local && (s->per_op || s->cpu || s->threads > 1)) {
		report_line("bench: --per-op, --cpu and --threads need --local");
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

int cmd_bench(const struct cli_settings *s)
{
	__attribute__((cleanup(bench_deinit))) struct bench bench = {
		.settings = s, .local = s->local || target_names_file(s->arguments[0])};
	struct latencies latencies = {0};
	struct error err = {0};
	int code = check_settings(s, bench.local);
	if (code != EXIT_DONE) {
		return code;
	}
	int r = prepare(&bench, &err);
	r = r < 0 ? r : run_clients(&bench, &err);
	if (r < 0) {
		return report_failed(s->arguments[0], &err);
	}
	r = latencies_compute(&bench, &latencies);
	if (r == 0) {
		r = s->format == CLI_FORMAT_TABLE ? print_bench_table(&bench, &latencies)
						  : print_bench_json(&bench, &latencies);
	}
	return report_output(r);
}
