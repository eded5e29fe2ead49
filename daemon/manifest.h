/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest - what the store remembers of one model, as a text
 *
 * One small file for each model, in the dialect of ini.h, replaced as a whole: so every change of
 * what serves, of what is on trial and of what was good is one rename. Its last line is the digest
 * of all before it; a text without it is half a text.
 */
#ifndef DAEMON_MANIFEST_H
#define DAEMON_MANIFEST_H

#include "daemon/digest.h"
#include "daemon/served.h"

#define MANIFEST_MAX_VERSIONS 4
#define MANIFEST_MAX_BYTES 16384

/* A file that was admitted. */
struct manifest_version {
	struct digest model;
	struct digest labels; /* none: it has none */
	struct digest golden, conf, minisig; /* what came with it; none: nothing did */
	struct digest examples; /* that it was taught (taught.h); none: nothing */
	struct digest signature; /* of names, types and shapes (signature.h) */
	uint64_t version, bytes;
	uint64_t since; /* seconds of the calendar */
	uint64_t by; /* user id of the file's owner, or of who installed it */
	uint64_t signed_by; /* id of the trusted key that @minisig is of; 0: none */
	uint64_t signed_version; /* as it says */
	bool installed; /* by an order, not from the models folder: it does not go with a file there */
};

struct manifest {
	char name[SERVED_NAME_SIZE];
	struct digest active; /* what serves; none: the model was removed */
	struct digest
		last_good; /* proved itself, or did well until the second version came; none at first */
	struct digest previous; /* the good one before */
	bool trial; /* @active has not proved itself yet */
	bool pinned; /* nothing takes the place of @active */
	uint64_t newest; /* number given last */
	uint64_t signed_newest; /* highest signed version that was accepted; 0: none */
	struct digest signed_file; /* that had it */
	struct digest passed; /* file of the models folder that an install has taken the place of */
	size_t n;
	struct manifest_version versions[MANIFEST_MAX_VERSIONS]; /* oldest first */
};

/* The version with that digest, or NULL. */
const struct manifest_version *manifest_find(
	const struct manifest *manifest, const struct digest *model);

/*
 * Adds @version, numbered @manifest->newest + 1 if its number is 0, or replaces the one with the same
 * digest, which keeps its number, and its examples where @version has none. Forgets the oldest that has no role if there is no room.
 */
const struct manifest_version *manifest_add(
	struct manifest *manifest, const struct manifest_version *version);

/* Forgets versions that are neither active nor good. */
void manifest_trim(struct manifest *manifest);

/* Version @at is gone: what it was becomes what was good before; none serves where there is none. */
void manifest_lose(struct manifest *manifest, size_t at);

/* True when a blob of that digest is needed. */
bool manifest_wants(const struct manifest *manifest, const struct digest *digest);

/* @active has proved itself. */
void manifest_prove(struct manifest *manifest);

/* @active makes place for another version. Where none has proved itself yet it is the last good one if it is @well, which
 * says that it has answered, and not badly so far. */
void manifest_pass_on(struct manifest *manifest, const struct digest *well);

/* What a rollback goes back to: the last good one, or the one before when that is active; NULL if
 * there is none. */
const struct manifest_version *manifest_fallback(const struct manifest *manifest);

/* The text; malloc'ed, the caller's. -ENOMEM. */
int must_check manifest_print(const struct manifest *manifest, char **ret_text, size_t *ret_size);
/* -EINVAL with "name:line: why" for what manifest_print() does not print. */
int must_check manifest_parse(const char *name, const char *text, size_t size,
	struct manifest *ret_manifest, struct error *err);

#endif
