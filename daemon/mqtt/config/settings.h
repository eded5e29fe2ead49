/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings - the configuration file edged-mqtt.conf
 *
 * The syntax is that of edged.conf and is checked as strictly. There
 * is one [bridge] section, and a [broker NAME] or [route NAME] section for each broker and each
 * foreign topic. One table per kind of section parses, checks, sets the defaults and prints
 * conf/edged-mqtt.conf.
 *
 * Secrets are not in the file: "credential:NAME" names a file of $CREDENTIALS_DIRECTORY, set by
 * systemd, and "file:PATH" any other file.
 */
#ifndef DAEMON_MQTT_CONFIG_SETTINGS_H
#define DAEMON_MQTT_CONFIG_SETTINGS_H

#include <stdio.h>

#include "base/log.h"
#include "daemon/mqtt/text/topics.h"
#include "daemon/system/config_value.h"

#define SETTINGS_MAX_BROKERS 8
#define SETTINGS_MAX_ROUTES 64
#define SETTINGS_NAME_SIZE 64
#define SETTINGS_TOPIC_SIZE 256
#define SETTINGS_SOURCE_SIZE 512 /* "credential:NAME" or "file:PATH" */
#define SETTINGS_MAX_GATEWAY 48
#define SETTINGS_MAX_KEYS 40 /* keys of one section */
#define SETTINGS_MAX_FILES 96 /* the file and its drop-ins */
#define SETTINGS_FILE_SIZE 144 /* a longer path keeps its end */
#define SETTINGS_LOCATION_SIZE (SETTINGS_FILE_SIZE + 16) /* "file:line: " */

/* Where a key was set last. */
struct settings_location {
	unsigned int file, line; /* file: index in settings.files; line 0: not set */
};

/* A [broker NAME] section. */
struct settings_broker {
	char name[SETTINGS_NAME_SIZE];
	char address[SETTINGS_SOURCE_SIZE]; /* mqtt://, mqtts:// or unix: */
	char client_id[SETTINGS_TOPIC_SIZE]; /* "": edged-GATEWAY */
	char protocol[16]; /* "auto", "5" or "3.1.1" */
	char username[SETTINGS_TOPIC_SIZE];
	char password[SETTINGS_SOURCE_SIZE];
	char ca[SETTINGS_SOURCE_SIZE]; /* "": the system's certificates */
	char certificate[SETTINGS_SOURCE_SIZE], key[SETTINGS_SOURCE_SIZE];
	char psk_identity[SETTINGS_TOPIC_SIZE], psk[SETTINGS_SOURCE_SIZE];
	char alpn[SETTINGS_NAME_SIZE];
	uint64_t keepalive_ms;
	uint64_t connect_timeout_ms;
	uint64_t reconnect_min_ms, reconnect_max_ms;
	uint64_t session_ms; /* session expiry; 0: none */
	uint64_t receive_maximum;
	uint64_t in_flight; /* limit of QoS 1 messages without a PUBACK */
	uint64_t outbox_messages, outbox_bytes;
	uint64_t spool_bytes; /* 0: no spool */
	uint64_t pool; /* 0 or 1: join the pool of gateways */
	uint64_t discovery; /* 0 or 1: Home Assistant discovery */
	struct settings_location locations[SETTINGS_MAX_KEYS]; /* by index in the table of keys */
};

/* A [route NAME] section: messages of a foreign topic are input of a model or pipeline. */
struct settings_route {
	char name[SETTINGS_NAME_SIZE];
	char topic[SETTINGS_TOPIC_SIZE]; /* a filter; may have + and # */
	char model[SETTINGS_NAME_SIZE]; /* "": see pipeline */
	char pipeline[SETTINGS_NAME_SIZE];
	char format[16]; /* auto, image, wav, s16le, csv, json or raw */
	char fields[SETTINGS_TOPIC_SIZE]; /* JSON members with the numbers, separated by blanks */
	uint64_t qos;
	struct settings_location locations[SETTINGS_MAX_KEYS];
};

