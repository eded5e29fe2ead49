/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/text/topics.h"

#include <stdio.h>
#include <string.h>

#include "base/text/utf8.h"
#include "daemon/system/digest.h"

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define LETTERS SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool has_only(const char *text, const char *characters)
{
	return text[0] && text[strspn(text, characters)] == 0;
}

bool topics_is_word(const char *text)
{
	return has_only(text, LETTERS DIGITS "_-");
}

bool topics_is_model(const char *name)
{
	return has_only(name, SMALL DIGITS "._-") && !strchr("._-", name[0]) &&
		strlen(name) < sizeof(((struct topics_parts *)0)->model);
}

/* Copies the level at *at and moves *at behind its slash. Returns false if it does not fit. */
static bool take_level(const char **at, char *out, size_t size)
{
	size_t length = strcspn(*at, "/");
	if (length >= size) {
		return false;
	}
	memcpy(out, *at, length);
	out[length] = 0;
	*at += length + ((*at)[length] == '/');
	return true;
}

/* Moves *at behind @word and a slash. Returns false if they are not there. */
static bool skip(const char **at, const char *word)
{
	size_t length = strlen(word);
	if (strncmp(*at, word, length) != 0 || (*at)[length] != '/') {
		return false;
	}
	*at += length + 1;
	return true;
}

bool topics_is_level(const char *text)
{
	return has_only(text, LETTERS DIGITS "_.-") && strlen(text) < TOPICS_SOURCE_SIZE;
}

/* Parses NAME/in/SOURCE, NAME/set/KEY and NAME/last/SOURCE. Returns false for others. */
static bool parse_pipeline(const char *at, struct topics_parts *parts)
{
	if (!take_level(&at, parts->model, sizeof(parts->model)) ||
		!topics_is_level(parts->model)) {
		return false;
	}
	enum topics_kind kind = skip(&at, "in") ? TOPICS_PIPELINE_IN
		: skip(&at, "set")              ? TOPICS_PIPELINE_SET
						: TOPICS_OTHER;
	bool level = topics_is_level(at);
	if (kind == TOPICS_OTHER || (!level && kind != TOPICS_PIPELINE_IN)) {
		return false;
	}
	if (!level) {
		parts->kind = TOPICS_PIPELINE_NO_SOURCE;
		return true;
	}
	memcpy(parts->key, at, strlen(at) + 1);
	parts->kind = kind;
	return true;
}

struct topics_parts topics_parse(const char *prefix, const char *gateway, const char *topic)
{
	struct topics_parts parts = {.kind = TOPICS_OTHER};
	const char *at = topic;
	if (!skip(&at, prefix)) {
		return parts;
	}
	bool own = skip(&at, gateway);
	const char *rest = at;
	if (own && skip(&rest, "pipeline") && parse_pipeline(rest, &parts)) {
		return parts;
	}
	bool pool = !own && skip(&at, "pool");
	rest = at;
	if (pool && skip(&rest, "pipeline") && parse_pipeline(rest, &parts)) {
		parts.kind = parts.kind == TOPICS_PIPELINE_IN     ? TOPICS_PIPELINE_POOL
			: parts.kind == TOPICS_PIPELINE_NO_SOURCE ? parts.kind
								  : TOPICS_OTHER;
		return parts;
	}
	if (!(own || pool) || !take_level(&at, parts.model, sizeof(parts.model)) ||
		!topics_is_model(parts.model)) {
		return parts;
	}
	if (strcmp(at, "infer") == 0) {
		parts.kind = own ? TOPICS_INFER : TOPICS_POOL;
	} else if (own && skip(&at, "set") && take_level(&at, parts.key, sizeof(parts.key)) &&
		*at == 0 && topics_is_word(parts.key)) {
		parts.kind = TOPICS_SET;
	}
	return parts;
}

bool topics_overlap(const char *a, const char *b)
{
	if ((*a == '$') != (*b == '$')) {
		return false; /* wildcards do not match topics that begin with $ */
	}
	for (;;) {
		size_t of_a = strcspn(a, "/"), of_b = strcspn(b, "/");
		if (strcmp(a, "#") == 0 || strcmp(b, "#") == 0) {
			return true;
		}
		bool any = *a == '+' || *b == '+';
		if (!any && (of_a != of_b || memcmp(a, b, of_a) != 0)) {
			return false;
		}
		a += of_a;
		b += of_b;
		if (!*a || !*b) { /* a/# matches a too */
			return (!*a || strcmp(a, "/#") == 0) && (!*b || strcmp(b, "/#") == 0);
		}
		a++;
		b++;
	}
}

static size_t count_levels(const char *topic)
{
	size_t levels = 1;
	for (const char *at = topic; (at = strchr(at, '/')); at++) {
		levels++;
	}
	return levels;
}

bool topics_is_hashed(const char *name, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	return length > TOPICS_HASH && name[length - TOPICS_HASH - 1] == '_' &&
		strspn(name + length - TOPICS_HASH, digits) >= TOPICS_HASH;
}

void topics_hash(const char *name, size_t length, char out[TOPICS_HASH + 1])
{
	char hex[DIGEST_TEXT_SIZE];
	const struct digest digest = digest_of(name, length);
	snprintf(out, TOPICS_HASH + 1, "%s", digest_to_hex(&digest, hex));
}

/* The levels that match a filter's wildcards. */
struct joined {
	char raw[TOPIC_SIZE]; /* joined by slashes */
	size_t n;
	unsigned int levels;
	bool open; /* # matched, so the number of levels is open */
};

static void join(struct joined *joined, const char *level, size_t length)
{
	if (joined->levels++ > 0 && joined->n + 1 < sizeof(joined->raw)) {
		joined->raw[joined->n++] = '/';
	}
	length = length < sizeof(joined->raw) - joined->n ? length
							  : sizeof(joined->raw) - joined->n - 1;
	memcpy(joined->raw + joined->n, level, length);
	joined->n += length;
	joined->raw[joined->n] = 0;
}

