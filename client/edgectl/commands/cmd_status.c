/* SPDX-License-Identifier: Apache-2.0 */
/* status: the daemon's state and counters. */
#include <errno.h>

#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/edgectl/view/stats_view.h"

/* The daemon's replies; @stats is NULL before protocol 1.3. */
struct answers {
	const struct edge_client_peer *peer;
	struct edge_client_status status;
	struct edge_client_stats *stats;
	struct edge_client_power power; /* zeroed if the daemon reports none */
};

/* Adds the temperature and power of the machine: rows to a vertical table, or an object "power";
 * nothing if no sensor was read. */
static void power_fields(struct fields *f, const struct edge_client_power *power)
{
	const double temperature = power->temperature_mc / 1e3, limit = power->limit_mc / 1e3;
	const double watts = power->power_mw / 1e3, idle = power->idle_mw / 1e3;
	if (!power->has_temperature && !power->has_meter) {
		return;
	}
	json_builder_begin_object(f->json, "power");
	fields_text(f, NULL, "policy", power->policy);
	json_builder_put_bool(f->json, "batch_turned_away", power->refuses_batch);
	fields_integer(f, NULL, "duty_percent", power->duty);
	json_builder_put_bool(f->json, "current", power->current);
	if (power->has_temperature) {
		fields_cell(f, "temperature", false, "%.1f C of %.1f C (%s)", temperature, limit,
			power->sensor);
		fields_text(f, NULL, "sensor", power->sensor);
		fields_real(f, NULL, "temperature_c", 0, temperature);
		fields_real(f, NULL, "limit_c", 0, limit);
	}
	if (power->has_meter) {
		fields_cell(f, "power", false, "%.2f W (%.2f W without work)", watts, idle);
		fields_real(f, NULL, "power_w", 0, watts);
		fields_real(f, NULL, "idle_w", 0, idle);
	}
	if (!power->refuses_batch && power->duty == 100) {
		fields_cell(f, "held back", false, "nothing (%s)", power->policy);
	} else {
		fields_cell(f, "held back", false, "%sworkers run %u%% of the time (%s)",
			power->refuses_batch ? "batch work, " : "", power->duty, power->policy);
	}
	json_builder_end(f->json);
}

static void status_fields(struct fields *f, const struct answers *a)
{
	const struct edge_client_status *s = &a->status;
	const double uptime_s = (double)s->uptime_us / 1e6;
	char title[64];
	fields_cell(f, "daemon", false, "%s %s", a->peer->name, a->peer->version);
	fields_text(f, NULL, "name", a->peer->name);
	fields_text(f, NULL, "version", a->peer->version);
	fields_cell(f, "uptime", false, "%.0f s", uptime_s);
	fields_real(f, NULL, "uptime_s", 0, uptime_s);
	fields_integer(f, "models ready", "models_ready", s->models_ready);
	fields_integer(f, "models loading", "models_loading", s->models_loading);
	fields_integer(f, "models refused", "models_refused", s->models_refused);
	fields_integer(f, "models unloaded", "models_unloaded", s->models_unloaded);
	fields_integer(f, "bytes of loaded models", "held_bytes", (int64_t)s->held_bytes);
	fields_integer(f, "bytes that they may have", "budget_bytes", (int64_t)s->budget_bytes);
	fields_integer(f, "clients", "clients", s->clients);
	fields_integer(f, "workers", "workers", s->workers);
	fields_integer(f, "requests queued", "queue_length", s->queue_length);
	fields_integer(f, "requests running", "running", s->running);
	fields_integer(f, "resident bytes", "resident_bytes", (int64_t)s->resident_bytes);
	fields_integer(f, "bytes held for clients", "charged_bytes", (int64_t)s->charged_bytes);
	fields_integer(f, "us queued, sum", "queue_us", (int64_t)s->queue_us);
	fields_integer(f, "us running, sum", "run_us", (int64_t)s->run_us);
	for (unsigned int i = 0; i < EDGE_CLIENT_N_CODES; i++) {
		if (s->counts[i] || i == EDGE_CLIENT_OK) {
			snprintf(title, sizeof(title), "answered %s", edge_client_code_name(i));
			fields_integer(f, title, NULL, (int64_t)s->counts[i]);
		}
	}
	stats_view_put_counts(f->json, "requests", s->counts);
	if (f->json && a->stats) {
		stats_view_put(f->json, a->stats);
	}
	power_fields(f, &a->power);
}

static int print(const struct answers *a, const struct cli_settings *s)
{
	if (s->format != CLI_FORMAT_TABLE) {
		owned_json struct json_document *d = json_builder_document_new(false);
		status_fields(&(struct fields){.json = d}, a);
		return json_builder_print(d, stdout, s->format == CLI_FORMAT_JSON);
	}
	owned_grid struct grid grid = {0};
	grid_init(&grid, 2, 0);
	status_fields(&(struct fields){.grid = &grid, .vertical = true}, a);
	int r = grid_print(&grid, stdout, false, s);
	return r < 0 || !a->stats ? r : stats_view_print(a->stats, stdout, s);
}

static int status_request(struct edge_client *client, const struct cli_settings *s,
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

int cmd_status(const struct cli_settings *s)
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
	int code = report_output(print(&answers, s));
	edge_client_stats_free(answers.stats);
	return code;
}
