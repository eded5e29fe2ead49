/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/view/stats_view.h"

#include <pwd.h>
#include <string.h>

#include "base/error.h"
#include "client/edgectl/view/text_columns.h"

static const char *const class_names[] = {"normal", "batch", "realtime", "control"};
/* by falling urgency */
static const unsigned int class_order[] = {
	EDGE_CLIENT_CONTROL, EDGE_CLIENT_REALTIME, EDGE_CLIENT_NORMAL, EDGE_CLIENT_BATCH};
static const char *const phase_names[EDGE_CLIENT_PHASES] = {"queue", "compute", "total"};
static const struct {
	const char *key;
	double quantile;
} percentiles[] = {{"p50_us", 0.5}, {"p90_us", 0.9}, {"p99_us", 0.99}, {"p999_us", 0.999}};

#define N_PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

const char *stats_view_time(char out[STATS_VIEW_TIME_SIZE], uint64_t ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
	size_t i = 0;
	while (i < 2 && (double)ns >= 999.5 * units[i].ns) {
		i++;
	}
	const double value = (double)ns / units[i].ns;
	const int places = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	if (ns == 0) {
		strcpy(out, "-");
	} else {
		snprintf(out, STATS_VIEW_TIME_SIZE, "%.*f %s", places, value, units[i].name);
	}
	return out;
}

const char *stats_view_user(char *out, size_t size, uint32_t uid)
{
	const struct passwd *user = getpwuid((uid_t)uid);
	if (user) {
		return error_escape(out, size, user->pw_name, strlen(user->pw_name));
	}
	snprintf(out, size, "%u", uid);
	return out;
}

static uint64_t failures_of(const struct edge_client_stats_model *model)
{
	uint64_t n = 0;
	for (unsigned int i = 0; i < EDGE_CLIENT_N_CODES; i++) {
		n += i == EDGE_CLIENT_OK ? 0 : model->counts[i];
	}
	return n;
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

static void put_model(struct json_document *d, const struct edge_client_stats_model *model)
{
	json_builder_begin_object(d, NULL);
	json_builder_put_text(d, "name", model->name);
	json_builder_put_text(d, "version", model->version);
	json_builder_put_text(d, "state", model->state);
	json_builder_put_integer(d, "held_bytes", (int64_t)model->held_bytes);
	stats_view_put_counts(d, "requests", model->counts);
	for (unsigned int i = 0; i < EDGE_CLIENT_PHASES; i++) {
		put_timing(d, phase_names[i], &model->phases[i]);
	}
	json_builder_end(d);
}

static void put_user(struct json_document *d, const struct edge_client_stats *stats,
	const struct edge_client_stats_user *user)
{
	char name[64];
	json_builder_begin_object(d, NULL);
	json_builder_put_integer(d, "uid", user->uid);
	json_builder_put_text(d, "user", stats_view_user(name, sizeof(name), user->uid));
	json_builder_put_integer(d, "clients", user->clients);
	json_builder_put_integer(d, "queued", user->queued);
	json_builder_put_integer(d, "charged_bytes", (int64_t)user->charged_bytes);
	json_builder_put_integer(d, "requests", (int64_t)user->requests);
	json_builder_put_integer(d, "run_us", (int64_t)user->run_us);
	json_builder_put_real(d, "share", share_of(stats, user));
	json_builder_end(d);
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
	json_builder_begin_list(d, "users");
	for (size_t i = 0; i < stats->n_users; i++) {
		put_user(d, stats, &stats->users[i]);
	}
	json_builder_end(d);
	json_builder_begin_list(d, "models");
	for (size_t i = 0; i < stats->n_models; i++) {
		put_model(d, &stats->models[i]);
	}
	json_builder_end(d);
}

/* ---- tables */

static void add_time(struct grid *grid, uint64_t ns)
{
	char shown[STATS_VIEW_TIME_SIZE];
	grid_add(grid, "%s", stats_view_time(shown, ns));
}

static int print_queue(
	const struct edge_client_stats *stats, FILE *out, const struct settings *settings)
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

static int print_users(
	const struct edge_client_stats *stats, FILE *out, const struct settings *settings)
{
	char name[64];
	owned_grid struct grid grid = {0};
	grid_begin(&grid, "USER|CLIENTS|QUEUED|BYTES|OK|SHARE", 0x3e);
	for (size_t i = 0; i < stats->n_users; i++) {
		const struct edge_client_stats_user *user = &stats->users[i];
		grid_add(&grid, "%s", stats_view_user(name, sizeof(name), user->uid));
		grid_add(&grid, "%u", user->clients);
		grid_add(&grid, "%u", user->queued);
		grid_add(&grid, "%llu", (unsigned long long)user->charged_bytes);
		grid_add(&grid, "%llu", (unsigned long long)user->requests);
		grid_add(&grid, "%.0f %%", 100 * share_of(stats, user));
	}
	return grid_print(&grid, out, true, settings);
}

static void add_model(struct grid *grid, const struct edge_client_stats_model *model)
{
	const struct edge_client_timing *total = &model->phases[EDGE_CLIENT_PHASE_TOTAL];
	grid_add_escaped(grid, model->name);
	grid_add_escaped(grid, model->version);
	grid_add_escaped(grid, model->state);
	grid_add(grid, "%llu", (unsigned long long)model->counts[EDGE_CLIENT_OK]);
	grid_add(grid, "%llu", (unsigned long long)failures_of(model));
	add_time(grid, edge_client_percentile_ns(&model->phases[EDGE_CLIENT_PHASE_QUEUE], 0.5));
	add_time(grid, edge_client_percentile_ns(&model->phases[EDGE_CLIENT_PHASE_COMPUTE], 0.5));
	for (size_t i = 0; i < N_PERCENTILES; i++) {
		add_time(grid, edge_client_percentile_ns(total, percentiles[i].quantile));
	}
}

static int print_models(
	const struct edge_client_stats *stats, FILE *out, const struct settings *settings)
{
	owned_grid struct grid grid = {0};
	grid_begin(&grid, "MODEL|VERSION|STATE|OK|FAILED|QUEUE|COMPUTE|P50|P90|P99|P99.9", 0x7f8);
	for (size_t i = 0; i < stats->n_models; i++) {
		add_model(&grid, &stats->models[i]);
	}
	return grid_print(&grid, out, true, settings);
}

int stats_view_print(
	const struct edge_client_stats *stats, FILE *out, const struct settings *settings)
{
	int r = print_queue(stats, out, settings);
	if (r == 0) {
		fputc('\n', out);
		r = print_users(stats, out, settings);
	}
	if (r == 0) {
		fputc('\n', out);
		r = print_models(stats, out, settings);
	}
	return r;
}
