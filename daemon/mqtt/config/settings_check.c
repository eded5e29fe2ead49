/* SPDX-License-Identifier: Apache-2.0 */
/* Checks keys of edged-mqtt.conf against each other. */
#include "daemon/mqtt/config/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "daemon/mqtt/text/topics.h"

#define SECRET_SIZE 1024
/* Queues: at most 7/8 of max-memory. Decoded requests: what queues and OWN_BYTES leave, and at
 * least 1/16. OWN_BYTES is for the process itself: threads, tables, buffers of the MQTT library. */
#define WORK_PART 8
#define OWN_BYTES (UINT64_C(6) << 20)
#define MIN_SPOOL 65536 /* a segment must hold a result */

/* An error in a section. */
struct section_error {
	/* candidate keys, blank-separated; the first that was set gives file:line */
	const char *keys;
	char why[sizeof(((struct error *)0)->text)];
};

static int section_error_set(struct section_error *error, const char *keys, const char *format, ...)
	printf_like(3, 4);

static int section_error_set(struct section_error *error, const char *keys, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error->why, sizeof(error->why), format, arguments);
	va_end(arguments);
	error->keys = keys;
	return -EINVAL;
}

/* Sets @err to the section's error, with its file:line in front. @name: the name of a [@kind NAME]
 * section; NULL: [bridge]. */
static int section_error_report(const struct section_error *error, const struct settings *s,
	const char *kind, const char *name, const struct settings_location *locations,
	struct error *err)
{
	char location[SETTINGS_LOCATION_SIZE];
	settings_write_location(s, kind, locations, error->keys, location);
	return name ? error_set(err, -EINVAL, "%s[%s %s]: %s", location, kind, name, error->why)
		    : error_set(err, -EINVAL, "%s%s", location, error->why);
}

/* A rule between keys of one section. */
struct rule {
	bool is_broken;
	const char *keys, *why; /* see struct section_error */
};

/* Reports the first broken rule. */
static int rules_check(const struct rule *rules, size_t n, struct section_error *error)
{
	for (size_t i = 0; i < n; i++) {
		if (rules[i].is_broken) {
			return section_error_set(error, rules[i].keys, "%s", rules[i].why);
		}
	}
	return 0;
}

#define CHECK(rules, error) rules_check(rules, sizeof(rules) / sizeof((rules)[0]), error)

/* Returns true if every word of @list is in @known. */
static bool all_known(const char *list, const char *known)
{
	char word[32];
	while (*(list += strspn(list, " "))) {
		size_t n = strcspn(list, " ");
		if (n >= sizeof(word)) {
			return false;
		}
		memcpy(word, list, n);
		word[n] = 0;
		if (!settings_has_word(known, word)) {
			return false;
		}
		list += n;
	}
	return true;
}

static bool is_source(const char *text)
{
	const char *name = strncmp(text, "credential:", 11) == 0 ? text + 11 : NULL;
	return !text[0] || (name && name[0] && !strchr(name, '/') && name[0] != '.') ||
		strncmp(text, "file:/", 6) == 0;
}

/* Parses ":PORT". Returns @default_port for "", 0 if invalid. */
static int read_port(const char *text, int default_port)
{
	size_t digits = *text == ':' ? strspn(text + 1, "0123456789") : 0;
	if (!*text) {
		return default_port;
	}
	return digits == 0 || digits > 5 || text[1 + digits] ? 0 : atoi(text + 1);
}

int settings_read_address(const char *text, struct settings_address *ret_address)
{
	struct settings_address a = {.tls = strncmp(text, "mqtts://", 8) == 0};
	if (strncmp(text, "unix:/", 6) == 0) {
		int n = snprintf(a.host, CONFIG_SOCKET_SIZE, "%s", text + 5);
		*ret_address = a;
		return n < CONFIG_SOCKET_SIZE ? 0 : -EINVAL;
	}
	if (!a.tls && strncmp(text, "mqtt://", 7) != 0) {
		return -EINVAL;
	}
	const char *host = text + (a.tls ? 8 : 7);
	bool bracket = host[0] == '[';
	const char *end = bracket ? strchr(host, ']') : host + strcspn(host, ":");
	size_t length = end ? (size_t)(end - host - bracket) : 0;
	if (length == 0 || length >= sizeof(a.host) ||
		strcspn(host + bracket, "/@?# []") < length) {
		return -EINVAL;
	}
	memcpy(a.host, host + bracket, length);
	a.port = read_port(end + bracket, a.tls ? 8883 : 1883);
	if (a.port < 1 || a.port > 65535 || !topics_is_text(a.host)) {
		return -EINVAL;
	}
	*ret_address = a;
	return 0;
}

