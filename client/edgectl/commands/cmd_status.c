/* SPDX-License-Identifier: Apache-2.0 */
/* status: the daemon's state and counters. */
#include <errno.h>
#include <string.h>

#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/edgectl/view/power_view.h"
#include "client/edgectl/view/stats_view.h"
#include "client/edgectl/view/text_columns.h"
#include "client/pipeline/json_builder.h"

/* One number, for the table and for JSON. */
struct figure {
	const char *key, *title;
	uint64_t value;
};

#define MAX_FIGURES 16

static size_t list_figures(const struct edge_client_status *s, struct figure *out)
{
	const struct figure all[] = {
		{"models_ready", "models ready", s->models_ready},
		{"models_loading", "models loading", s->models_loading},
		{"models_refused", "models refused", s->models_refused},
		{"models_unloaded", "models unloaded", s->models_unloaded},
		{"held_bytes", "bytes of loaded models", s->held_bytes},
		{"budget_bytes", "bytes that they may have", s->budget_bytes},
		{"clients", "clients", s->clients},
		{"workers", "workers", s->workers},
		{"queue_length", "requests queued", s->queue_length},
		{"running", "requests running", s->running},
		{"resident_bytes", "resident bytes", s->resident_bytes},
		{"charged_bytes", "bytes held for clients", s->charged_bytes},
		{"queue_us", "us queued, sum", s->queue_us},
		{"run_us", "us running, sum", s->run_us},
	};
	_Static_assert(sizeof(all) <= MAX_FIGURES * sizeof(all[0]), "room for all");
	memcpy(out, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

/* The daemon's replies; @stats is NULL before protocol 1.3. */
struct answers {
	const struct edge_client_peer *peer;
	struct edge_client_status status;
	struct edge_client_stats *stats;
	struct edge_client_power power; /* zeroed if the daemon reports none */
};

static int print_json(const struct answers *a, const struct settings *s)
{
	struct figure figures[MAX_FIGURES];
	const size_t n = list_figures(&a->status, figures);
	owned_json struct json_document *d = json_builder_document_new(false);
	json_builder_put_text(d, "name", a->peer->name);
	json_builder_put_text(d, "version", a->peer->version);
	json_builder_put_real(d, "uptime_s", (double)a->status.uptime_us / 1e6);
	for (size_t i = 0; i < n; i++) {
		json_builder_put_integer(d, figures[i].key, (int64_t)figures[i].value);
	}
	stats_view_put_counts(d, "requests", a->status.counts);
	if (a->stats) {
		stats_view_put(d, a->stats);
	}
	power_view_put(d, &a->power);
	const int r = json_builder_print(d, stdout, s->format == CLI_FORMAT_JSON);
	return report_output(r);
}

static int print_counters(const struct answers *a, const struct settings *s)
{
	struct figure figures[MAX_FIGURES];
	const size_t n = list_figures(&a->status, figures);
	owned_grid struct grid grid = {0};
	grid_init(&grid, 2, 0);
	grid_add(&grid, "daemon");
	grid_add(&grid, "%s %s", a->peer->name, a->peer->version);
	grid_add(&grid, "uptime");
	grid_add(&grid, "%.0f s", (double)a->status.uptime_us / 1e6);
	for (size_t i = 0; i < n; i++) {
		grid_add(&grid, "%s", figures[i].title);
		grid_add(&grid, "%llu", (unsigned long long)figures[i].value);
	}
	for (unsigned int i = 0; i < EDGE_CLIENT_N_CODES; i++) {
		if (a->status.counts[i] || i == EDGE_CLIENT_OK) {
			grid_add(&grid, "answered %s", edge_client_code_name(i));
			grid_add(&grid, "%llu", (unsigned long long)a->status.counts[i]);
		}
	}
	power_view_add(&grid, &a->power);
	return grid_print(&grid, stdout, false, s);
}

static int print_tables(const struct answers *a, const struct settings *s)
{
	int r = print_counters(a, s);
	if (r == 0 && a->stats) {
		r = stats_view_print(a->stats, stdout, s);
	}
	return r < 0 ? EXIT_NEGATIVE : EXIT_DONE;
}

static int status_request(struct edge_client *client, const struct settings *s,
	struct answers *answers, struct edge_client_error *why)
{
	const uint32_t timeout_ms = remote_timeout_ms(s->timeout_ms);
	answers->peer = edge_client_peer(client);
	int r = edge_client_status(client, timeout_ms, &answers->status, why);
	if (r == 0) {
		r = edge_client_stats(client, timeout_ms, &answers->stats, why);
	}
	if (r == 0) {
		r = edge_client_power(client, NULL, timeout_ms, &answers->power, why);
	}
	return r == -EOPNOTSUPP ? 0 : r;
}

int cmd_status(const struct settings *s)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	struct answers answers = {0};
	struct edge_client_error why = {0};
	struct error err = {0};
	int r = remote_open(s->socket, s->timeout_ms, &client, &err);
	if (r == 0 && status_request(client, s, &answers, &why) < 0) {
		r = remote_error(&why, &err);
	}
	if (r < 0) {
		return report_failed(NULL, &err);
	}
	int code =
		s->format == CLI_FORMAT_TABLE ? print_tables(&answers, s) : print_json(&answers, s);
	edge_client_stats_free(answers.stats);
	return code;
}
