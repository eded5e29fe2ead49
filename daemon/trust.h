/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust - whose models may serve: the keys folder, and what a minisign signature says of a file
 *
 * Keys are the files *.pub of the folder `keys` of edged.conf, read at each look at the models: what was removed
 * from there counts no more, several are accepted side by side, so that one can take over from another.
 * Who writes into the models folder can bring files and signatures, never keys or policies.
 */
#ifndef DAEMON_TRUST_H
#define DAEMON_TRUST_H

#include "base/log.h"
#include "daemon/config.h"
#include "daemon/manifest.h"
#include "daemon/minisign.h"

#define TRUST_MAX_KEYS 64

struct trust {
	size_t n;
	struct minisign_key keys[TRUST_MAX_KEYS];
	int code; /* why the folder could not be read; 0: it was */
	struct digest fingerprint; /* of keys, policies and the day: another one, other verdicts */
};

/* Reads the keys if some policy asks for them; what is no key is left out, and logged when anything is other
 * than before. True when verdicts may be other than before. */
bool trust_load(struct trust *trust, const struct config *config, const struct log *log);

/* A file that is about to be accepted. */
struct trust_question {
	const char *text; /* its signature's file; NULL: there is none */
	size_t size;
	int blob; /* its bytes, which nobody can change */
	off_t bytes;
	const struct digest *digest; /* of them */
	const struct digest *parts[MINISIGN_PARTS]; /* that came with it; none: none did */
	uint64_t number; /* of the version's folder; 0: none */
	const struct manifest *manifest; /* of the model that it is for */
	uint64_t now; /* second of the calendar */
};

/*
 * 0 when a trusted key signed these very bytes for that model, and they are neither expired nor older than
 * what was accepted before. *ret_version gets the signed version, *ret_key the key's id. -EBADMSG with the
 * reason, or what verifying lacked.
 */
int must_check trust_verify(const struct trust *trust, const struct trust_question *question,
	uint64_t *ret_version, uint64_t *ret_key, struct error *err);

#endif
