/* SPDX-License-Identifier: Apache-2.0 */
/*
 * minisign - parses the files of the minisign tool; trust.h verifies them
 *
 *   public key   untrusted comment: TEXT
 *                base64 of "Ed", 8 bytes of key id, 32 bytes of key
 *   signature    untrusted comment: TEXT
 *                base64 of "Ed" or "ED", 8 bytes of key id, 64 bytes of signature
 *                trusted comment: TEXT
 *                base64 of 64 bytes: signature of the signature above and TEXT
 *
 * "Ed" signs the file, "ED" its BLAKE2b-512. Claims are the words KEY:VALUE of a trusted comment
 * that edged understands. Source: minisign's documentation of its formats.
 */
#ifndef DAEMON_EDGED_STORE_MINISIGN_H
#define DAEMON_EDGED_STORE_MINISIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define MINISIGN_MAX_BYTES 8192 /* limit for a key file and for a signature file */
#define MINISIGN_KEY_BYTES 32
#define MINISIGN_SIGNATURE_BYTES 64
#define MINISIGN_NAME_SIZE 65 /* model name and the terminating 0 */
#define MINISIGN_NONE "none"
#define MINISIGN_DIGEST_SIZE 65 /* 64 digits and the terminating 0 */

/* Companion files whose digests a trusted comment can name. */
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
	bool hashed; /* signs the file's BLAKE2b-512 */
	uint64_t key; /* id of the signing key */
	uint8_t bytes[MINISIGN_SIGNATURE_BYTES];
	uint8_t global[MINISIGN_SIGNATURE_BYTES]; /* signature of @bytes and @comment */
	const char *comment; /* points into the parsed text, without a terminating 0 */
	size_t comment_length;
};

/* Claims of a trusted comment. Trust them only after the signature is verified. */
struct minisign_claims {
	uint64_t version; /* 0: no claim */
	uint64_t expires; /* expiry in seconds since 1970; 0: never */
	char model[MINISIGN_NAME_SIZE]; /* empty: no claim */
	/* lower-case SHA-256; "none": the file must be missing; empty: no claim */
	char parts[MINISIGN_PARTS][MINISIGN_DIGEST_SIZE];
};

/* Returns the key of the part's claim. */
const char *minisign_part_name(enum minisign_part part);

/* Parses a public key file. -EBADMSG with the reason. */
int must_check minisign_parse_key(
	const char *text, size_t size, struct minisign_key *ret_key, struct error *err);
/* Parses a signature file. *ret_signature points into @text. -EBADMSG with the reason. */
int must_check minisign_parse(
	const char *text, size_t size, struct minisign_signature *ret_signature, struct error *err);
/* Reads the claims version:N, model:NAME, expires:YYYY-MM-DD (end of that day, UTC),
 * expires:YYYY-MM-DDTHH:MM:SSZ, and labels:, golden: and conf: with a SHA-256 or "none". Other
 * words are ignored. -EBADMSG for a claim that is malformed or repeated. */
int must_check minisign_claims(const struct minisign_signature *signature,
	struct minisign_claims *ret_claims, struct error *err);

#endif
