/* SPDX-License-Identifier: Apache-2.0 */
/* models_folder - lists models and versions in the models folder */
#ifndef DAEMON_EDGED_STORE_MODELS_FOLDER_H
#define DAEMON_EDGED_STORE_MODELS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "daemon/edged/model/loaded_model.h"

/* version folders tried for a model: the highest numbers that hold a file */
#define SCAN_MAX_VERSIONS 8

struct models_folder_model {
	char name[LOADED_MODEL_NAME_SIZE];
	bool file; /* NAME.tflite exists: version 0 */
	bool bundle; /* NAME.tar exists: version 0 */
	bool folder; /* folder NAME/ exists */
};

/* Entries that are no models, or exceed the maximum. */
struct models_folder_left_out {
	size_t n;
	char name[256]; /* lowest name that is no valid model name, unescaped bytes; "": none */
};

/* Returns true for [a-z0-9][a-z0-9._-]{0,63}. */
bool models_folder_name_valid(const char *name, size_t length);

/* Lists the models of @folder by name, at most @max. The caller frees *ret_models. Entries with
 * invalid names are counted in *ret_left_out, unless they begin with a dot. */
int must_check models_folder_list(int folder, size_t max, struct models_folder_model **ret_models,
	size_t *ret_n, struct models_folder_left_out *ret_left_out);

/* Looks up one model. Returns false if @folder has no entry for it. */
bool must_check models_folder_find(
	int folder, const char *name, struct models_folder_model *ret_model);

/* Lists the version folders of the model's @folder, highest first, whether or not they hold a
 * model. The caller frees *ret_versions. */
int must_check models_folder_versions(int folder, uint64_t **ret_versions, size_t *ret_n);

#endif
