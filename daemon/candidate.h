/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidate - a version of a model in the models folder, on its way into the store
 *
 * Its file and what stands beside it. For NAME.tflite these are NAME.labels.txt, NAME.golden, NAME.conf
 * and NAME.tflite.minisig; for NAME/VERSION/model.tflite they are labels.txt, golden, model.conf and
 * model.tflite.minisig in the same folder; in a bundle, NAME.tar, the same (bundle.h). None of the four needs
 * to be there. Somebody with the right to it may hand over an open file instead, bundle or model.
 */
#ifndef DAEMON_CANDIDATE_H
#define DAEMON_CANDIDATE_H

#include "daemon/bundle.h"
#include "daemon/import.h"
#include "daemon/load.h"

/* Where the files are. */
struct candidate_place {
	int folder; /* borrowed */
	uint64_t number; /* of the version's folder; 0: NAME.tflite or NAME.tar */
	bool bundle; /* the model's name is that of a bundle */
	char names[BUNDLE_PARTS][SERVED_NAME_SIZE + 16]; /* empty: cannot be there */
	bool given; /* by @by: not in a folder, but @file, borrowed */
	int file;
	uint64_t by;
};

/* @folder: the models folder. */
struct candidate_place candidate_flat(int folder, const char *name);
/* @folder: that of the version. */
struct candidate_place candidate_nested(int folder, uint64_t number);
/* NAME.tar of the models folder. */
struct candidate_place candidate_bundle(int folder, const char *name);
/* An open file, of user @by. */
struct candidate_place candidate_given(int file, uint64_t by);

struct candidate_identity {
	struct import_identity parts[BUNDLE_PARTS]; /* all zero: not there. A bundle is its first */
};

/* What the files are now. */
void candidate_identify(const struct candidate_place *place, struct candidate_identity *ret);
bool candidate_same(const struct candidate_identity *a, const struct candidate_identity *b);
/* True when looking at the same files again would give @code again. */
bool candidate_settled(int code, const struct candidate_identity *identity);

/* What @code of opening a file or folder says to who put it there. */
const char *candidate_why(int code);

struct candidate {
	struct candidate_identity identity;
	struct manifest_version version; /* without signature */
	int blob; /* the copy of the model's file, in the store */
	char *labels; /* NULL: none */
	uint32_t labels_length;
	int golden; /* its copy in the store; -1: none */
	off_t golden_bytes;
	char *minisig; /* text of its signature; NULL: none, or nobody asks for it */
	size_t minisig_bytes;
	struct digest passed; /* file of the models folder that it takes the place of; none: none */
	bool allow_signature_change;
};

/*
 * Brings the files into the store. A file that @known has by its digest is not copied again.
 * candidate_deinit() is needed in any case. Errors: those of blobs_import(), or of opening and
 * reading, with text; candidate->identity is filled as far as it got.
 */
int must_check candidate_take(struct candidate *candidate, const struct load_context *context,
	const struct candidate_place *place, const struct manifest *known, struct error *err);
void candidate_deinit(struct candidate *candidate);

#endif
