/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/view/stats_view.h"

#include <pwd.h>
#include <string.h>

#include "base/error.h"
#include "client/edgectl/view/grid.h"

static const char *const class_names[] = {"normal", "batch", "realtime", "control"};
/* by falling urgency */
static const unsigned int class_order[] = {
	EDGE_CLIENT_CONTROL, EDGE_CLIENT_REALTIME, EDGE_CLIENT_NORMAL, EDGE_CLIENT_BATCH};
static const char *const phase_names[EDGE_CLIENT_PHASES] = {"queue", "compute", "total"};
static const struct {
	const char *title, *key;
	double quantile;
} percentiles[] = {{"P50", "p50_us", 0.5}, {"P90", "p90_us", 0.9}, {"P99", "p99_us", 0.99},
	{"P99.9", "p999_us", 0.999}};

#define N_PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

const char *stats_view_user(char *out, size_t size, uint32_t uid)
{
	const struct passwd *user = getpwuid((uid_t)uid);
	if (user) {
		return error_escape(out, size, user->pw_name, strlen(user->pw_name));
	}
	snprintf(out, size, "%u", uid);
	return out;
}

uint64_t stats_view_failures(const uint64_t counts[EDGE_CLIENT_N_CODES])
{
	uint64_t n = 0;
	for (unsigned int i = 0; i < EDGE_CLIENT_N_CODES; i++) {
		n += i == EDGE_CLIENT_OK ? 0 : counts[i];
	}
	return n;
}

void stats_view_percentile(struct fields *fields, const char *title,
	const struct edge_client_timing *timing, double quantile)
{
	fields_time_ns(fields, title, edge_client_percentile_ns(timing, quantile));
}

/* Returns the user's fraction of the total run time; 0 without any. */
static double share_of(
	const struct edge_client_stats *stats, const struct edge_client_stats_user *user)
{
	uint64_t all = 0;
	for (size_t i = 0; i < stats->n_users; i++) {
		all += stats->users[i].run_us;
	}
	return all ? (double)user->run_us / (double)all : 0;
}

/* ---- JSON */

void stats_view_put_counts(
	struct json_document *d, const char *key, const uint64_t counts[EDGE_CLIENT_N_CODES])
{
	json_builder_begin_object(d, key);
	for (unsigned int i = 0; i < EDGE_CLIENT_N_CODES; i++) {
		json_builder_put_integer(d, edge_client_code_name(i), (int64_t)counts[i]);
	}
	json_builder_end(d);
}

static void put_timing(
	struct json_document *d, const char *key, const struct edge_client_timing *timing)
{
	json_builder_begin_object(d, key);
	json_builder_put_integer(d, "count", (int64_t)timing->count);
	json_builder_put_real(d, "sum_us", (double)timing->sum_ns / 1e3);
	for (size_t i = 0; i < N_PERCENTILES; i++) {
		json_builder_put_real(d, percentiles[i].key,
			(double)edge_client_percentile_ns(timing, percentiles[i].quantile) / 1e3);
	}
	json_builder_put_real(d, "max_us", (double)timing->max_ns / 1e3);
	json_builder_end(d);
}

static void model_fields(struct fields *f, const void *record, const void *context)
{
	const struct edge_client_stats_model *model = record;
	const struct edge_client_timing *total = &model->phases[EDGE_CLIENT_PHASE_TOTAL];
	(void)context;
	fields_text(f, "MODEL", "name", model->name);
	fields_text(f, "VERSION", "version", model->version);
	fields_text(f, "STATE", "state", model->state);
	fields_integer(f, NULL, "held_bytes", (int64_t)model->held_bytes);
	stats_view_put_counts(f->json, "requests", model->counts);
	fields_integer(f, "OK", NULL, (int64_t)model->counts[EDGE_CLIENT_OK]);
	fields_integer(f, "FAILED", NULL, (int64_t)stats_view_failures(model->counts));
	stats_view_percentile(f, "QUEUE", &model->phases[EDGE_CLIENT_PHASE_QUEUE], 0.5);
	stats_view_percentile(f, "COMPUTE", &model->phases[EDGE_CLIENT_PHASE_COMPUTE], 0.5);
	for (size_t i = 0; i < N_PERCENTILES; i++) {
		stats_view_percentile(f, percentiles[i].title, total, percentiles[i].quantile);
	}
	for (unsigned int i = 0; i < EDGE_CLIENT_PHASES; i++) {
		put_timing(f->json, phase_names[i], &model->phases[i]);
	}
}

static void user_fields(struct fields *f, const void *record, const void *context)
{
	const struct edge_client_stats_user *user = record;
	const double share = share_of(context, user);
	char name[64];
	fields_integer(f, NULL, "uid", user->uid);
	fields_text(f, "USER", "user", stats_view_user(name, sizeof(name), user->uid));
	fields_integer(f, "CLIENTS", "clients", user->clients);
	fields_integer(f, "QUEUED", "queued", user->queued);
	fields_integer(f, "BYTES", "charged_bytes", (int64_t)user->charged_bytes);
	fields_integer(f, "OK", "requests", (int64_t)user->requests);
	fields_integer(f, NULL, "run_us", (int64_t)user->run_us);
	fields_cell(f, "SHARE", true, "%.0f %%", 100 * share);
	fields_real(f, NULL, "share", 0, share);
}

static void put_lines(struct json_document *d, const char *key, const char *lines)
{
	json_builder_begin_list(d, key);
	while (*lines) {
		const size_t length = strcspn(lines, "\n");
		json_builder_put_bytes(d, NULL, lines, length);
		lines += length + (lines[length] != 0);
	}
	json_builder_end(d);
}

void stats_view_put(struct json_document *d, const struct edge_client_stats *stats)
{
	json_builder_begin_object(d, "queue");
	for (unsigned int i = 0; i < 4; i++) {
		json_builder_put_integer(
			d, class_names[class_order[i]], stats->queued[class_order[i]]);
	}
	json_builder_end(d);
	put_lines(d, "backends", stats->backends);
	fields_put_list(d, "users", FIELDS_LIST(user_fields, stats, stats->users, stats->n_users));
	fields_put_list(
		d, "models", FIELDS_LIST(model_fields, NULL, stats->models, stats->n_models));
}

/* ---- tables */

static int print_queue(
	const struct edge_client_stats *stats, FILE *out, const struct cli_settings *settings)
{
	owned_grid struct grid grid = {0};
	grid_init(&grid, 2, 0);
	for (unsigned int i = 0; i < 4; i++) {
		grid_add(&grid, "queued %s", class_names[class_order[i]]);
		grid_add(&grid, "%u", stats->queued[class_order[i]]);
	}
	grid_add(&grid, "backends");
	grid_add_escaped(&grid, stats->backends);
	return grid_print(&grid, out, false, settings);
}

static int print_list(
	const struct fields_list *list, FILE *out, const struct cli_settings *settings)
{
	fputc('\n', out);
	return fields_print_table(list, out, settings);
}

int stats_view_print(
	const struct edge_client_stats *stats, FILE *out, const struct cli_settings *settings)
{
	const struct fields_list *users =
		FIELDS_LIST(user_fields, stats, stats->users, stats->n_users);
	const struct fields_list *models =
		FIELDS_LIST(model_fields, NULL, stats->models, stats->n_models);
	int r = print_queue(stats, out, settings);
	r = r < 0 ? r : print_list(users, out, settings);
	return r < 0 ? r : print_list(models, out, settings);
}