struct settings {
	char gateway[SETTINGS_MAX_GATEWAY + 1]; /* "": the host name */
	char socket[CONFIG_SOCKET_SIZE];
	char state[CONFIG_PATH_SIZE];
	uint64_t log_level;
	char prefix[SETTINGS_TOPIC_SIZE];
	char result_topic[SETTINGS_TOPIC_SIZE];
	char response_prefix[SETTINGS_TOPIC_SIZE];
	char feed[16]; /* unanswered, all or none */
	char commands[SETTINGS_TOPIC_SIZE];
	char pipelines[CONFIG_PATH_SIZE]; /* folder; "": the system's; "none": no pipelines */
	char retain[SETTINGS_TOPIC_SIZE]; /* words: last, snapshot */
	char discovery_prefix[SETTINGS_TOPIC_SIZE];
	char pool_group[SETTINGS_NAME_SIZE];
	uint64_t pool_max_wait_ms;
	uint64_t result_qos;
	uint64_t top_k;
	uint64_t max_message;
	uint64_t max_memory; /* RLIMIT_DATA in bytes; 0: no limit */
	uint64_t queue_length, queue_bytes;
	uint64_t in_flight; /* requests in edged at the same time */
	uint64_t max_pause_ms;
	uint64_t deadline_ms; /* of requests that name none; 0: none */
	uint64_t duplicate_window_ms;
	uint64_t journal_bytes; /* 0: no journal */
	uint64_t decode_timeout_ms, decode_memory;
	uint64_t poll_ms, stats_ms, drain_timeout_ms;
	uint64_t health; /* 0 or 1: publish thin-edge.io's health topic */
	struct settings_location locations[SETTINGS_MAX_KEYS];

	size_t n_files; /* files that were read */
	char files[SETTINGS_MAX_FILES][SETTINGS_FILE_SIZE];
	size_t n_brokers, n_routes;
	struct settings_broker brokers[SETTINGS_MAX_BROKERS];
	struct settings_route routes[SETTINGS_MAX_ROUTES];
};

/* Writes "file:line: " of the first key of the table that is in the word list @keys and was set. If
 * none was, and @kind is not "bridge", writes the first key that was set; else "". */
void settings_write_location(const struct settings *settings, const char *kind,
	const struct settings_location *locations, const char *keys,
	char out[SETTINGS_LOCATION_SIZE]);

/* Returns the table of a kind of section in the file's order. @kind: "bridge", "broker" or
 * "route". */
const struct config_key *settings_keys(const char *kind, size_t *ret_n);

/*
 * Reads @path and its drop-ins (PATH.d). NULL: /etc/edged/edged-mqtt.conf, which may be missing.
 * *settings is changed on success only. -EINVAL with "file:line: why"; -ENOENT if @path is given
 * and missing. Without a [broker] section the broker is mqtt://localhost.
 */
int must_check settings_load(
	struct settings *settings, const char *path, const struct log *log, struct error *err);

/* Checks keys against each other; each key's range was checked before. Topics of routes must not
 * overlap each other or edged-mqtt's own topics, and results of a route must not match it. -EINVAL
 * with "file:line: why". */
int must_check settings_check(const struct settings *settings, struct error *err);
/* Returns the memory limit of decoded requests, in bytes: the rest of max-memory after the queues'
 * limits, but at least 1/16 of it; without max-memory, decode-memory. */
uint64_t settings_work_bytes(const struct settings *settings);

/* Parses mqtt://HOST[:PORT], mqtts://HOST[:PORT] or unix:/PATH; IPv6 addresses are in brackets. */
struct settings_address {
	char host[256];
	int port; /* 0: host is a socket's path */
	bool tls;
};
int must_check settings_read_address(const char *text, struct settings_address *ret_address);

/* Writes a topic of this gateway: PREFIX/GW/, then the formatted rest. */
void settings_own_topic(const struct settings *settings, char out[TOPIC_SIZE], const char *format,
	...) printf_like(3, 4);
/* Writes the shared subscription of a pool member for a model, or for a pipeline's inputs. */
void settings_pool_filter(
	const struct settings *settings, bool of_pipeline, const char *name, char out[TOPIC_SIZE]);

/* Writes the MQTT client id. */
void settings_write_client_id(const struct settings *settings, const struct settings_broker *broker,
	char out[SETTINGS_TOPIC_SIZE]);

/* Returns true if all keys of both sections are equal. */
bool settings_same_broker(const struct settings_broker *a, const struct settings_broker *b);

/* Checks that the files exist that the brokers' sources name, and that each psk is valid. Returns
 * the first error. Without $CREDENTIALS_DIRECTORY credentials are skipped with a warning. */
int must_check settings_check_sources(
	const struct settings *settings, const struct log *log, struct error *err);

/* Prints all keys, commented out, with help and defaults: conf/edged-mqtt.conf. */
void settings_print(FILE *out);

/* Returns true if the blank-separated @list has @word. */
bool settings_has_word(const char *list, const char *word);

/* Reads the file behind @source without a trailing newline, at most @size - 1 bytes, and adds a
 * zero byte. "" gives "". Error texts contain the source, never its content. */
int must_check settings_read_secret(const char *source, char *out, size_t size, struct error *err);

/* Writes the path of @source: "credential:NAME" is in $CREDENTIALS_DIRECTORY. -ENOENT if the
 * variable is not set. */
int must_check settings_secret_path(const char *source, char *out, size_t size, struct error *err);

#endif