static int broker_check(const struct settings_broker *b, struct section_error *error)
{
	const struct {
		const char *key, *source;
	} sources[] = {{"password", b->password}, {"ca", b->ca}, {"certificate", b->certificate},
		{"key", b->key}, {"psk", b->psk}};
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (!is_source(sources[i].source)) {
			return section_error_set(error, sources[i].key,
				"%s: expected credential:NAME or file:/PATH, not the value itself",
				sources[i].key);
		}
	}
	struct settings_address address = {0};
	const bool is_address = settings_read_address(b->address, &address) == 0;
	const bool needs_tls = b->ca[0] || b->certificate[0] || b->psk[0] || b->alpn[0];
	static const char no_text[] =
		"client-id, username and psk-identity are UTF-8 without control characters";
	const struct rule rules[] = {
		{!settings_has_word("auto 5 3.1.1", b->protocol), "protocol",
			"protocol is auto, 5 or 3.1.1"},
		{!is_address, "address",
			"address is mqtt://HOST[:PORT], mqtts://HOST[:PORT] or unix:/PATH"},
		{!topics_is_text(b->client_id), "client-id", no_text},
		{!topics_is_text(b->username), "username", no_text},
		{!topics_is_text(b->psk_identity), "psk-identity", no_text},
		{!address.tls && needs_tls, "ca certificate psk alpn", "TLS needs mqtts://"},
		{!b->certificate[0] != !b->key[0], "certificate key",
			"certificate and key come in pairs"},
		{!b->psk[0] != !b->psk_identity[0], "psk psk-identity",
			"psk and psk-identity come in pairs"},
		{b->psk[0] && (b->ca[0] || b->certificate[0]), "psk", "either psk or certificates"},
		{b->spool_bytes && b->spool_bytes < MIN_SPOOL, "spool",
			"spool is 0, or 64K at least"},
		{b->reconnect_min_ms > b->reconnect_max_ms, "reconnect-min reconnect-max",
			"reconnect-min is above reconnect-max"},
	};
	return CHECK(rules, error);
}

/* Returns true if @a is "localhost" and @b is one of its addresses. */
static bool is_loopback_alias(const char *a, const char *b)
{
	return strcasecmp(a, "localhost") == 0 && settings_has_word("127.0.0.1 ::1", b);
}

static bool is_same_endpoint(const struct settings_broker *a, const struct settings_broker *b)
{
	struct settings_address one, other;
	if (settings_read_address(a->address, &one) < 0 ||
		settings_read_address(b->address, &other) < 0 || one.port != other.port) {
		return false;
	}
	return one.port == 0 ? strcmp(one.host, other.host) == 0
			     : strcasecmp(one.host, other.host) == 0 ||
			is_loopback_alias(one.host, other.host) ||
			is_loopback_alias(other.host, one.host);
}

/* Two connections with one client id would end each other. */
static int brokers_check_apart(const struct settings *s, size_t index, struct section_error *error)
{
	char id[SETTINGS_TOPIC_SIZE], other[SETTINGS_TOPIC_SIZE];
	settings_write_client_id(s, &s->brokers[index], id);
	for (size_t i = 0; i < index; i++) {
		settings_write_client_id(s, &s->brokers[i], other);
		if (strcmp(id, other) == 0 &&
			is_same_endpoint(&s->brokers[index], &s->brokers[i])) {
			return section_error_set(error, "address client-id",
				"has address and client-id of [broker %s]", s->brokers[i].name);
		}
	}
	return 0;
}

/* A route's topic must not overlap edged-mqtt's own topics: edged-mqtt subscribes to some of them
 * already, and publishes reports about inputs on others. */
static int check_not_own(
	const struct settings *s, const struct settings_route *r, struct section_error *error)
{
	char own[2][TOPIC_SIZE];
	settings_own_topic(s, own[0], "#");
	snprintf(own[1], TOPIC_SIZE, "%s/pool/#", s->prefix);
	for (size_t i = 0; i < 2; i++) {
		if (topics_overlap(r->topic, own[i])) {
			return section_error_set(error, "topic",
				"topic overlaps edged-mqtt's own topics %s", own[i]);
		}
	}
	return 0;
}

/* Returns the route whose topic matches the result topic of @r, so that it gets the results of @r
 * as input; NULL: none. Writes the result topic to @out. Results of a pipeline never become input:
 * they are published on edged-mqtt's own topics, which no route may overlap. */
