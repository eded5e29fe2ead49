/* SPDX-License-Identifier: Apache-2.0 */
/* stats_view - prints the daemon's statistics as tables or as JSON */
#ifndef CLIENT_EDGECTL_VIEW_STATS_VIEW_H
#define CLIENT_EDGECTL_VIEW_STATS_VIEW_H

#include <stdio.h>

#include "client/edgectl/cli.h"
#include "client/edgectl/view/fields.h"
#include "client/lib/edge_client.h"

/* Writes the name of a user id, or the number; escaped. */
const char *stats_view_user(char *out, size_t size, uint32_t uid);

/* Returns the requests that did not succeed. */
uint64_t stats_view_failures(const uint64_t counts[EDGE_CLIENT_N_CODES]);
/* Adds a percentile to the table. */
void stats_view_percentile(struct fields *fields, const char *title,
	const struct edge_client_timing *timing, double quantile);

/* Adds an object with one member for each status. */
void stats_view_put_counts(struct json_document *document, const char *key,
	const uint64_t counts[EDGE_CLIENT_N_CODES]);
/* Adds queue, backends, users and models to the open object. */
void stats_view_put(struct json_document *document, const struct edge_client_stats *stats);

/* Prints tables of queue, users and models, each after an empty line. Returns a negative errno
 * if writing failed. */
int must_check stats_view_print(
	const struct edge_client_stats *stats, FILE *out, const struct cli_settings *settings);

#endif
