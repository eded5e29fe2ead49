/* SPDX-License-Identifier: Apache-2.0 */
/* stats_view - what a daemon counted, for people and for programs */
#ifndef CLIENT_STATS_VIEW_H
#define CLIENT_STATS_VIEW_H

#include <stdio.h>

#include "client/cli.h"
#include "client/edge_client.h"
#include "client/json.h"

#define STATS_VIEW_TIME_SIZE 16

/* "850 us", "1.25 ms", "3.1 s": three digits that count; "-" for 0. */
const char *stats_view_time(char out[STATS_VIEW_TIME_SIZE], uint64_t ns);

/* "NAME" of a user id, or its number; escaped. */
const char *stats_view_user(char *out, size_t size, uint32_t uid);

/* An object with a member for each status. */
void stats_view_put_counts(struct json_document *document, const char *key,
	const uint64_t counts[EDGE_CLIENT_N_CODES]);
/* Members queue, backends, users and models of the object that is open. */
void stats_view_put(struct json_document *document, const struct edge_client_stats *stats);

/* Tables of queue, users and models with an empty line before each. A negative errno. */
int must_check stats_view_print(
	const struct edge_client_stats *stats, FILE *out, const struct settings *settings);

#endif
