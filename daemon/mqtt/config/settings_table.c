/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "daemon/mqtt/config/settings.h"

#define LENGTH(record, member) 0, sizeof(((struct record *)0)->member) - 1
#define TEXT(record, name, member, value, help)                                                    \
	{                                                                                          \
#record, name, CONFIG_TEXT, offsetof(struct settings_##record, member),            \
			LENGTH(settings_##record, member), false, value, help                      \
	}
#define NUMBER(record, name, kind, member, min, max, value, help)                                  \
	{                                                                                          \
#record, name, CONFIG_##kind, offsetof(struct settings_##record, member), min,     \
			max, false, value, help                                                    \
	}
#define settings_bridge settings
#define MIB (UINT64_C(1) << 20)
#define MINUTE UINT64_C(60000)

static const struct config_key bridge_keys[] = {
	TEXT(bridge, "gateway", gateway, "",
		"Name of this gateway in topics: letters, digits, - and _. Empty: the host's name."),
	TEXT(bridge, "socket", socket, "/run/edged/edged.sock", "The socket of edged."),
	TEXT(bridge, "state", state, "",
		"Folder of the spools, of what commands have set, and of the list of retained topics.\n"
		"Empty: the one that systemd gives ($STATE_DIRECTORY), else nothing is kept."),
	NUMBER(bridge, "log-level", LEVEL, log_level, 0, 7, "info",
		"error, warning, notice, info or debug."),
	TEXT(bridge, "prefix", prefix, "edged", "First level of all topics of its own."),
	TEXT(bridge, "result-topic", result_topic, "{prefix}/{gw}/{model}/result",
		"Where results go that nobody asked to have elsewhere. {prefix}, {gw}, {model} and\n"
		"{source} (the route's name, else \"infer\") are filled in."),
	TEXT(bridge, "response-prefix", response_prefix, "edged/reply/",
		"Response topics must begin with one of these words (* for any): what publishes\n"
		"requests makes edged-mqtt publish there. Never its own topics, nor those of $."),
	TEXT(bridge, "feed", feed, "unanswered",
		"Which results go to result-topic: unanswered (those without a response topic), all,\n"
		"or none."),
	TEXT(bridge, "commands", commands, "threshold enable",
		"What may be set over MQTT: threshold, enable, pin."),
	TEXT(bridge, "pipelines", pipelines, "",
		"Folder of pipelines, each of which is served. Empty: the pipelines.d of /etc/edged,\n"
		"/run/edged and /usr/lib/edged; none: there are none."),
	TEXT(bridge, "retain", retain, "last snapshot",
		"What of pipelines the brokers keep: last (what each source's decision said last),\n"
		"snapshot (its last picture)."),
	TEXT(bridge, "discovery-prefix", discovery_prefix, "homeassistant",
		"Where Home Assistant listens."),
	TEXT(bridge, "pool-group", pool_group, "edged", "Group of the shared subscriptions."),
	NUMBER(bridge, "pool-max-wait", TIME, pool_max_wait_ms, 1, 10 * MINUTE, "500ms",
		"A gateway leaves the pool while a request would wait longer."),
	NUMBER(bridge, "result-qos", COUNT, result_qos, 0, 1, "1",
		"QoS of results without a response topic. Responses have that of their request."),
	NUMBER(bridge, "top-k", COUNT, top_k, 1, 20, "3", "Classes of one result."),
	NUMBER(bridge, "max-message", BYTES, max_message, 1024, 64 * MIB, "2M",
		"Larger messages are refused: told to the broker, and held by max-memory."),
	NUMBER(bridge, "max-memory", BYTES, max_memory, 0, 1024 * MIB, "64M",
		"Memory of the process (RLIMIT_DATA); 0: no limit of its own. More than the service's\n"
		"hard LimitDATA= needs a drop-in."),
	NUMBER(bridge, "queue-length", COUNT, queue_length, 1, 4096, "64",
		"Requests that wait. Above it the oldest of the lowest priority are let go."),
	NUMBER(bridge, "queue-bytes", BYTES, queue_bytes, 1024, 256 * MIB, "16M",
		"Bytes of requests that wait."),
	NUMBER(bridge, "in-flight", COUNT, in_flight, 1, 64, "4",
		"Requests that edged has from it at once; questions of pipelines are as many again."),
	NUMBER(bridge, "max-pause", TIME, max_pause_ms, 0, MINUTE, "500ms",
		"For so long nothing is read from a broker while the queue is nearly full."),
	NUMBER(bridge, "deadline", TIME, deadline_ms, 0, 60 * MINUTE, "10s",
		"For requests that name none; 0ms: never."),
	NUMBER(bridge, "duplicate-window", TIME, duplicate_window_ms, 0, 60 * MINUTE, "10s",
		"A request of QoS 1 that comes again within this time, with the same correlation\n"
		"data, response topic, content type, accept and content, is not answered again; 0ms:\n"
		"it is. This ends when the time is over that the first of them named itself."),
	NUMBER(bridge, "kept-bytes", BYTES, journal_bytes, 0, 1024 * MIB, "4M",
		"Memory of the runtime folder ($RUNTIME_DIRECTORY) for requests of QoS 1 that are not\n"
		"answered yet: they are asked again after a crash. Each broker has an equal part of\n"
		"it. 0: not; without the folder neither."),
	NUMBER(bridge, "decode-timeout", TIME, decode_timeout_ms, 10, MINUTE, "2s",
		"For one picture, sound or text."),
	NUMBER(bridge, "decode-memory", BYTES, decode_memory, MIB, 1024 * MIB, "128M",
		"Memory of the process that decodes, and of that of the pipelines. More than the\n"
		"service's hard LimitDATA= needs a drop-in."),
	NUMBER(bridge, "poll", TIME, poll_ms, 50, 10 * MINUTE, "2s",
		"How often edged is asked which models it has."),
	NUMBER(bridge, "stats-interval", TIME, stats_ms, 0, 60 * MINUTE, "30s",
		"How often the stats topic is written; 0ms: never."),
	NUMBER(bridge, "drain-timeout", TIME, drain_timeout_ms, 0, 10 * MINUTE, "8s",
		"For what is still running when it ends."),
	NUMBER(bridge, "health", BOOL, health, 0, 1, "no",
		"Write the health topic of thin-edge.io too."),
};

static const struct config_key broker_keys[] = {
	TEXT(broker, "address", address, "mqtt://localhost",
		"mqtt://HOST[:1883], mqtts://HOST[:8883] (TLS), unix:/PATH."),
	TEXT(broker, "client-id", client_id, "", "Empty: edged-GATEWAY."),
	TEXT(broker, "protocol", protocol, "auto",
		"5, 3.1.1, or auto: 5, and 3.1.1 for a broker that does not speak it."),
	TEXT(broker, "username", username, "", "Name to log in with."),
	TEXT(broker, "password", password, "", "credential:NAME or file:PATH."),
	TEXT(broker, "ca", ca, "",
		"Certificates that sign the broker's: credential:NAME or file:PATH. Empty: the\n"
		"system's."),
	TEXT(broker, "certificate", certificate, "", "The client's own, as above."),
	TEXT(broker, "key", key, "", "Its private key, as above."),
	TEXT(broker, "psk-identity", psk_identity, "", "TLS with a shared key instead."),
	TEXT(broker, "psk", psk, "", "The key in hexadecimal digits, as above."),
	TEXT(broker, "alpn", alpn, "", "Protocol name of ALPN, where port 443 is shared."),
	NUMBER(broker, "keepalive", TIME, keepalive_ms, 5000, 60 * MINUTE, "30s",
		"Between signs of life."),
	NUMBER(broker, "connect-timeout", TIME, connect_timeout_ms, 100, 10 * MINUTE, "10s",
		"Until the broker has said yes."),
	NUMBER(broker, "reconnect-min", TIME, reconnect_min_ms, 10, MINUTE, "1s",
		"First wait between two attempts; it doubles each time, and a random part of it is\n"
		"waited."),
	NUMBER(broker, "reconnect-max", TIME, reconnect_max_ms, 10, 60 * MINUTE, "60s",
		"The longest."),
	NUMBER(broker, "session", TIME, session_ms, 0, 60 * MINUTE, "10s",
		"For so long the broker keeps what is on its way here (QoS 1) when the connection\n"
		"breaks, and goes on giving it requests of the pool. MQTT 5; 0ms: not at all."),
	NUMBER(broker, "receive-maximum", COUNT, receive_maximum, 1, 65535, "8",
		"Messages of QoS 1 that the broker may have under way."),
	NUMBER(broker, "in-flight", COUNT, in_flight, 1, 256, "16",
		"Messages of QoS 1 that wait for the broker's word."),
	NUMBER(broker, "outbox-messages", COUNT, outbox_messages, 16, 65536, "1000",
		"What waits to be sent; then the oldest snapshots, results and answers of QoS 0 are\n"
		"dropped. Requests wait until there is room for their answers."),
	NUMBER(broker, "outbox-bytes", BYTES, outbox_bytes, 65536, 256 * MIB, "8M",
		"Bytes of what waits to be sent."),
	NUMBER(broker, "spool", BYTES, spool_bytes, 0, 1024 * MIB, "0",
		"Bytes on disk for results while the broker is away, 64K at least; 0: none are kept\n"
		"there."),
	NUMBER(broker, "pool", BOOL, pool, 0, 1, "no", "Take requests of the pool of gateways."),
	NUMBER(broker, "discovery", BOOL, discovery, 0, 1, "no",
		"Announce the models to Home Assistant."),
};

static const struct config_key route_keys[] = {
	TEXT(route, "topic", topic, "",
		"Topic of somebody else, + and # allowed, whose messages are inputs."),
	TEXT(route, "model", model, "", "The model that they are for,"),
	TEXT(route, "pipeline", pipeline, "",
		"or the pipeline: the source is what the topic's wildcards stand for, else the\n"
		"route's name."),
	TEXT(route, "format", format, "auto", "auto, image, wav, s16le, csv, json or raw."),
	TEXT(route, "fields", fields, "",
		"Of JSON: the members that are the input's numbers, in this order."),
	NUMBER(route, "qos", COUNT, qos, 0, 1, "0", "QoS of the subscription."),
};

const struct config_key *settings_keys(const char *kind, size_t *ret_n)
{
	if (strcmp(kind, "bridge") == 0) {
		*ret_n = sizeof(bridge_keys) / sizeof(bridge_keys[0]);
		return bridge_keys;
	}
	if (strcmp(kind, "broker") == 0) {
		*ret_n = sizeof(broker_keys) / sizeof(broker_keys[0]);
		return broker_keys;
	}
	*ret_n = sizeof(route_keys) / sizeof(route_keys[0]);
	return route_keys;
}
