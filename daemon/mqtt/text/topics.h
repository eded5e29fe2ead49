/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topics - names of topics: made, taken apart, and judged
 *
 * All functions are about text alone. A topic that comes from outside is never used as a path.
 */
#ifndef DAEMON_MQTT_TOPICS_H
#define DAEMON_MQTT_TOPICS_H

#include <stdbool.h>
#include <stddef.h>

#define TOPICS_MAX 1024 /* bytes of a topic, with its zero */
#define TOPICS_MAX_LEVELS 200 /* above which Mosquitto ends the connection of who publishes there */

enum topics_kind {
	TOPICS_OTHER,
	TOPICS_INFER, /* PREFIX/GW/MODEL/infer */
	TOPICS_SET, /* PREFIX/GW/MODEL/set/KEY */
	TOPICS_POOL, /* PREFIX/pool/MODEL/infer */
	TOPICS_PIPELINE_POOL, /* PREFIX/pool/pipeline/NAME/in/SOURCE; key: SOURCE */
	TOPICS_PIPELINE_IN, /* PREFIX/GW/pipeline/NAME/in/SOURCE */
	TOPICS_PIPELINE_NO_SOURCE, /* one of these two whose SOURCE is none; key: "" */
	TOPICS_PIPELINE_SET, /* PREFIX/GW/pipeline/NAME/set/KEY */
	TOPICS_PIPELINE_LAST, /* PREFIX/GW/pipeline/NAME/last/SOURCE, which is our own */
};

#define TOPICS_SOURCE_SIZE 64

struct topics_parts {
	enum topics_kind kind;
	char model[64]; /* or the pipeline */
	char key[TOPICS_SOURCE_SIZE]; /* or the source */
};

/* What a topic of ours is about. A model's or key's name that is none gives TOPICS_OTHER. */
struct topics_parts topics_parse(const char *prefix, const char *gateway, const char *topic);

/* Does @topic match the subscription @filter (MQTT 5, section 4.7; $share is not looked at)? */
bool topics_match(const char *filter, const char *topic);

/* Is there a topic that both match? */
bool topics_overlap(const char *a, const char *b);

/* A filter that a broker takes: wildcards alone in their level, # last, not empty, at most TOPICS_MAX_LEVELS levels. */
bool topics_is_filter(const char *filter);

/* A name that may be published to: no wildcards, not empty, shorter than TOPICS_MAX, at most TOPICS_MAX_LEVELS levels, and
 * topics_is_text(). */
bool topics_is_name(const char *topic);

/* What no broker calls malformed (MQTT 5, section 1.5.4): UTF-8 without control characters, surrogates and
 * non-characters. */
bool topics_is_text(const char *text);

/* VERSION-TRACE-PARENT-FLAGS of W3C trace context, in small hexadecimal digits. */
bool topics_is_traceparent(const char *text);

/* [A-Za-z0-9_-]+ */
bool topics_is_word(const char *text);

/* A model's name: [a-z0-9][a-z0-9._-]*, at most 63 bytes. */
bool topics_is_model(const char *name);

/* One level that a pipeline or a source may be called: [A-Za-z0-9_.-]+, at most 63 bytes. */
bool topics_is_level(const char *text);

/* The first digits of a name's SHA-256: what is behind a _ where letters of a name had to be changed, so that two stay two. */
#define TOPICS_HASH 16
void topics_hash(const char *name, size_t length, char out[TOPICS_HASH + 1]);
/* Does it end as such a name does? Then it is changed, too. */
bool topics_is_hashed(const char *name, size_t length);

/* What the wildcards of @filter stand for in @topic, which it matches, as a source's name: levels put together
 * by _, other letters become _ too; "" where there is none. Another one could look the same: _ and a hash follow. */
void topics_source(const char *filter, const char *topic, char out[TOPICS_SOURCE_SIZE]);

/*
 * May a stranger have us publish there? Only names that begin with one of the words of @allowed ("*":
 * any), and never one of $, of @own (PREFIX/GW/), of the pool, or of Home Assistant's configurations.
 */
bool topics_may_answer(const char *topic, const char *allowed, const char *prefix,
	const char *gateway, const char *discovery_prefix);

/* @template with {prefix}, {gw}, {model} and {source} filled in. False when it does not fit or names
 * something else in braces. */
bool topics_fill(char *out, size_t size, const char *template, const char *prefix,
	const char *gateway, const char *model, const char *source);

#endif
