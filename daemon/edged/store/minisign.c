/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/minisign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "daemon/system/base64.h"

#define ALGORITHM_BYTES 2
#define ID_BYTES 8
#define COMMENT "untrusted comment: "
#define TRUSTED "trusted comment: "

/* ---- lines */

struct text {
	const char *at, *end;
};

struct span {
	const char *data;
	size_t length;
};

/* Returns the next line without its LF or CRLF; false at the end of the text. */
static bool line_next(struct text *text, struct span *ret_line)
{
	const char *newline = NULL;
	if (text->at == text->end) {
		return false;
	}
	newline = memchr(text->at, '\n', (size_t)(text->end - text->at));
	const char *end = newline ? newline : text->end;
	*ret_line = (struct span){text->at, (size_t)(end - text->at)};
	text->at = newline ? newline + 1 : text->end;
	if (ret_line->length > 0 && ret_line->data[ret_line->length - 1] == '\r') {
		ret_line->length--;
	}
	return true;
}

/* Returns the rest of a line that begins with @prefix. */
static bool comment_next(struct text *text, const char *prefix, struct span *ret_comment)
{
	const size_t length = strlen(prefix);
	struct span line;
	if (!line_next(text, &line) || line.length < length ||
		memcmp(line.data, prefix, length) != 0) {
		return false;
	}
	*ret_comment = (struct span){line.data + length, line.length - length};
	return true;
}

/* Decodes the next line to exactly @size bytes. */
static bool base64_next(struct text *text, uint8_t *out, size_t size)
{
	owned_mem uint8_t *bytes = NULL;
	size_t n = 0;
	struct span line;
	if (!line_next(text, &line) ||
		base64_decode(line.data, line.length, &bytes, &n, NULL) < 0 || n != size) {
		return false;
	}
	memcpy(out, bytes, size);
	return true;
}

/* ---- files */

static int check_end(struct text *text, const char *what, struct error *err)
{
	struct span rest;
	while (line_next(text, &rest)) {
		if (rest.length > 0) {
			return error_set(err, -EBADMSG, "more than %s", what);
		}
	}
	return 0;
}

int minisign_parse_key(
	const char *text, size_t size, struct minisign_key *ret_key, struct error *err)
{
	struct text rest = {text, text + size};
	struct span comment;
	uint8_t bytes[ALGORITHM_BYTES + ID_BYTES + MINISIGN_KEY_BYTES];
	if (size > MINISIGN_MAX_BYTES) {
		return error_set(err, -EBADMSG, "too long for a public key of minisign");
	}
	if (!comment_next(&rest, COMMENT, &comment) || !base64_next(&rest, bytes, sizeof(bytes)) ||
		memcmp(bytes, "Ed", ALGORITHM_BYTES) != 0) {
		return error_set(err, -EBADMSG, "no public key of minisign");
	}
	ret_key->id = bytes_get_u64(bytes + ALGORITHM_BYTES);
	memcpy(ret_key->bytes, bytes + ALGORITHM_BYTES + ID_BYTES, MINISIGN_KEY_BYTES);
	return check_end(&rest, "one public key", err);
}

int minisign_parse(
	const char *text, size_t size, struct minisign_signature *ret_signature, struct error *err)
{
	struct text rest = {text, text + size};
	struct span comment, trusted;
	struct minisign_signature signature = {0};
	uint8_t bytes[ALGORITHM_BYTES + ID_BYTES + MINISIGN_SIGNATURE_BYTES];
	if (size > MINISIGN_MAX_BYTES) {
		return error_set(err, -EBADMSG, "too long for a signature of minisign");
	}
	if (!comment_next(&rest, COMMENT, &comment) || !base64_next(&rest, bytes, sizeof(bytes)) ||
		!comment_next(&rest, TRUSTED, &trusted) ||
		!base64_next(&rest, signature.global, sizeof(signature.global))) {
		return error_set(err, -EBADMSG, "no signature of minisign");
	}
	signature.hashed = memcmp(bytes, "ED", ALGORITHM_BYTES) == 0;
	if (!signature.hashed && memcmp(bytes, "Ed", ALGORITHM_BYTES) != 0) {
		return error_set(err, -EBADMSG, "an unknown algorithm");
	}
	signature.key = bytes_get_u64(bytes + ALGORITHM_BYTES);
	memcpy(signature.bytes, bytes + ALGORITHM_BYTES + ID_BYTES, MINISIGN_SIGNATURE_BYTES);
	signature.comment = trusted.data;
	signature.comment_length = trusted.length;
	int code = check_end(&rest, "one signature", err);
	if (code == 0) {
		*ret_signature = signature;
	}
	return code;
}

/* ---- claims */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes exactly @digits decimal digits. */
static bool number_take(struct span *text, size_t digits, uint64_t *ret_number)
{
	uint64_t number = 0;
	if (text->length < digits) {
		return false;
	}
	for (size_t i = 0; i < digits; i++) {
		if (text->data[i] < '0' || text->data[i] > '9' ||
			bytes_mul_overflows(number, 10, &number) ||
			bytes_add_overflows(number, (uint64_t)(text->data[i] - '0'), &number)) {
			return false;
		}
	}
	*text = (struct span){text->data + digits, text->length - digits};
	*ret_number = number;
	return true;
}

