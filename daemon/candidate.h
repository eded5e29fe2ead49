/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidate - a version of a model in the models folder, on its way into the store
 *
 * Its file and what stands beside it. For NAME.tflite these are NAME.labels.txt, NAME.golden and
 * NAME.conf; for NAME/VERSION/model.tflite they are labels.txt, golden and model.conf in the same
 * folder. None of the three needs to be there.
 */
#ifndef DAEMON_CANDIDATE_H
#define DAEMON_CANDIDATE_H

#include "daemon/import.h"
#include "daemon/load.h"

/* Where the files are. */
struct candidate_place {
	int folder; /* borrowed */
	uint64_t number; /* of the version's folder; 0: NAME.tflite */
	char model[SERVED_NAME_SIZE + 8];
	char labels[SERVED_NAME_SIZE + 12];
	char golden[SERVED_NAME_SIZE + 8];
	char conf[SERVED_NAME_SIZE + 8];
};

/* @folder: the models folder. */
struct candidate_place candidate_flat(int folder, const char *name);
/* @folder: that of the version. */
struct candidate_place candidate_nested(int folder, uint64_t number);

struct candidate_identity {
	struct import_identity model, labels, golden, conf; /* all zero: not there */
};

/* What the files are now. */
void candidate_identify(const struct candidate_place *place, struct candidate_identity *ret);
bool candidate_same(const struct candidate_identity *a, const struct candidate_identity *b);
/* True when looking at the same files again would give @code again. */
bool candidate_settled(int code, const struct candidate_identity *identity);

struct candidate {
	struct candidate_identity identity;
	struct manifest_version version; /* without signature */
	int blob; /* the copy of the model's file, in the store */
	char *labels; /* NULL: none */
	uint32_t labels_length;
	int golden; /* -1: none */
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
