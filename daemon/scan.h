/* SPDX-License-Identifier: Apache-2.0 */
/* scan - which models and versions the models folder names */
#ifndef DAEMON_SCAN_H
#define DAEMON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "daemon/served.h"

#define SCAN_MAX_VERSIONS 8 /* folders of a model that are tried: the highest that hold a file */

struct scan_model {
	char name[SERVED_NAME_SIZE];
	bool file; /* NAME.tflite: version 0 */
	bool bundle; /* NAME.tar, the same */
	bool folder; /* NAME/ */
};

/* Entries that are no models, or too many. */
struct scan_left_out {
	size_t n;
	char name
		[256]; /* the lowest of those that no model can have, any bytes; "": there is none */
};

/* True for [a-z0-9][a-z0-9._-]{0,63}. */
bool scan_name_valid(const char *name, size_t length);

/*
 * The models of @folder, sorted by name, the caller's to free; at most @max. Names that no model
 * can have are left out silently when they begin with a dot, and counted otherwise.
 */
int must_check scan_models(int folder, size_t max, struct scan_model **ret_models, size_t *ret_n,
	struct scan_left_out *ret_left_out);

/* False when nothing of @folder has the name of that model. */
bool must_check scan_find(int folder, const char *name, struct scan_model *ret_model);

/* The versions below the model's @folder, highest first, whatever is in their folders; the caller's to
 * free. */
int must_check scan_versions(int folder, uint64_t **ret_versions, size_t *ret_n);

#endif
