/* SPDX-License-Identifier: Apache-2.0 */
/* server - the state that the files of this folder share: the listening socket and its connections */
#ifndef DAEMON_EDGED_SOCKET_SERVER_H
#define DAEMON_EDGED_SOCKET_SERVER_H

#include <uv.h>

#include "daemon/edged/config/access.h"
#include "daemon/edged/config/config.h"
#include "daemon/edged/serve/serve.h"
#include "daemon/edged/socket/pending_reads.h"
#include "daemon/system/listen.h"

struct conn;
struct ring;
struct events_model;

struct server {
	/* Borrowed; set before listener_start(). */
	const struct config *config;
	const struct config_options *options;
	const struct access *access;
	const struct log *log;
	struct serve *serve;
	uv_loop_t *loop;
	uv_timer_t *trim; /* for process_trim_later() */

	uv_pipe_t listener;
	uv_timer_t retry; /* accepts again: memory was short, or the turn's limit was reached */
	uint64_t accepted_ms; /* when the last connection was accepted, on the loop's clock */
	uint32_t n_accepted; /* connections accepted in this turn of the loop */
	bool listening;
	bool own_file; /* edged made the socket's file and removes it */
	struct listen_file file;

	struct conn *first; /* all connections, newest first */
	struct pending_reads pending_reads;
	struct ring *rings; /* rings of all connections */
	/* connection of the last request by socket; NULL: none, or it came by a ring */
	struct conn *last_active;
	uint32_t unsent; /* replies of all connections that are not written completely */
	uint32_t n_pre_hello; /* connections without HELLO yet */
	uint32_t n_fd_passing; /* connections that agreed on shared memory */
	/* the models in the last event that subscribers got (events.h) */
	struct events {
		struct events_model *models;
		size_t n, capacity;
	} events;
	char scratch[64 << 10]; /* target of reads that are thrown away */
};

#endif
