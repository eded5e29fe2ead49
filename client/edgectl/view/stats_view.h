/* SPDX-License-Identifier: Apache-2.0 */
/* stats_view - prints the daemon's statistics as tables or as JSON */
#ifndef CLIENT_EDGECTL_VIEW_STATS_VIEW_H
#define CLIENT_EDGECTL_VIEW_STATS_VIEW_H

#include <stdio.h>

#include "client/edgectl/cli.h"
#include "client/lib/edge_client.h"
#include "client/pipeline/json_builder.h"

#define STATS_VIEW_TIME_SIZE 16

/* Formats a time with three significant digits: "850 us", "1.25 ms", "3.1 s"; "-" for 0. */
const char *stats_view_time(char out[STATS_VIEW_TIME_SIZE], uint64_t ns);

/* Writes the name of a user id, or the number; escaped. */
const char *stats_view_user(char *out, size_t size, uint32_t uid);

/* Adds an object with one member for each status. */
void stats_view_put_counts(struct json_document *document, const char *key,
	const uint64_t counts[EDGE_CLIENT_N_CODES]);
/* Adds queue, backends, users and models to the open object. */
void stats_view_put(struct json_document *document, const struct edge_client_stats *stats);

/* Prints tables of queue, users and models, each after an empty line. Returns a negative errno
 * if writing failed. */
int must_check stats_view_print(
	const struct edge_client_stats *stats, FILE *out, const struct settings *settings);

#endif
