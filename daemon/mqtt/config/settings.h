/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings - what edged-mqtt.conf says
 *
 * The dialect is that of edged.conf (daemon/config.h), and as strict. [bridge] stands once; [broker
 * NAME] and [route NAME] for each broker and each foreign topic. One table for each kind of section
 * parses, checks, gives the defaults and prints conf/edged-mqtt.conf.
 *
 * Secrets are named, never written: "credential:NAME" is a file of $CREDENTIALS_DIRECTORY, which
 * systemd fills, and "file:PATH" any other.
 */
#ifndef DAEMON_MQTT_SETTINGS_H
#define DAEMON_MQTT_SETTINGS_H

#include "daemon/config.h"

#define SETTINGS_MAX_BROKERS 8
#define SETTINGS_MAX_ROUTES 64
#define SETTINGS_NAME_SIZE 64
#define SETTINGS_TOPIC_SIZE 256
#define SETTINGS_SOURCE_SIZE 512 /* credential:NAME, file:PATH */
#define SETTINGS_MAX_GATEWAY 48
#define SETTINGS_MAX_KEYS 40 /* of a section */
#define SETTINGS_MAX_FILES 96 /* the file and its drop-ins */
#define SETTINGS_FILE_SIZE 144 /* of a long path its end */
#define SETTINGS_PLACE_SIZE (SETTINGS_FILE_SIZE + 16) /* "file:line: " */

/* Where a key was given last. */
struct settings_place {
	unsigned int file, line; /* line 0: nowhere */
};

/* One of several brokers. */
struct settings_broker {
	char name[SETTINGS_NAME_SIZE];
	char address[SETTINGS_SOURCE_SIZE]; /* mqtt://, mqtts:// or unix: */
	char client_id[SETTINGS_TOPIC_SIZE]; /* "": edged-GATEWAY */
	char protocol[16]; /* auto, 5, 3.1.1 */
	char username[SETTINGS_TOPIC_SIZE];
	char password[SETTINGS_SOURCE_SIZE];
	char ca[SETTINGS_SOURCE_SIZE]; /* "": the system's */
	char certificate[SETTINGS_SOURCE_SIZE], key[SETTINGS_SOURCE_SIZE];
	char psk_identity[SETTINGS_TOPIC_SIZE], psk[SETTINGS_SOURCE_SIZE];
	char alpn[SETTINGS_NAME_SIZE];
	uint64_t keepalive_ms;
	uint64_t connect_timeout_ms;
	uint64_t reconnect_min_ms, reconnect_max_ms;
	uint64_t session_ms; /* 0: none */
	uint64_t receive_maximum;
	uint64_t in_flight; /* QoS 1 messages that wait for the broker's word */
	uint64_t outbox_messages, outbox_bytes;
	uint64_t spool_bytes; /* 0: none */
	uint64_t pool; /* truth: is part of the pool of gateways */
	uint64_t discovery; /* truth */
	struct settings_place
		places[SETTINGS_MAX_KEYS]; /* of the keys, in the order of the table */
};

/* A topic of somebody else whose messages are a model's input. */
struct settings_route {
	char name[SETTINGS_NAME_SIZE];
	char topic[SETTINGS_TOPIC_SIZE]; /* a filter: + and # are allowed */
	char model[SETTINGS_NAME_SIZE]; /* or: */
	char pipeline[SETTINGS_NAME_SIZE];
	char format[16]; /* auto, image, wav, s16le, csv, json, raw */
	char fields[SETTINGS_TOPIC_SIZE]; /* of JSON: members that are the numbers, by blanks */
	uint64_t qos;
	struct settings_place places[SETTINGS_MAX_KEYS];
};