/* Returns true if another topic could give the same name. */
static bool is_ambiguous(const struct joined *joined)
{
	bool several = joined->levels > 1 || joined->open;
	bool empty = joined->levels > 1 &&
		(joined->raw[0] == '/' || joined->raw[joined->n - 1] == '/' ||
			strstr(joined->raw, "//"));
	return joined->n >= TOPICS_SOURCE_SIZE || empty || (several && strchr(joined->raw, '_')) ||
		topics_is_hashed(joined->raw, joined->n);
}

void topics_source(const char *filter, const char *topic, char out[TOPICS_SOURCE_SIZE])
{
	struct joined joined = {0};
	for (bool more = true; more;) {
		size_t of_topic = strcspn(topic, "/"), of_filter = strcspn(filter, "/");
		joined.open |= of_filter == 1 && *filter == '#';
		if (joined.open || (of_filter == 1 && *filter == '+')) {
			join(&joined, topic, of_topic);
		}
		more = topic[of_topic] == '/';
		topic += of_topic + more;
		filter += joined.open ? 0 : of_filter + (filter[of_filter] == '/');
	}
	bool changed = is_ambiguous(&joined);
	size_t n = 0;
	for (size_t i = 0; i < joined.n && n + 1 < TOPICS_SOURCE_SIZE; i++) {
		const char one[] = {joined.raw[i], 0};
		bool fits = topics_is_level(one);
		changed |= !fits && *one != '/';
		out[n++] = fits ? *one : '_';
	}
	out[n] = 0;
	if (changed) {
		const size_t max = TOPICS_SOURCE_SIZE - TOPICS_HASH - 2;
		n = n < max ? n : max;
		out[n++] = '_';
		topics_hash(joined.raw, joined.n, out + n);
	}
}

bool topics_is_filter(const char *filter)
{
	size_t n = strlen(filter);
	if (n == 0 || n >= TOPIC_SIZE || count_levels(filter) > TOPICS_MAX_LEVELS) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (filter[i] != '+' && filter[i] != '#') {
			continue;
		}
		bool begins = i == 0 || filter[i - 1] == '/';
		bool ends = i + 1 == n || (filter[i] == '+' && filter[i + 1] == '/');
		if (!begins || !ends) {
			return false;
		}
	}
	return true;
}

bool topics_is_text(const char *text)
{
	size_t n = strlen(text);
	for (size_t at = 0; at < n;) {
		uint32_t code = 0;
		size_t bytes = utf8_next(text + at, n - at, &code);
		bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
		bool none = (code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
		if (bytes == 0 || control || none) {
			return false;
		}
		at += bytes;
	}
	return true;
}

bool topics_is_name(const char *topic)
{
	size_t n = strlen(topic);
	return n > 0 && n < TOPIC_SIZE && count_levels(topic) <= TOPICS_MAX_LEVELS &&
		strcspn(topic, "+#") == n && topics_is_text(topic);
}

bool topics_is_traceparent(const char *text)
{
	static const char zeros[] = "00-00000000000000000000000000000000-0000000000000000-00";
	for (size_t i = 0; i < sizeof(zeros) - 1; i++) {
		bool dash = zeros[i] == '-';
		if (!text[i] || !strchr(dash ? "-" : "0123456789abcdef", text[i])) {
			return false;
		}
	}
	return text[sizeof(zeros) - 1] == 0 && memcmp(text, "ff", 2) != 0 &&
		memcmp(text + 3, zeros + 3, 32) != 0 && memcmp(text + 36, zeros + 36, 16) != 0;
}

/* Returns true if @topic is below @a/@b/, or below @a/ if @b is NULL. */
static bool is_below(const char *topic, const char *a, const char *b)
{
	return skip(&topic, a) && (!b || skip(&topic, b));
}

static bool begins_with_one_of(const char *topic, const char *words)
{
	while (*(words += strspn(words, " "))) {
		size_t length = strcspn(words, " ");
		if ((length == 1 && *words == '*') || strncmp(topic, words, length) == 0) {
			return true;
		}
		words += length;
	}
	return false;
}

bool topics_is_response_topic(const char *topic, const char *allowed, const char *prefix,
	const char *gateway, const char *discovery_prefix)
{
	return topics_is_name(topic) && topic[0] != '$' && begins_with_one_of(topic, allowed) &&
		!is_below(topic, prefix, gateway) && !is_below(topic, prefix, "pool") &&
		!is_below(topic, discovery_prefix, NULL);
}

/* Returns the value of the placeholder at @at; NULL: unknown. */
static const char *value_of(const char *at, const char *const *names, const char *const *values)
{
	for (size_t i = 0; names[i]; i++) {
		if (strncmp(at, names[i], strlen(names[i])) == 0) {
			return values[i];
		}
	}
	return NULL;
}

bool topics_fill(char *out, size_t size, const char *template, const char *prefix,
	const char *gateway, const char *model, const char *source)
{
	static const char *const names[] = {"{prefix}", "{gw}", "{model}", "{source}", NULL};
	const char *const values[] = {prefix, gateway, model, source};
	size_t used = 0;
	for (const char *at = template; *at;) {
		const char *text = *at == '{' ? value_of(at, names, values) : NULL;
		if (*at == '{' && !text) {
			return false;
		}
		size_t length = text ? strlen(text) : 1;
		if (used + length >= size) {
			return false;
		}
		memcpy(out + used, text ? text : at, length);
		used += length;
		at = text ? strchr(at, '}') + 1 : at + 1;
	}
	out[used] = 0;
	return used > 0;
}
