/* SPDX-License-Identifier: Apache-2.0 */
/* top: the daemon's activity once a second, until interrupted. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/edgectl/view/fields.h"
#include "client/edgectl/view/screen.h"
#include "client/edgectl/view/stats_view.h"

#define INTERVAL_MS 1000

/* The daemon's counters at one moment. */
struct sample {
	struct edge_client_status status;
	struct edge_client_stats *stats;
};

static int sample_take(struct edge_client *client, const struct cli_settings *s,
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

/* Adds a percentile of the requests in @now that are not in @before. */
static void add_percentile(struct fields *f, const char *title,
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
	stats_view_percentile(f, title, &between, part);
	free(buckets);
}

/* ---- the page */

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
		rate(before, now, stats_view_failures(before->status.counts),
			stats_view_failures(s->counts)),
		s->running, s->workers, queued[EDGE_CLIENT_CONTROL], queued[EDGE_CLIENT_REALTIME],
		queued[EDGE_CLIENT_NORMAL], queued[EDGE_CLIENT_BATCH]);
}

/* Two moments, for the columns of rates. */
struct interval {
	const struct sample *before, *now;
};

static double rate_in(const struct interval *interval, uint64_t before, uint64_t now)
{
	return rate(interval->before, interval->now, before, now);
}

static void model_fields(struct fields *f, const void *record, const void *context)
{
	static const struct edge_client_stats_model none = {0};
	const struct interval *interval = context;
	const struct edge_client_stats_model *model = record;
	const struct edge_client_stats_model *earlier =
		f->heading ? NULL : model_of(interval->before, model->name);
	earlier = earlier ? earlier : &none;
	const struct edge_client_timing *now = model->phases, *before = earlier->phases;
	fields_text(f, "MODEL", NULL, model->name);
	fields_text(f, "STATE", NULL, model->state);
	fields_real(f, "OK/S", NULL, 1,
		rate_in(interval, earlier->counts[EDGE_CLIENT_OK], model->counts[EDGE_CLIENT_OK]));
	fields_real(f, "FAILED/S", NULL, 1,
		rate_in(interval, stats_view_failures(earlier->counts),
			stats_view_failures(model->counts)));
	const unsigned int queue = EDGE_CLIENT_PHASE_QUEUE, compute = EDGE_CLIENT_PHASE_COMPUTE;
	const unsigned int total = EDGE_CLIENT_PHASE_TOTAL;
	add_percentile(f, "QUEUE", &before[queue], &now[queue], 0.5);
	add_percentile(f, "COMPUTE", &before[compute], &now[compute], 0.5);
	add_percentile(f, "P50", &before[total], &now[total], 0.5);
	add_percentile(f, "P99", &before[total], &now[total], 0.99);
	add_percentile(f, "P99.9", &before[total], &now[total], 0.999);
}

static void user_fields(struct fields *f, const void *record, const void *context)
{
	static const struct edge_client_stats_user none = {0};
	const struct interval *interval = context;
	const struct edge_client_stats_user *user = record;
	const struct edge_client_stats_user *earlier = user_of(interval->before, user->uid);
	char name[64];
	earlier = earlier ? earlier : &none;
	fields_cell(f, "USER", false, "%s", stats_view_user(name, sizeof(name), user->uid));
	fields_integer(f, "CLIENTS", NULL, user->clients);
	fields_integer(f, "QUEUED", NULL, user->queued);
	fields_real(f, "OK/S", NULL, 1, rate_in(interval, earlier->requests, user->requests));
	fields_cell(
		f, "BUSY", true, "%.0f %%", rate_in(interval, earlier->run_us, user->run_us) / 1e4);
}

static int print_page(const struct edge_client *client, const struct sample *before,
	const struct sample *now, FILE *out, const struct cli_settings *s)
{
	const struct interval interval = {before, now};
	const struct edge_client_stats *stats = now->stats;
	print_head(client, before, now, out);
	fputc('\n', out);
	int r = fields_print_table(
		FIELDS_LIST(model_fields, &interval, stats->models, stats->n_models), out, s);
	if (r == 0) {
		fputc('\n', out);
		r = fields_print_table(
			FIELDS_LIST(user_fields, &interval, stats->users, stats->n_users), out, s);
	}
	return r;
}

/* ---- main loop */

static int show(struct screen *screen, const struct edge_client *client,
	const struct sample *before, const struct sample *now, const struct cli_settings *s)
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
static int follow(struct screen *screen, struct edge_client *client, const struct cli_settings *s,
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

int cmd_top(const struct cli_settings *s)
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
