/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys of edged-mqtt.conf mean together. */
#include "daemon/mqtt/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/mqtt/topics.h"

#define SECRET_SIZE 1024
#define WORK_PART                                                                                  \
	8 /* of max-memory that is at least for requests that are decoded, and for the process itself */
#define OWN_BYTES                                                                                  \
	(UINT64_C(6)                                                                               \
		<< 20) /* of the process itself: threads, tables, buffers of the MQTT library */

/* Is every word of @list one of @known? */
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

/* All the digits of a port behind a colon, or nothing at all. */
static int read_port(const char *text, int otherwise)
{
	size_t digits = *text == ':' ? strspn(text + 1, "0123456789") : 0;
	if (!*text) {
		return otherwise;
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

static int broker_check(const struct settings_broker *b, struct error *err)
{
	const char *const sources[] = {b->password, b->ca, b->certificate, b->key, b->psk};
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (!is_source(sources[i])) {
			return error_set(err, -EINVAL,
				"[broker %s]: secrets and certificates are named, credential:NAME or file:/PATH",
				b->name);
		}
	}
	if (!settings_has_word("auto 5 3.1.1", b->protocol)) {
		return error_set(
			err, -EINVAL, "[broker %s]: protocol is auto, 5 or 3.1.1", b->name);
	}
	struct settings_address address;
	if (settings_read_address(b->address, &address) < 0) {
		return error_set(err, -EINVAL,
			"[broker %s]: address is mqtt://HOST[:PORT], mqtts://HOST[:PORT] or unix:/PATH",
			b->name);
	}
	if (!topics_is_text(b->client_id) || !topics_is_text(b->username) ||
		!topics_is_text(b->psk_identity)) {
		return error_set(err, -EINVAL,
			"[broker %s]: client-id, username and psk-identity are UTF-8 without control characters",
			b->name);
	}
	if (!address.tls && (b->ca[0] || b->certificate[0] || b->psk[0] || b->alpn[0])) {
		return error_set(err, -EINVAL, "[broker %s]: TLS needs mqtts://", b->name);
	}
	if (!b->certificate[0] != !b->key[0] || !b->psk[0] != !b->psk_identity[0]) {
		return error_set(err, -EINVAL,
			"[broker %s]: certificate and key, psk and psk-identity come in pairs",
			b->name);
	}
	if (b->psk[0] && (b->ca[0] || b->certificate[0])) {
		return error_set(err, -EINVAL, "[broker %s]: either psk or certificates", b->name);
	}
	return b->reconnect_min_ms <= b->reconnect_max_ms
		? 0
		: error_set(err, -EINVAL, "[broker %s]: reconnect-min is above reconnect-max",
			  b->name);
}

/* Each would end the other's connection. */
static int brokers_check_apart(const struct settings *s, size_t index, struct error *err)
{
	const struct settings_broker *b = &s->brokers[index];
	struct settings_address address, other;
	for (size_t i = 0; i < index; i++) {
		const struct settings_broker *o = &s->brokers[i];
		bool same = settings_read_address(b->address, &address) == 0 &&
			settings_read_address(o->address, &other) == 0 &&
			strcmp(address.host, other.host) == 0 && address.port == other.port;
		if (same && strcmp(b->client_id, o->client_id) == 0) {
			return error_set(err, -EINVAL,
				"[broker %s]: has address and client-id of [broker %s]", b->name,
				o->name);
		}
	}
	return 0;
}

/* A filter of all topics that results have: levels with the model's or the source's name are any. "": there are none. */
static void result_filter(const struct settings *s, char out[TOPICS_MAX])
{
	char filled[TOPICS_MAX] = "";
	bool fits = topics_fill(
		filled, sizeof(filled), s->result_topic, s->prefix, s->gateway, "+", "+");
	size_t n = 0;
	fits = fits && strcmp(s->feed, "none") != 0;
	for (const char *at = filled; fits && *at; at += *at == '/') {
		size_t length = strcspn(at, "/");
		bool any = memchr(at, '+', length);
		n += (size_t)snprintf(out + n, TOPICS_MAX - n, "%s%.*s", n ? "/" : "",
			any ? 1 : (int)length, any ? "+" : at);
		at += length;
	}
	out[n] = 0;
}

/* What comes of a message is published below these; a route over them would have its own results as inputs, for ever. What
 * is asked of us would be taken twice. */
static int check_not_own(
	const struct settings *s, const struct settings_route *r, struct error *err)
{
	char own[3][TOPICS_MAX];
	snprintf(own[0], TOPICS_MAX, "%s/%s/#", s->prefix, s->gateway);
	snprintf(own[1], TOPICS_MAX, "%s/pool/#", s->prefix);
	result_filter(s, own[2]);
	for (size_t i = 0; i < 3; i++) {
		if (own[i][0] && topics_overlap(r->topic, own[i])) {
			return error_set(err, -EINVAL,
				"[route %s]: topic has topics of %s, which are edged-mqtt's own",
				r->name, own[i]);
		}
	}
	return 0;
}

/* Brokers send what two subscriptions match once, or once for each. */
static int check_apart(const struct settings *s, const struct settings_route *r, struct error *err)
{
	for (const struct settings_route *other = s->routes; other < r; other++) {
		if (topics_overlap(r->topic, other->topic)) {
			return error_set(err, -EINVAL,
				"[route %s]: a topic may be that of [route %s] too; a message has one route",
				r->name, other->name);
		}
	}
	return 0;
}

static int route_check(const struct settings_route *r, struct error *err)
{
	if (!topics_is_filter(r->topic) || !topics_is_text(r->topic)) {
		return error_set(
			err, -EINVAL, "[route %s]: topic is missing or no filter", r->name);
	}
	if (strncmp(r->topic, "$share/", 7) == 0) {
		return error_set(
			err, -EINVAL, "[route %s]: topic is no shared subscription", r->name);
	}
	if (!r->model[0] == !r->pipeline[0]) {
		return error_set(err, -EINVAL, "[route %s]: either model or pipeline", r->name);
	}
	if (r->model[0] && !topics_is_model(r->model)) {
		return error_set(err, -EINVAL, "[route %s]: model is no name", r->name);
	}
	if (r->pipeline[0] && !topics_is_level(r->pipeline)) {
		return error_set(err, -EINVAL, "[route %s]: pipeline is no name", r->name);
	}
	if (!settings_has_word("auto image wav s16le csv json raw", r->format)) {
		return error_set(err, -EINVAL,
			"[route %s]: format is auto, image, wav, s16le, csv, json or raw", r->name);
	}
	return r->fields[0] && strcmp(r->format, "json") != 0
		? error_set(err, -EINVAL, "[route %s]: fields are of format = json", r->name)
		: 0;
}

/* Would each answer below one of the words be refused, because it is one of our own topics? */
static bool answers_collide(const struct settings *s)
{
	char own[TOPICS_MAX];
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

static int bridge_check(const struct settings *s, struct error *err)
{
	char topic[TOPICS_MAX];
	if (!topics_is_word(s->gateway) || strcmp(s->gateway, "pool") == 0) {
		return error_set(err, -EINVAL,
			"gateway: letters, digits, - and _, and not \"pool\" (without the key it is the host's name)");
	}
	if (!topics_is_word(s->prefix) || !topics_is_word(s->pool_group) ||
		!topics_is_name(s->discovery_prefix)) {
		return error_set(err, -EINVAL,
			"prefix and pool-group are one level of letters, digits, - and _, discovery-prefix a topic");
	}
	if (!topics_fill(topic, sizeof(topic), s->result_topic, s->prefix, "gw", "m", "s") ||
		!topics_is_name(topic)) {
		return error_set(err, -EINVAL,
			"result-topic: a topic with {prefix}, {gw}, {model}, {source}");
	}
	if (!settings_has_word("unanswered all none", s->feed)) {
		return error_set(err, -EINVAL, "feed is unanswered, all or none");
	}
	if (!all_known(s->commands, "threshold enable pin")) {
		return error_set(err, -EINVAL, "commands are threshold, enable and pin");
	}
	if (!all_known(s->retain, "last snapshot")) {
		return error_set(err, -EINVAL, "retain: last and snapshot");
	}
	if (answers_collide(s)) {
		return error_set(err, -EINVAL,
			"gateway: %s is what answers are below (response-prefix), so none would be given",
			s->gateway);
	}
	return s->max_message > s->queue_bytes
		? error_set(err, -EINVAL, "max-message is above queue-bytes")
		: 0;
}

static uint64_t bytes_that_wait(const struct settings *s)
{
	uint64_t bytes = s->queue_bytes;
	for (size_t i = 0; i < s->n_brokers; i++) {
		bytes += s->brokers[i].outbox_bytes;
	}
	return bytes;
}

/* What may wait has to fit beside what is worked on, or what was promised cannot be held. */
static int memory_check(const struct settings *s, struct error *err)
{
	const uint64_t bytes = bytes_that_wait(s);
	return s->max_memory && bytes > s->max_memory - s->max_memory / WORK_PART
		? error_set(err, -EINVAL,
			  "seven eighths of max-memory are less than queue-bytes and each broker's outbox-bytes together, %llu",
			  (unsigned long long)bytes)
		: 0;
}

uint64_t settings_work_bytes(const struct settings *s)
{
	const uint64_t taken = bytes_that_wait(s) + OWN_BYTES;
	const uint64_t left = s->max_memory > taken ? s->max_memory - taken : 0;
	const uint64_t least = s->max_memory / WORK_PART / 2;
	if (!s->max_memory) {
		return s->decode_memory;
	}
	return left > least ? left : least;
}

/* Puts where it stands before why it is wrong. */
static int at(const char *place, int code, struct error *err)
{
	struct error why = {0};
	if (code < 0 && err && place[0]) {
		why = *err;
		return error_set(err, code, "%s%s", place, why.text);
	}
	return code;
}

int settings_check(const struct settings *s, struct error *err)
{
	int code = bridge_check(s, err);
	code = code < 0 ? code : memory_check(s, err);
	for (size_t i = 0; i < s->n_brokers && code == 0; i++) {
		code = broker_check(&s->brokers[i], err);
		code = code < 0 ? code : brokers_check_apart(s, i, err);
		code = at(s->brokers[i].place, code, err);
	}
	for (size_t i = 0; i < s->n_routes && code == 0; i++) {
		code = route_check(&s->routes[i], err);
		code = code < 0 ? code : check_not_own(s, &s->routes[i], err);
		code = code < 0 ? code : check_apart(s, &s->routes[i], err);
		code = at(s->routes[i].place, code, err);
	}
	return code;
}

/* ---- what sources name */

static int psk_check(const char *source, struct error *err)
{
	char key[SECRET_SIZE];
	int r = settings_read_secret(source, key, sizeof(key), err);
	size_t digits = r == 0 ? strspn(key, "0123456789abcdefABCDEF") : 0;
	bool hex = digits > 0 && digits % 2 == 0 && key[digits] == 0;
	explicit_bzero(key, sizeof(key));
	return r < 0 || hex
		? r
		: error_set(err, -EINVAL, "%s: no even number of hexadecimal digits alone", source);
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
		: error_set(err, -EINVAL, "%s: no file, or empty", source);
}

static int sources_check(const struct settings_broker *b, const struct log *log, struct error *err)
{
	const struct {
		const char *key, *source;
		int (*check)(const char *source, struct error *err);
	} all[] = {{"password", b->password, file_check}, {"ca", b->ca, file_check},
		{"certificate", b->certificate, file_check}, {"key", b->key, file_check},
		{"psk", b->psk, psk_check}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct error why = {0};
		bool credential = strncmp(all[i].source, "credential:", 11) == 0;
		if (credential && !getenv("CREDENTIALS_DIRECTORY")) {
			log_warning(log, "[broker %s]: %s: %s is not looked at here", b->name,
				all[i].key, all[i].source);
			continue;
		}
		int r = all[i].source[0] ? all[i].check(all[i].source, &why) : 0;
		if (r < 0) {
			return error_set(
				err, r, "[broker %s]: %s: %s", b->name, all[i].key, why.text);
		}
	}
	return 0;
}

int settings_check_sources(const struct settings *s, const struct log *log, struct error *err)
{
	int r = 0;
	for (size_t i = 0; i < s->n_brokers && r == 0; i++) {
		r = at(s->brokers[i].place, sources_check(&s->brokers[i], log, err), err);
	}
	return r;
}
