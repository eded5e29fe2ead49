/* SPDX-License-Identifier: Apache-2.0 */
/*
 * minisign - the files of the signing tool of that name, read but not judged
 *
 *   public key   untrusted comment: TEXT
 *                base64 of "Ed", 8 bytes of key id, 32 bytes of key
 *   signature    untrusted comment: TEXT
 *                base64 of "Ed" or "ED", 8 bytes of key id, 64 bytes of signature
 *                trusted comment: TEXT
 *                base64 of 64 bytes of signature of that signature and TEXT
 *
 * "Ed" signs the file, "ED" its BLAKE2b-512. Knows no cryptography: trust.h does. The words KEY:VALUE of a
 * trusted comment that edged understands are its claims.
 * Source: minisign's documentation of its formats.
 */
#ifndef DAEMON_MINISIGN_H
#define DAEMON_MINISIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define MINISIGN_MAX_BYTES 8192 /* of either file */
#define MINISIGN_KEY_BYTES 32
#define MINISIGN_SIGNATURE_BYTES 64
#define MINISIGN_NAME_SIZE 65 /* of a model, and the 0 */
#define MINISIGN_NONE "none"
#define MINISIGN_DIGEST_SIZE 65 /* 64 digits and the 0 */

/* What stands beside a model; a trusted comment may name its digest. */
enum minisign_part {
	MINISIGN_LABELS, /* labels:SHA256 */
	MINISIGN_GOLDEN, /* golden:SHA256, the self-test */
	MINISIGN_CONF, /* conf:SHA256, the model's own settings */
	MINISIGN_PARTS
};

struct minisign_key {
	uint64_t id;
	uint8_t bytes[MINISIGN_KEY_BYTES];
};

struct minisign_signature {
	bool hashed; /* of the file's BLAKE2b-512 */
	uint64_t key; /* id of the key that made it */
	uint8_t bytes[MINISIGN_SIGNATURE_BYTES];
	uint8_t global[MINISIGN_SIGNATURE_BYTES]; /* of @bytes and @comment */
	const char *comment; /* in the text that was parsed, not 0-terminated */
	size_t comment_length;
};

/* What a trusted comment says; believed only once its signature is verified. */
struct minisign_claims {
	uint64_t version; /* 0: none is said */
	uint64_t expires; /* second of the calendar from which on it counts no more; 0: never */
	char model[MINISIGN_NAME_SIZE]; /* empty: none is said */
	/* SHA-256, small digits; "none": there must be none of it; empty: nothing is said */
	char parts[MINISIGN_PARTS][MINISIGN_DIGEST_SIZE];
};

/* As a trusted comment calls it. */
const char *minisign_part_name(enum minisign_part part);

/* -EBADMSG with the reason. */
int must_check minisign_parse_key(
	const char *text, size_t size, struct minisign_key *ret_key, struct error *err);
/* -EBADMSG with the reason; @text must outlive *ret_signature. */
int must_check minisign_parse(
	const char *text, size_t size, struct minisign_signature *ret_signature, struct error *err);
/* The words version:N, expires:YYYY-MM-DD (to the end of that day, UTC) or
 * expires:YYYY-MM-DDTHH:MM:SSZ, model:NAME, and labels:, golden: and conf: with a SHA-256 or "none"; others are left alone.
 * -EBADMSG for one of these that is malformed or there twice. */
int must_check minisign_claims(const struct minisign_signature *signature,
	struct minisign_claims *ret_claims, struct error *err);

#endif
