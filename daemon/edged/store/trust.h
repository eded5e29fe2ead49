/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust - verifies minisign signatures against the keys folder
 *
 * Keys are the files *.pub in the folder `keys` of edged.conf. Each scan reads them again: a
 * removed key is no longer trusted, and several keys can overlap for a key change. A user who can
 * write the models folder can add files and signatures, but no keys or policies.
 */
#ifndef DAEMON_EDGED_STORE_TRUST_H
#define DAEMON_EDGED_STORE_TRUST_H

#include "base/log.h"
#include "daemon/edged/config/config.h"
#include "daemon/edged/store/manifest.h"
#include "daemon/edged/store/minisign.h"

#define TRUST_MAX_KEYS 64

struct trust {
	size_t n;
	struct minisign_key keys[TRUST_MAX_KEYS];
	int code; /* errno of reading the keys folder; 0: success */
	/* digest of keys, policies and date: if it changes, verdicts can change */
	struct digest fingerprint;
};

/* Reads the keys, if a policy requires a signature. Ignores files that are no keys, and logs them
 * after a change. Returns true if verdicts can change. */
bool trust_load(struct trust *trust, const struct config *config, const struct log *log);

/* A file to verify. */
struct trust_file {
	const char *text; /* content of the signature file; NULL: none */
	size_t size;
	int blob; /* descriptor of the signed file, which nobody can write */
	off_t bytes;
	const struct digest *digest; /* digest of the signed file */
	/* digests of companion files; all zero: no such file */
	const struct digest *parts[MINISIGN_PARTS];
	uint64_t number; /* version number from the folder's name; 0: none */
	const struct manifest *manifest; /* manifest of the model that the file is for */
	uint64_t now; /* current time in seconds since 1970 */
};

/* Returns 0 if a trusted key signed the file for this model, and the signature is neither expired
 * nor older than an accepted one. *ret_version: signed version; *ret_key: id of the key. -EBADMSG
 * with the reason, or an error of the verification itself. */
int must_check trust_verify(const struct trust *trust, const struct trust_file *file,
	uint64_t *ret_version, uint64_t *ret_key, struct error *err);

#endif
