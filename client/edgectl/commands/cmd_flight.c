/* SPDX-License-Identifier: Apache-2.0 */
/* flight: the daemon's most recent requests, from the daemon or from a file that it wrote. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/flight_record.h"
#include "base/own.h"
#include "base/status.h"
#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/edgectl/view/fields.h"
#include "client/edgectl/view/stats_view.h"
#include "client/lib/connection.h"
#include "client/media/byte_source.h"

#define TIME_SIZE 40
#define MAX_FILE_BYTES (FLIGHT_HEAD_BYTES + FLIGHT_RECORDS * sizeof(struct flight_record))

static const char *const class_names[] = {"normal", "batch", "realtime", "control"};

/* The recorder's bytes, and its records in order. */
struct flights {
	void *bytes;
	size_t size;
	struct flight_view view;
	struct flight_record *records;
	size_t n;
};

static void flights_deinit(struct flights *flights)
{
	free(flights->bytes);
	free(flights->records);
}

/* ---- input */

static int read_file(const char *path, struct flights *flights, struct error *err)
{
	owned_source struct source source = {0};
	char shown[200];
	int r = source_open_file(path, MAX_FILE_BYTES, &source, err);
	if (r < 0) {
		error_prefix(err, "%s", error_escape(shown, sizeof(shown), path, strlen(path)));
		return r;
	}
	flights->size = source.size;
	flights->bytes = take(source.data);
	return 0;
}

static int request_records(const struct cli_settings *s, struct flights *flights, struct error *err)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	int r = remote_open(s->socket, s->timeout_ms, &client, err);
	return r < 0 ? r
		     : connection_ask(client, WIRE_FLIGHT, remote_timeout_ms(s->timeout_ms),
			       &flights->bytes, &flights->size, err);
}

static int by_seq(const void *a, const void *b)
{
	const uint64_t x = ((const struct flight_record *)a)->seq;
	const uint64_t y = ((const struct flight_record *)b)->seq;
	return (x > y) - (x < y);
}

static int flights_sort(struct flights *flights, struct error *err)
{
	int r = flight_view_open(flights->bytes, flights->size, &flights->view, err);
	if (r < 0) {
		return r;
	}
	const uint32_t n = flights->view.header.n_records;
	flights->records = calloc((size_t)n + 1, sizeof(*flights->records));
	if (!flights->records) {
		return error_no_memory(err);
	}
	for (uint32_t i = 0; i < n; i++) {
		flights->records[flights->n] = flight_view_record(&flights->view, i);
		flights->n += flights->records[flights->n].seq > 0;
	}
	qsort(flights->records, flights->n, sizeof(*flights->records), by_seq);
	return 0;
}

/* ---- output */

/* Formats "2026-01-31 12:00:00.000123", local time. */
static const char *print_time(char out[TIME_SIZE], uint64_t us)
{
	struct tm when;
	const time_t seconds = (time_t)(us / 1000000);
	if (!localtime_r(&seconds, &when) ||
		strftime(out, TIME_SIZE - 8, "%Y-%m-%d %H:%M:%S", &when) == 0) {
		strcpy(out, "-");
		return out;
	}
	snprintf(out + strlen(out), 8, ".%06u", (unsigned int)(us % 1000000));
	return out;
}

static const char *status_of(const struct flight_record *record)
{
	return record->status < EDGE_STATUS_COUNT ? status_name(record->status) : "-";
}

static const char *class_of(const struct flight_record *record)
{
	return record->class < 4 ? class_names[record->class] : "-";
}

static void record_fields(struct fields *f, const void *item, const void *context)
{
	const struct flight_record *record = item;
	char when[TIME_SIZE], name[72], user[64];
	flight_view_name(context, record, name);
	fields_integer(f, NULL, "seq", (int64_t)record->seq);
	fields_cell(f, "ENDED", false, "%s", print_time(when, record->ended_us));
	fields_integer(f, NULL, "ended_us", (int64_t)record->ended_us);
	fields_text(f, "MODEL", NULL, name[0] ? name : "-");
	fields_text(f, NULL, "model", name);
	fields_integer(f, "VERSION", "version", (int64_t)record->version);
	fields_text(f, "STATUS", "status", status_of(record));
	fields_text(f, "CLASS", "class", class_of(record));
	fields_time_us(f, "QUEUE", "queue_us", record->queue_us);
	fields_time_us(f, "COMPUTE", "compute_us", record->compute_us);
	fields_time_us(f, "TOTAL", "total_us", record->total_us);
	fields_integer(f, NULL, "others_us", record->others_us);
	fields_integer(f, "BYTES", "body_bytes", record->body_bytes);
	fields_cell(f, "USER", false, "%s", stats_view_user(user, sizeof(user), record->uid));
	fields_integer(f, NULL, "uid", record->uid);
	fields_integer(f, "PID", "pid", record->pid);
	fields_integer(f, NULL, "id", (int64_t)record->id);
}

static int print_json(const struct flights *flights, const struct fields_list *records)
{
	const struct flight_header *header = &flights->view.header;
	owned_json struct json_document *d = json_builder_document_new(false);
	json_builder_put_integer(d, "pid", header->pid);
	json_builder_put_integer(d, "signal", header->signal);
	json_builder_put_integer(d, "started_us", (int64_t)header->started_us);
	json_builder_put_integer(d, "written_us", (int64_t)header->written_us);
	json_builder_put_integer(d, "requests", (int64_t)header->seq);
	fields_put_list(d, "records", records);
	return json_builder_print(d, stdout, true);
}

static int print(const struct flights *flights, const struct cli_settings *s)
{
	const struct flight_header *header = &flights->view.header;
	const struct fields_list *records =
		FIELDS_LIST(record_fields, &flights->view, flights->records, flights->n);
	char when[TIME_SIZE];
	if (s->format == CLI_FORMAT_JSON) {
		return print_json(flights, records);
	}
	if (s->format == CLI_FORMAT_TABLE && header->signal) {
		report_line("edged, process %u, was ended by signal %u (%s) at %s", header->pid,
			header->signal, strsignal((int)header->signal),
			print_time(when, header->written_us));
	}
	return fields_print(records, s);
}

int cmd_flight(const struct cli_settings *s)
{
	__attribute__((cleanup(flights_deinit))) struct flights flights = {0};
	struct error err = {0};
	const bool file = s->n_arguments > 0;
	int r = file ? read_file(s->arguments[0], &flights, &err)
		     : request_records(s, &flights, &err);
	r = r < 0 ? r : flights_sort(&flights, &err);
	if (r < 0) {
		report_error(NULL, &err);
		return file ? EXIT_UNREADABLE : (int)report_exit_of(&err);
	}
	r = print(&flights, s);
	return report_output(r);
}