static const struct settings_route *consumer_of(
	const struct settings *s, const struct settings_route *r, char out[TOPIC_SIZE])
{
	if (!r->model[0] || strcmp(s->feed, "none") == 0 ||
		!topics_fill(out, TOPIC_SIZE, s->result_topic, s->prefix, s->gateway, r->model,
			r->name)) {
		return NULL;
	}
	for (size_t i = 0; i < s->n_routes; i++) {
		if (topics_overlap(s->routes[i].topic, out)) {
			return &s->routes[i];
		}
	}
	return NULL;
}

/* A route must not get its own results as input, directly or through other routes: that would be an
 * endless loop. */
static int check_no_cycle(
	const struct settings *s, const struct settings_route *r, struct section_error *error)
{
	char topic[TOPIC_SIZE];
	const struct settings_route *at = r;
	for (size_t i = 0; i < s->n_routes && at; i++) {
		at = consumer_of(s, at, topic);
		if (at == r) {
			return section_error_set(error, "topic",
				"topic has %s, where its own results come back", topic);
		}
	}
	return 0;
}

/* Topics of routes must not overlap: a broker may send a message once for each matching
 * subscription, so the same message would be handled more than once. */
static int check_apart(
	const struct settings *s, const struct settings_route *r, struct section_error *error)
{
	for (const struct settings_route *other = s->routes; other < r; other++) {
		if (topics_overlap(r->topic, other->topic)) {
			return section_error_set(error, "topic",
				"topic overlaps that of [route %s]; a message has one route",
				other->name);
		}
	}
	return 0;
}

static int route_check(const struct settings_route *r, struct section_error *error)
{
	const struct rule rules[] = {
		{!topics_is_filter(r->topic) || !topics_is_text(r->topic), "topic",
			"topic is missing or no filter"},
		{strncmp(r->topic, "$share/", 7) == 0, "topic",
			"topic must not be a shared subscription"},
		{!r->model[0] == !r->pipeline[0], "model pipeline", "either model or pipeline"},
		{r->model[0] && !topics_is_model(r->model), "model",
			"model is not a valid model name"},
		{r->pipeline[0] && !topics_is_level(r->pipeline), "pipeline",
			"pipeline is not a valid pipeline name"},
		{!settings_has_word("auto image wav s16le csv json raw", r->format), "format",
			"format is auto, image, wav, s16le, csv, json or raw"},
		{r->fields[0] && strcmp(r->format, "json") != 0, "fields",
			"fields needs format = json"},
	};
	return CHECK(rules, error);
}

/* Returns true if a word of response-prefix is below edged-mqtt's own topics, where every
 * response is refused. */
static bool responses_collide(const struct settings *s)
{
	char own[TOPIC_SIZE];
	int n = snprintf(own, sizeof(own), "%s/%s/", s->prefix, s->gateway);
	const char *at = s->response_prefix;
	while (*(at += strspn(at, " "))) {
		if (strncmp(at, own, (size_t)n) == 0) {
			return true;
		}
		at += strcspn(at, " ");
	}
	return false;
}

static int bridge_check(const struct settings *s, struct section_error *error)
{
	char topic[TOPIC_SIZE];
	const struct rule rules[] = {
		{!topics_is_word(s->gateway) || strcmp(s->gateway, "pool") == 0, "gateway",
			"gateway: letters, digits, - and _, and not \"pool\" (without the key it is the host's name)"},
		{!topics_is_word(s->prefix), "prefix",
			"prefix is one level of letters, digits, - and _"},
		{!topics_is_word(s->pool_group), "pool-group",
			"pool-group is one level of letters, digits, - and _"},
		{!topics_is_name(s->discovery_prefix), "discovery-prefix",
			"discovery-prefix is a topic"},
		{!topics_fill(topic, sizeof(topic), s->result_topic, s->prefix, "gw", "m", "s") ||
				!topics_is_name(topic),
			"result-topic",
			"result-topic: a topic with {prefix}, {gw}, {model}, {source}"},
		{!settings_has_word("unanswered all none", s->feed), "feed",
			"feed is unanswered, all or none"},
		{!all_known(s->commands, "threshold enable pin"), "commands",
			"commands are threshold, enable and pin"},
		{!all_known(s->retain, "last snapshot"), "retain", "retain: last and snapshot"},
	};
	int r = CHECK(rules, error);
	if (r < 0) {
		return r;
	}
	if (responses_collide(s)) {
		return section_error_set(error, "gateway prefix response-prefix",
			"gateway: %s is what answers are below (response-prefix), so none would be given",
			s->gateway);
	}
	return s->max_message > s->queue_bytes ? section_error_set(error, "max-message queue-bytes",
							 "max-message is above queue-bytes")
					       : 0;
}

