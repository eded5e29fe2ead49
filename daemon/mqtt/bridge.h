/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bridge - the parts of edged-mqtt and the order in which they start
 *
 * Everything runs in the loop's thread. Broker connects, fsync, state file writes and pin commands
 * run in libuv's worker threads, on data that the loop does not touch meanwhile.
 *
 *   brokers.h           all brokers          receive.c    whom a message is for
 *   request_serve.h     the request queue    command.c    settings set over MQTT
 *   edged_client.h      the edged client     reload.c     the configuration
 *   pipelines.h         the worker process   stats.c      statistics
 *                       and pipelines        bridge_brokers.c   events of brokers
 *   announce.h          retained topics
 *   state_file.h        settings on disk
 */
#ifndef DAEMON_MQTT_BRIDGE_H
#define DAEMON_MQTT_BRIDGE_H

#include <uv.h>

#include "base/log.h"
#include "daemon/mqtt/announce/announce.h"
#include "daemon/mqtt/broker/brokers.h"
#include "daemon/mqtt/broker/log_ratelimit.h"
#include "daemon/mqtt/config/settings.h"
#include "daemon/mqtt/pipelines/pipelines.h"
#include "daemon/mqtt/request/dedup.h"
#include "daemon/mqtt/request/edged_client.h"
#include "daemon/mqtt/request/mqtt_request.h"
#include "daemon/mqtt/state_file.h"
#include "daemon/mqtt/text/topics.h"

#define BRIDGE_SIGNALS 3

/* Settings that come over MQTT (command.c). */
struct bridge_commands {
	struct state_file models_file, pipelines_file; /* in the state folder */
	struct log_ratelimit accepted, refused; /* of the log lines about a command */
};

struct bridge {
	struct log log;
	struct settings settings;
	const char *path, *socket; /* from the command line; NULL: not given */
	char state[CONFIG_PATH_SIZE]; /* path of the state folder; "": none */
	char status_topic[TOPIC_SIZE];
	uv_loop_t loop;
	struct known_models models;
	struct mqtt_requests requests;
	struct dedup dedup;
	struct journal journal;
	struct edged_client edged;
	struct pipelines pipelines;
	struct brokers brokers;
	struct announce announce;
	uv_signal_t signals[BRIDGE_SIGNALS];
	uv_timer_t stats, capability, watchdog;
	uint64_t started_ns;
	struct mqtt_requests_counts counts;
	struct bridge_commands commands;
};

/* Zeroes *bridge, and gives each part what it uses of the others. */
void bridge_init(struct bridge *bridge);

/* Calls bridge_init(), and reads the configuration and the pipelines. *ret_bad is the number of pipelines
 * that were rejected; each was logged. @path and @socket must outlive *bridge. */
int must_check bridge_configure(struct bridge *bridge, const char *path, const char *socket,
	size_t *ret_bad, struct error *err);

/* Runs until a signal ends the program. Returns the exit status. */
int bridge_run(struct bridge *bridge);

/* Closes all handles and connections. The handles close in the loop's next turns. */
void bridge_stop(struct bridge *bridge);

/* Sends READY=1 and a STATUS= line to the service manager. */
void bridge_publish_status(struct bridge *bridge);

/* ---- bridge_brokers.c */

extern const struct brokers_events bridge_brokers_events;
/* Starts and ends connections as the configuration says; see brokers_apply(). */
int must_check bridge_apply_brokers(struct bridge *bridge, struct error *err);

/* ---- stats.c */

/* Publishes the stats topic. */
void stats_on_timer(uv_timer_t *timer);

/* ---- reload.c */

/* Reads the configuration files. Options of the command line override them. */
int must_check reload_read(struct bridge *bridge, struct settings *ret_settings, struct error *err);
/* Subscribes to every topic of the configuration, one subscription for each filter. */
int must_check reload_subscribe_all(
	struct bridge *bridge, struct broker_connection *conn, struct error *err);
/* Unsubscribes from routes that are not in the configuration any more, also those of an earlier run,
 * and remembers those that are. Call after the connections were started. */
void reload_follow_up(struct bridge *bridge);
/* Reads the configuration and the pipelines again. If the configuration has an error, nothing
 * changes. Connections to unchanged brokers stay open in any case. */
void reload_begin(struct bridge *bridge);

/* ---- receive.c */

void receive_message(
	struct bridge *bridge, struct broker_connection *conn, const struct mosq_message *message);
/* Takes requests from the journal while there is room in the request queue. */
void receive_journalled(struct bridge *bridge);
/* Takes requests from the journal, and starts what can start. */
void receive_on_expiry(uv_timer_t *timer);

/* ---- command.c */

/* Handles PREFIX/GW/MODEL/set/KEY. A refused command is reported on the model's error topic at
 * @conn. */
void command_message(struct bridge *bridge, struct broker_connection *conn, const char *model,
	const char *key, const struct mosq_message *message);
/* Handles PREFIX/GW/pipeline/NAME/set/KEY in the same way. */
void command_pipeline_message(struct bridge *bridge, struct broker_connection *conn,
	const char *pipeline, const char *key, const struct mosq_message *message);
/* Parses ON, 1, true, yes or OFF, 0, false, no, in any case. -EINVAL for other text. */
int must_check command_parse_switch(const char *text, bool *ret_on);

#endif
