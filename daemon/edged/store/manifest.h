/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest - what the store knows of one model
 *
 * One small text file for each model in the dialect of ini.h, replaced by rename, so each change is
 * atomic. Its last line is the digest of all lines before it and detects a truncated file.
 */
#ifndef DAEMON_EDGED_STORE_MANIFEST_H
#define DAEMON_EDGED_STORE_MANIFEST_H

#include "daemon/edged/model/loaded_model.h"
#include "daemon/system/digest.h"

#define MANIFEST_MAX_VERSIONS 4
#define MANIFEST_MAX_BYTES 16384

/* A version in the store. */
struct manifest_version {
	struct digest model;
	struct digest labels; /* none: no labels file */
	struct digest golden, conf, minisig; /* companion files; none: no such file */
	struct digest examples; /* few-shot examples (few_shot_store.h); none: no examples */
	struct digest signature; /* interface digest of names, types and shapes (signature.h) */
	uint64_t version, bytes;
	uint64_t since; /* time of the install, in seconds since 1970 */
	uint64_t by; /* user id of the file's owner, or of the client that installed it */
	uint64_t signed_by; /* id of the trusted key that signed @minisig; 0: none */
	uint64_t signed_version; /* version number in the signature */
	/* installed by a store command; removal of a file from the models folder does not
	 * remove it */
	bool installed;
};

struct manifest {
	char name[LOADED_MODEL_NAME_SIZE];
	struct digest active; /* version that serves; none: the model was removed */
	/* Version for a rollback: it passed its trial, or had no fault until its successor came.
	 * None at first. */
	struct digest last_good;
	struct digest previous; /* last good version before @last_good */
	bool trial; /* @active is on trial */
	bool pinned; /* @active is not replaced */
	uint64_t newest; /* version number given last */
	uint64_t signed_newest; /* highest signed version accepted so far; 0: none */
	struct digest signed_file; /* model file with version @signed_newest */
	struct digest replaced_file; /* file in the models folder that an install has replaced */
	size_t n;
	struct manifest_version versions[MANIFEST_MAX_VERSIONS]; /* oldest first */
};

/* Returns the version with file @model, or NULL. */
const struct manifest_version *manifest_find(
	const struct manifest *manifest, const struct digest *model);

/* Adds @version. Number 0 becomes @manifest->newest + 1. An entry with the same digest is replaced;
 * it keeps its number, and its examples if @version has none. A full manifest forgets its oldest
 * version without a role. */
const struct manifest_version *manifest_add(
	struct manifest *manifest, const struct manifest_version *version);

/* Forgets versions without a role. */
void manifest_trim(struct manifest *manifest);

/* Forgets version @at, whose file is lost. If it was active, the last good version becomes active;
 * without one nothing serves. */
void manifest_lose(struct manifest *manifest, size_t at);

/* Returns true if a version needs blob @digest. */
bool manifest_wants(const struct manifest *manifest, const struct digest *digest);

/* Ends the trial of @active: it passed. */
void manifest_pass_trial(struct manifest *manifest);

/* Prepares the replacement of @active. If no version has passed a trial yet, @active becomes the
 * last good one, provided that it is @trial_passed: it has answered without a fault. */
void manifest_prepare_replacement(struct manifest *manifest, const struct digest *trial_passed);

/* Returns the version for a rollback: the last good one, or its predecessor if that one is active.
 * NULL if there is none. */
const struct manifest_version *manifest_fallback(const struct manifest *manifest);

/* Writes the manifest as text. The caller frees *ret_text. -ENOMEM. */
int must_check manifest_print(const struct manifest *manifest, char **ret_text, size_t *ret_size);
/* Parses text of manifest_print(). -EINVAL with "name:line: reason" for anything else. */
int must_check manifest_parse(const char *name, const char *text, size_t size,
	struct manifest *ret_manifest, struct error *err);

/* Reads the manifest of model @name in @folder. -EINVAL as manifest_parse(), or the file's error. */
int must_check manifest_read(
	int folder, const char *name, struct manifest *ret_manifest, struct error *err);
/* Writes the manifest to its file in @folder (atomic_write.h). */
int must_check manifest_write(int folder, const struct manifest *manifest);

#endif