static uint64_t queue_limit_bytes(const struct settings *s)
{
	uint64_t bytes = s->queue_bytes;
	for (size_t i = 0; i < s->n_brokers; i++) {
		bytes += s->brokers[i].outbox_bytes;
	}
	return bytes;
}

uint64_t settings_work_bytes(const struct settings *s)
{
	const uint64_t taken = queue_limit_bytes(s) + OWN_BYTES;
	const uint64_t left = s->max_memory > taken ? s->max_memory - taken : 0;
	const uint64_t least = s->max_memory / WORK_PART / 2;
	if (!s->max_memory) {
		return s->decode_memory;
	}
	return left > least ? left : least;
}

/* Queues and outboxes must leave memory for decoded requests. */
static int memory_check(const struct settings *s, struct section_error *error)
{
	const uint64_t bytes = queue_limit_bytes(s);
	return s->max_memory && bytes > s->max_memory - s->max_memory / WORK_PART
		? section_error_set(error, "max-memory queue-bytes",
			  "queue-bytes and each broker's outbox-bytes together (%llu) exceed seven eighths of max-memory",
			  (unsigned long long)bytes)
		: 0;
}

int settings_check(const struct settings *s, struct error *err)
{
	struct section_error error = {0};
	if (bridge_check(s, &error) < 0 || memory_check(s, &error) < 0) {
		return section_error_report(&error, s, "bridge", NULL, s->locations, err);
	}
	for (size_t i = 0; i < s->n_brokers; i++) {
		const struct settings_broker *b = &s->brokers[i];
		if (broker_check(b, &error) < 0 || brokers_check_apart(s, i, &error) < 0) {
			return section_error_report(
				&error, s, "broker", b->name, b->locations, err);
		}
	}
	for (size_t i = 0; i < s->n_routes; i++) {
		const struct settings_route *r = &s->routes[i];
		if (route_check(r, &error) < 0 || check_not_own(s, r, &error) < 0 ||
			check_apart(s, r, &error) < 0 || check_no_cycle(s, r, &error) < 0) {
			return section_error_report(&error, s, "route", r->name, r->locations, err);
		}
	}
	return 0;
}

/* ---- files of the sources */

static int psk_check(const char *source, struct error *err)
{
	char key[SECRET_SIZE];
	int r = settings_read_secret(source, key, sizeof(key), err);
	size_t digits = r == 0 ? strspn(key, "0123456789abcdefABCDEF") : 0;
	bool hex = digits > 0 && digits % 2 == 0 && key[digits] == 0;
	explicit_bzero(key, sizeof(key));
	return r < 0 || hex ? r
			    : error_set(err, -EINVAL,
				      "%s: must be an even number of hexadecimal digits", source);
}

static int file_check(const char *source, struct error *err)
{
	char path[CONFIG_PATH_SIZE];
	struct stat st = {0};
	int r = settings_secret_path(source, path, sizeof(path), err);
	if (r < 0) {
		return r;
	}
	if (access(path, R_OK) < 0 || stat(path, &st) < 0) {
		return error_set(err, -errno, "%s: %s", source, strerror(errno));
	}
	return S_ISREG(st.st_mode) && st.st_size > 0
		? 0
		: error_set(err, -EINVAL, "%s: not a regular file, or empty", source);
}

static int sources_check(const struct settings *s, const struct settings_broker *b,
	const struct log *log, struct error *err)
{
	const struct {
		const char *key, *source;
		int (*check)(const char *source, struct error *err);
	} all[] = {{"password", b->password, file_check}, {"ca", b->ca, file_check},
		{"certificate", b->certificate, file_check}, {"key", b->key, file_check},
		{"psk", b->psk, psk_check}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct error why = {0};
		char location[SETTINGS_LOCATION_SIZE];
		bool credential = strncmp(all[i].source, "credential:", 11) == 0;
		if (credential && !getenv("CREDENTIALS_DIRECTORY")) {
			log_warning(log,
				"[broker %s]: %s: %s is not checked: $CREDENTIALS_DIRECTORY is not set",
				b->name, all[i].key, all[i].source);
			continue;
		}
		int r = all[i].source[0] ? all[i].check(all[i].source, &why) : 0;
		if (r < 0) {
			settings_write_location(s, "broker", b->locations, all[i].key, location);
			return error_set(err, r, "%s[broker %s]: %s: %s", location, b->name,
				all[i].key, why.text);
		}
	}
	return 0;
}

int settings_check_sources(const struct settings *s, const struct log *log, struct error *err)
{
	int r = 0;
	for (size_t i = 0; i < s->n_brokers && r == 0; i++) {
		r = sources_check(s, &s->brokers[i], log, err);
	}
	return r;
}