static bool byte_take(struct span *text, char byte)
{
	bool there = text->length > 0 && text->data[0] == byte;
	text->data += there;
	text->length -= there;
	return there;
}

/* Above 0, and below a limit that leaves higher numbers. */
static bool version_parse(struct span value, uint64_t *ret_version)
{
	uint64_t version = 0;
	if (value.length == 0 || !number_take(&value, value.length, &version)) {
		return false;
	}
	*ret_version = version;
	return version > 0 && version <= INT64_MAX;
}

static bool clock_take(struct span *value, uint64_t numbers[3])
{
	return byte_take(value, 'T') && number_take(value, 2, &numbers[0]) &&
		byte_take(value, ':') && number_take(value, 2, &numbers[1]) &&
		byte_take(value, ':') && number_take(value, 2, &numbers[2]) &&
		byte_take(value, 'Z') && numbers[0] < 24 && numbers[1] < 60 && numbers[2] < 60;
}

/* Rejects dates that do not exist: timegm() would change them. */
static bool time_of(
	uint64_t year, uint64_t month, uint64_t day, const uint64_t clock[3], uint64_t *ret_time)
{
	struct tm tm = {.tm_year = (int)year - 1900,
		.tm_mon = (int)month - 1,
		.tm_mday = (int)day,
		.tm_hour = (int)clock[0],
		.tm_min = (int)clock[1],
		.tm_sec = (int)clock[2]};
	time_t time = timegm(&tm);
	*ret_time = (uint64_t)time;
	return time > 0 && tm.tm_mon == (int)month - 1 && tm.tm_mday == (int)day;
}

static bool expires_parse(struct span value, uint64_t *ret_expires)
{
	uint64_t year = 0, month = 0, day = 0, clock[3] = {0};
	const uint64_t seconds_of_day = 86400;
	bool fine = number_take(&value, 4, &year) && byte_take(&value, '-') &&
		number_take(&value, 2, &month) && byte_take(&value, '-') &&
		number_take(&value, 2, &day);
	const bool whole_day = fine && value.length == 0;
	fine = fine && (whole_day || clock_take(&value, clock)) && value.length == 0 &&
		time_of(year, month, day, clock, ret_expires);
	*ret_expires += whole_day ? seconds_of_day : 0;
	return fine;
}

static bool model_parse(struct span value, char out[MINISIGN_NAME_SIZE])
{
	if (value.length == 0 || value.length >= MINISIGN_NAME_SIZE ||
		memchr(value.data, 0, value.length)) {
		return false;
	}
	memcpy(out, value.data, value.length);
	out[value.length] = 0;
	return true;
}

static bool part_parse(struct span value, char out[MINISIGN_DIGEST_SIZE])
{
	if (value.length >= MINISIGN_DIGEST_SIZE) {
		return false;
	}
	memcpy(out, value.data, value.length);
	out[value.length] = 0;
	return strcmp(out, MINISIGN_NONE) == 0 ||
		strspn(out, "0123456789abcdef") == MINISIGN_DIGEST_SIZE - 1;
}

static const char *const part_names[MINISIGN_PARTS] = {
	[MINISIGN_LABELS] = "labels", [MINISIGN_GOLDEN] = "golden", [MINISIGN_CONF] = "conf"};

const char *minisign_part_name(enum minisign_part part)
{
	return part_names[part];
}

/* Removes "KEY:" from the start of the word. */
static bool key_take(struct span *word, const char *key)
{
	const size_t length = strlen(key);
	if (word->length <= length || memcmp(word->data, key, length) != 0 ||
		word->data[length] != ':') {
		return false;
	}
	*word = (struct span){word->data + length + 1, word->length - length - 1};
	return true;
}

/* Returns NULL if the word is no claim about a part. */
static const char *claim_part(struct span *word, struct minisign_claims *claims, bool *ret_fine)
{
	for (int i = 0; i < MINISIGN_PARTS; i++) {
		if (key_take(word, part_names[i])) {
			*ret_fine = claims->parts[i][0] == 0 && part_parse(*word, claims->parts[i]);
			return part_names[i];
		}
	}
	return NULL;
}

static int claim(struct span word, struct minisign_claims *claims, struct error *err)
{
	struct span value = word;
	const char *key = NULL;
	bool fine = true;
	if (key_take(&value, "version")) {
		key = "version";
		fine = claims->version == 0 && version_parse(value, &claims->version);
	} else if (key_take(&value, "expires")) {
		key = "expires";
		fine = claims->expires == 0 && expires_parse(value, &claims->expires);
	} else if (key_take(&value, "model")) {
		key = "model";
		fine = claims->model[0] == 0 && model_parse(value, claims->model);
	} else {
		key = claim_part(&value, claims, &fine);
	}
	return fine ? 0
		    : error_set(err, -EBADMSG,
			      "%s of the trusted comment is malformed or twice there", key);
}

int minisign_claims(const struct minisign_signature *signature, struct minisign_claims *ret_claims,
	struct error *err)
{
	struct minisign_claims claims = {0};
	const char *at = signature->comment, *end = at + signature->comment_length;
	int code = 0;
	while (at < end && code == 0) {
		const char *begin = at;
		while (at < end && !is_blank(*at)) {
			at++;
		}
		code = claim((struct span){begin, (size_t)(at - begin)}, &claims, err);
		at += at < end;
	}
	if (code == 0) {
		*ret_claims = claims;
	}
	return code;
}
