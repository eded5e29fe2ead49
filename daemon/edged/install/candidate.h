/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidate - a version of a model on its way into the store
 *
 *   source                       companion files, all optional
 *   NAME.tflite                  NAME.labels.txt, NAME.golden, NAME.conf, NAME.tflite.minisig
 *   NAME/VERSION/model.tflite    labels.txt, golden, model.conf, model.tflite.minisig
 *   NAME.tar                     the names of NAME/VERSION/ inside the bundle (bundle.h)
 *   open file                    a bundle, or a model without companion files
 *
 * The first three lie in the models folder. A client with the right to install hands over an open
 * file.
 */
#ifndef DAEMON_EDGED_INSTALL_CANDIDATE_H
#define DAEMON_EDGED_INSTALL_CANDIDATE_H

#include "daemon/edged/install/load.h"
#include "daemon/edged/store/bundle.h"
#include "daemon/edged/store/import.h"

/* Source of a candidate. */
struct candidate_source {
	int folder; /* borrowed; holds the files in @names */
	uint64_t number; /* version number from the folder's name; 0: NAME.tflite or NAME.tar */
	bool bundle; /* the model's entry in @names is a bundle */
	/* file name of each part; empty: no such file */
	char names[BUNDLE_PARTS][LOADED_MODEL_NAME_SIZE + 16];
	bool given; /* the source is the open file @file, borrowed, from user id @by */
	int file;
	uint64_t by;
};

/* NAME.tflite in @folder, the models folder. */
struct candidate_source candidate_flat(int folder, const char *name);
/* model.tflite in @folder, a version's folder. */
struct candidate_source candidate_nested(int folder, uint64_t number);
/* NAME.tar in @folder, the models folder. */
struct candidate_source candidate_bundle(int folder, const char *name);
/* An open file from user @by. */
struct candidate_source candidate_given(int file, uint64_t by);

struct candidate_identity {
	/* all zero: no such file; a bundle uses the first entry only */
	struct import_identity parts[BUNDLE_PARTS];
};

/* Identifies the files as they are now. */
void candidate_identify(const struct candidate_source *source, struct candidate_identity *ret);
bool candidate_same(const struct candidate_identity *a, const struct candidate_identity *b);
/* Returns true if another attempt with unchanged files would give @code again. */
bool candidate_settled(int code, const struct candidate_identity *identity);

/* Returns a user's explanation of error @code from opening a file or folder. */
const char *candidate_why(int code);

struct candidate {
	struct candidate_identity identity;
	struct manifest_version version; /* entry for the manifest, without the signature's facts */
	int blob; /* descriptor of the model's copy in the store */
	char *labels; /* text of the labels file; NULL: none */
	uint32_t labels_length;
	int golden; /* descriptor of the self-test's copy in the store; -1: none */
	off_t golden_bytes;
	char *minisig; /* text of the signature file; NULL: none, or no policy needs it */
	size_t minisig_bytes;
	/* digest of the file in the models folder that an install replaces; none: no such file */
	struct digest replaced_file;
	bool allow_signature_change;
};

/* Imports the files into the store. Blobs that @known names are not copied again. Call
 * candidate_deinit() after success and error. Errors: from blobs_import(), open and read, with
 * text. On error candidate->identity has the files identified so far. */
int must_check candidate_take(struct candidate *candidate, const struct load_context *context,
	const struct candidate_source *source, const struct manifest *known, struct error *err);
void candidate_deinit(struct candidate *candidate);

#endif
