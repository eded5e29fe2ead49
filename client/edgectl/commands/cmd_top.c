/* SPDX-License-Identifier: Apache-2.0 */
/* top: the daemon's activity once a second, until interrupted. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/edgectl/view/screen.h"
#include "client/edgectl/view/stats_view.h"
#include "client/edgectl/view/text_columns.h"

#define INTERVAL_MS 1000

/* The daemon's counters at one moment. */
struct sample {
	struct edge_client_status status;
	struct edge_client_stats *stats;
};

static int sample_take(struct edge_client *client, const struct settings *s,
	struct sample *ret_sample, struct edge_client_error *why)
{
	const uint32_t timeout_ms = remote_timeout_ms(s->timeout_ms);
	int r = edge_client_status(client, timeout_ms, &ret_sample->status, why);
	return r < 0 ? r : edge_client_stats(client, timeout_ms, &ret_sample->stats, why);
}

/* ---- differences of two samples */

/* Returns the increase per second. */
static double rate(const struct sample *before, const struct sample *now, uint64_t a, uint64_t b)
{
	const uint64_t us = now->status.uptime_us - before->status.uptime_us;
	return us > 0 && b >= a ? (double)(b - a) * 1e6 / (double)us : 0;
}

static const struct edge_client_stats_model *model_of(const struct sample *sample, const char *name)
{
	for (size_t i = 0; i < sample->stats->n_models; i++) {
		if (strcmp(sample->stats->models[i].name, name) == 0) {
			return &sample->stats->models[i];
		}
	}
	return NULL;
}

static const struct edge_client_stats_user *user_of(const struct sample *sample, uint32_t uid)
{
	for (size_t i = 0; i < sample->stats->n_users; i++) {
		if (sample->stats->users[i].uid == uid) {
			return &sample->stats->users[i];
		}
	}
	return NULL;
}

static uint64_t count_of(const struct edge_client_timing *timing, uint64_t low_ns)
{
	for (uint32_t i = 0; timing && i < timing->n_buckets; i++) {
		if (timing->buckets[i].low_ns == low_ns) {
			return timing->buckets[i].count;
		}
	}
	return 0;
}

/* Percentile of the requests in @now that are not in @before. */
static uint64_t percentile(
	const struct edge_client_timing *before, const struct edge_client_timing *now, double part)
{
	struct edge_client_bucket *buckets = calloc((size_t)now->n_buckets + 1, sizeof(*buckets));
	struct edge_client_timing between = {.max_ns = now->max_ns, .buckets = buckets};
	for (uint32_t i = 0; buckets && i < now->n_buckets; i++) {
		const struct edge_client_bucket *bucket = &now->buckets[i];
		const uint64_t seen = count_of(before, bucket->low_ns);
		buckets[i] = *bucket;
		/* the daemon halved the counts */
		buckets[i].count -= seen <= bucket->count ? seen : 0;
		between.n_buckets++;
	}
	const uint64_t ns = edge_client_percentile_ns(&between, part);
	free(buckets);
	return ns;
}

/* ---- the page */

static uint64_t failures(const uint64_t counts[EDGE_CLIENT_N_CODES])
{
	uint64_t n = 0;
	for (unsigned int i = 0; i < EDGE_CLIENT_N_CODES; i++) {
		n += i == EDGE_CLIENT_OK ? 0 : counts[i];
	}
	return n;
}

static double megabytes(uint64_t bytes)
{
	return (double)bytes / 1e6;
}

static void print_head(const struct edge_client *client, const struct sample *before,
	const struct sample *now, FILE *out)
{
	const struct edge_client_status *s = &now->status;
	const uint64_t up = s->uptime_us / 1000000;
	const uint32_t *queued = now->stats->queued;
	fprintf(out,
		"%s %s, up %llu:%02u:%02u, %u clients, %.1f MB resident, models %.1f of %.0f MB\n",
		edge_client_peer(client)->name, edge_client_peer(client)->version,
		(unsigned long long)(up / 3600), (unsigned int)(up / 60 % 60),
		(unsigned int)(up % 60), s->clients, megabytes(s->resident_bytes),
		megabytes(s->held_bytes), megabytes(s->budget_bytes));
	fprintf(out,
		"%.1f answers/s, %.1f failures/s, %u of %u workers run, queued: %u control, %u realtime, %u normal, %u batch\n",
		rate(before, now, before->status.counts[EDGE_CLIENT_OK], s->counts[EDGE_CLIENT_OK]),
		rate(before, now, failures(before->status.counts), failures(s->counts)), s->running,
		s->workers, queued[EDGE_CLIENT_CONTROL], queued[EDGE_CLIENT_REALTIME],
		queued[EDGE_CLIENT_NORMAL], queued[EDGE_CLIENT_BATCH]);
}

static void add_percentile(struct grid *grid, const struct edge_client_stats_model *before,
	const struct edge_client_stats_model *now, enum edge_client_phase phase, double part)
{
	char shown[STATS_VIEW_TIME_SIZE];
	const struct edge_client_timing *earlier = before ? &before->phases[phase] : NULL;
	grid_add(
		grid, "%s", stats_view_time(shown, percentile(earlier, &now->phases[phase], part)));
}