struct settings {
	char gateway[SETTINGS_MAX_GATEWAY + 1]; /* "": the host's name */
	char socket[CONFIG_SOCKET_SIZE];
	char state[CONFIG_PATH_SIZE];
	uint64_t log_level;
	char prefix[SETTINGS_TOPIC_SIZE];
	char result_topic[SETTINGS_TOPIC_SIZE];
	char response_prefix[SETTINGS_TOPIC_SIZE];
	char feed[16]; /* unanswered, all, none */
	char commands[SETTINGS_TOPIC_SIZE];
	char pipelines[CONFIG_PATH_SIZE]; /* folder; "": the system's; "none" */
	char retain[SETTINGS_TOPIC_SIZE]; /* last, snapshot */
	char discovery_prefix[SETTINGS_TOPIC_SIZE];
	char pool_group[SETTINGS_NAME_SIZE];
	uint64_t pool_max_wait_ms;
	uint64_t result_qos;
	uint64_t top_k;
	uint64_t max_message;
	uint64_t max_memory; /* 0: no limit */
	uint64_t queue_length, queue_bytes;
	uint64_t in_flight; /* requests that edged has at once */
	uint64_t max_pause_ms;
	uint64_t deadline_ms; /* of requests without one; 0: none */
	uint64_t duplicate_window_ms;
	uint64_t kept_bytes; /* 0: none */
	uint64_t decode_timeout_ms, decode_memory;
	uint64_t poll_ms, stats_ms, drain_timeout_ms;
	uint64_t health; /* truth: thin-edge.io's health topic */
	struct settings_place places[SETTINGS_MAX_KEYS];

	size_t n_files; /* that were read */
	char files[SETTINGS_MAX_FILES][SETTINGS_FILE_SIZE];
	size_t n_brokers, n_routes;
	struct settings_broker brokers[SETTINGS_MAX_BROKERS];
	struct settings_route routes[SETTINGS_MAX_ROUTES];
};

/* "file:line: " of the first key of the table that is one of the words @keys and was given; else of the first that was,
 * but of [bridge]; else "". */
void settings_write_place(const struct settings *settings, const char *kind,
	const struct settings_place *places, const char *keys, char out[SETTINGS_PLACE_SIZE]);

/* The tables, in the order of the file. @kind: "bridge", "broker" or "route". */
const struct config_key *settings_keys(const char *kind, size_t *ret_n);

/*
 * Reads @path and its drop-ins (PATH.d); NULL: /etc/edged/edged-mqtt.conf, if it is there. *settings
 * is changed only on success. -EINVAL with "file:line: why", -ENOENT when @path is given and not
 * there. A file without a broker means the one on this machine, mqtt://localhost.
 */
int must_check settings_load(
	struct settings *settings, const char *path, const struct log *log, struct error *err);

/* What is within each key's bounds: does it make sense together? -EINVAL with "file:line: why", the line of the key at
 * fault. No two routes have a topic in common, none has one of edged-mqtt's own, and no results of a route come back
 * to it. */
int must_check settings_check(const struct settings *settings, struct error *err);
/* Of max-memory, for requests from being decoded to the answer: what is left where all that may wait does. */
uint64_t settings_work_bytes(const struct settings *settings);

/* mqtt://HOST[:PORT], mqtts://HOST[:PORT], unix:/PATH; IPv6 in brackets. */
struct settings_address {
	char host[256];
	int port; /* 0: host is the path of a socket */
	bool tls;
};
int must_check settings_read_address(const char *text, struct settings_address *ret_address);

/* The name that the broker is told. */
void settings_write_client_id(const struct settings *settings, const struct settings_broker *broker,
	char out[SETTINGS_TOPIC_SIZE]);

/* Is everything about them the same? */
bool settings_same_broker(const struct settings_broker *a, const struct settings_broker *b);

/* Is there what the brokers' sources name, and is a psk one? -EINVAL and the like for the first that is not. Credentials
 * are looked at where there are any: their folder is the service's. */
int must_check settings_check_sources(
	const struct settings *settings, const struct log *log, struct error *err);

/* Every key, commented out, with help and default: conf/edged-mqtt.conf. */
void settings_print(FILE *out);

/* Is @word one of the words of @list, which blanks part? */
bool settings_has_word(const char *list, const char *word);

/* The bytes behind a source, a newline at their end taken off, at most @size - 1 of them, and a zero
 * byte. "" gives "". The text of an error names the source, nothing of its content. */
int must_check settings_read_secret(const char *source, char *out, size_t size, struct error *err);

/* The path behind a source: "credential:NAME" lies in $CREDENTIALS_DIRECTORY. -ENOENT when that is
 * not set. */
int must_check settings_secret_path(const char *source, char *out, size_t size, struct error *err);

#endif
