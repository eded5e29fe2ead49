/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topics - builds, parses and checks topic names
 *
 * All functions work on text. A topic from outside is never used as a path.
 */
#ifndef DAEMON_MQTT_TEXT_TOPICS_H
#define DAEMON_MQTT_TEXT_TOPICS_H

#include <stdbool.h>
#include <stddef.h>

#define TOPIC_SIZE 1024 /* bytes of a topic with its zero byte */
#define TOPICS_MAX_LEVELS 200 /* more levels make Mosquitto close the publisher's connection */

enum topics_kind {
	TOPICS_OTHER,
	TOPICS_INFER, /* PREFIX/GW/MODEL/infer */
	TOPICS_SET, /* PREFIX/GW/MODEL/set/KEY */
	TOPICS_POOL, /* PREFIX/pool/MODEL/infer */
	TOPICS_PIPELINE_POOL, /* PREFIX/pool/pipeline/NAME/in/SOURCE; key: SOURCE */
	TOPICS_PIPELINE_IN, /* PREFIX/GW/pipeline/NAME/in/SOURCE */
	TOPICS_PIPELINE_NO_SOURCE, /* one of the two with an invalid SOURCE; key: "" */
	TOPICS_PIPELINE_SET, /* PREFIX/GW/pipeline/NAME/set/KEY */
};

#define TOPICS_SOURCE_SIZE 64

struct topics_parts {
	enum topics_kind kind;
	char model[64]; /* or the pipeline's name */
	char key[TOPICS_SOURCE_SIZE]; /* or the source's name */
};

/* Parses a topic below PREFIX. An invalid model or key gives TOPICS_OTHER. */
struct topics_parts topics_parse(const char *prefix, const char *gateway, const char *topic);

/* Returns true if any topic matches both filters, or if topic @b matches filter @a (MQTT 5, section
 * 4.7). $share is not handled. */
bool topics_overlap(const char *a, const char *b);

/* Returns true for a valid filter: wildcards alone in their level, # last, not empty, at most
 * TOPICS_MAX_LEVELS levels. */
bool topics_is_filter(const char *filter);

/* Returns true for a topic that can be published to: no wildcards, not empty, shorter than
 * TOPIC_SIZE, at most TOPICS_MAX_LEVELS levels, and topics_is_text(). */
bool topics_is_name(const char *topic);

/* Returns true for UTF-8 without control characters, surrogates and non-characters, which no broker
 * rejects (MQTT 5, section 1.5.4). */
bool topics_is_text(const char *text);

/* Returns true for VERSION-TRACE-PARENT-FLAGS of W3C Trace Context in lower-case hexadecimal. */
bool topics_is_traceparent(const char *text);

/* Returns true for [A-Za-z0-9_-]+. */
bool topics_is_word(const char *text);

/* Returns true for a model's name: [a-z0-9][a-z0-9._-]*, at most 63 bytes. */
bool topics_is_model(const char *name);

/* Returns true for a pipeline's or source's name: [A-Za-z0-9_.-]+, at most 63 bytes. */
bool topics_is_level(const char *text);

/* topics_hash() writes the first TOPICS_HASH hexadecimal digits of the name's SHA-256. "_" and this
 * hash are appended to a name with replaced characters, so that different names stay different. */
#define TOPICS_HASH 16
void topics_hash(const char *name, size_t length, char out[TOPICS_HASH + 1]);
/* Returns true if @name ends like a name with a hash. Such a name gets a hash too. */
bool topics_is_hashed(const char *name, size_t length);

/* Makes a source name of the levels of @topic that match wildcards of @filter, joined by "_". Other
 * characters become "_". "_" and a hash are appended if another topic could give the same name. ""
 * if @filter has no wildcard. */
void topics_source(const char *filter, const char *topic, char out[TOPICS_SOURCE_SIZE]);

/*
 * Returns true if a requester may choose @topic for responses: it begins with one of the words of
 * @allowed ("*": any), and is not below $, PREFIX/GW/, the pool or Home Assistant's configuration
 * topics.
 */
bool topics_is_response_topic(const char *topic, const char *allowed, const char *prefix,
	const char *gateway, const char *discovery_prefix);

/* Expands {prefix}, {gw}, {model} and {source} in @template. Returns false if the result does not
 * fit, or another name is in braces. */
bool topics_fill(char *out, size_t size, const char *template, const char *prefix,
	const char *gateway, const char *model, const char *source);

#endif