static void add_model(struct grid *grid, const struct sample *before, const struct sample *now,
	const struct edge_client_stats_model *model)
{
	static const uint64_t none[EDGE_CLIENT_N_CODES];
	const struct edge_client_stats_model *earlier = model_of(before, model->name);
	const uint64_t *counts = earlier ? earlier->counts : none;
	char name[128], state[64];
	grid_add(grid, "%s", error_escape(name, sizeof(name), model->name, strlen(model->name)));
	grid_add(
		grid, "%s", error_escape(state, sizeof(state), model->state, strlen(model->state)));
	grid_add(grid, "%.1f",
		rate(before, now, counts[EDGE_CLIENT_OK], model->counts[EDGE_CLIENT_OK]));
	grid_add(grid, "%.1f", rate(before, now, failures(counts), failures(model->counts)));
	add_percentile(grid, earlier, model, EDGE_CLIENT_PHASE_QUEUE, 0.5);
	add_percentile(grid, earlier, model, EDGE_CLIENT_PHASE_COMPUTE, 0.5);
	add_percentile(grid, earlier, model, EDGE_CLIENT_PHASE_TOTAL, 0.5);
	add_percentile(grid, earlier, model, EDGE_CLIENT_PHASE_TOTAL, 0.99);
	add_percentile(grid, earlier, model, EDGE_CLIENT_PHASE_TOTAL, 0.999);
}

static int print_models(
	const struct sample *before, const struct sample *now, FILE *out, const struct settings *s)
{
	owned_grid struct grid grid = {0};
	grid_begin(&grid, "MODEL|STATE|OK/S|FAILED/S|QUEUE|COMPUTE|P50|P99|P99.9", 0x1fc);
	for (size_t i = 0; i < now->stats->n_models; i++) {
		add_model(&grid, before, now, &now->stats->models[i]);
	}
	return grid_print(&grid, out, true, s);
}

static int print_users(
	const struct sample *before, const struct sample *now, FILE *out, const struct settings *s)
{
	char name[64];
	owned_grid struct grid grid = {0};
	grid_begin(&grid, "USER|CLIENTS|QUEUED|OK/S|BUSY", 0x1e);
	for (size_t i = 0; i < now->stats->n_users; i++) {
		const struct edge_client_stats_user *user = &now->stats->users[i];
		const struct edge_client_stats_user *earlier = user_of(before, user->uid);
		grid_add(&grid, "%s", stats_view_user(name, sizeof(name), user->uid));
		grid_add(&grid, "%u", user->clients);
		grid_add(&grid, "%u", user->queued);
		grid_add(&grid, "%.1f",
			rate(before, now, earlier ? earlier->requests : 0, user->requests));
		grid_add(&grid, "%.0f %%",
			rate(before, now, earlier ? earlier->run_us : 0, user->run_us) / 1e4);
	}
	return grid_print(&grid, out, true, s);
}

static int print_page(const struct edge_client *client, const struct sample *before,
	const struct sample *now, FILE *out, const struct settings *s)
{
	print_head(client, before, now, out);
	fputc('\n', out);
	int r = print_models(before, now, out, s);
	if (r == 0) {
		fputc('\n', out);
		r = print_users(before, now, out, s);
	}
	return r;
}

/* ---- main loop */

static int show(struct screen *screen, const struct edge_client *client,
	const struct sample *before, const struct sample *now, const struct settings *s)
{
	owned_mem char *text = NULL;
	size_t size = 0;
	FILE *page = open_memstream(&text, &size);
	if (!page) {
		return -ENOMEM;
	}
	int r = print_page(client, before, now, page, s);
	if (fclose(page) != 0) {
		return -ENOMEM;
	}
	return r < 0 ? r : screen_show(screen, text);
}

/* The first page also covers one second: restored counters are older than the daemon, so no rate
 * follows from them. */
static int follow(struct screen *screen, struct edge_client *client, const struct settings *s,
	struct error *err)
{
	struct edge_client_error why = {0};
	struct sample before = {0};
	int r = 0;
	for (uint32_t i = 0; r == 0; i++) {
		struct sample now = {0};
		r = sample_take(client, s, &now, &why) < 0 ? remote_error(&why, err) : 0;
		if (r == 0 && i > 0 && show(screen, client, &before, &now, s) < 0) {
			r = error_set(err, -EIO, "standard output: %s", strerror(errno));
		}
		edge_client_stats_free(before.stats);
		before = now;
		if (r < 0 || (i > 0 && i == s->repeat) || !screen_wait(screen, INTERVAL_MS)) {
			break;
		}
	}
	edge_client_stats_free(before.stats);
	return r;
}

int cmd_top(const struct settings *s)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	struct error err = {0};
	struct screen screen;
	int r = remote_open(s->socket, s->timeout_ms, &client, &err);
	if (r == 0) {
		screen_begin(&screen);
		r = follow(&screen, client, s, &err);
		screen_end(&screen);
	}
	if (r == 0) {
		return EXIT_DONE;
	}
	return report_failed(NULL, &err);
}
