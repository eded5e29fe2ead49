/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip - the files that TFLite metadata appends to a model, as a ZIP archive behind the FlatBuffer
 *
 * Stored entries only: nothing is ever inflated. Source of the layout: PKWARE's APPNOTE.TXT,
 * sections 4.3.7, 4.3.12 and 4.3.16.
 */
#ifndef ENGINE_MODEL_ZIP_H
#define ENGINE_MODEL_ZIP_H

#include "base/error.h"
#include "engine/graph.h"

#define ZIP_MAX_ENTRIES 64

struct zip_entry {
	struct text name;
	struct text content; /* data is NULL for an entry that is compressed or encrypted */
};

struct zip {
	uint32_t n_entries;
	struct zip_entry entries[ZIP_MAX_ENTRIES];
};

/*
 * Finds the archive that ends @data. All entries lie in the bytes, none overlaps another. -ENOENT
 * when there is no archive, -EBADMSG when it breaks a rule or has more than ZIP_MAX_ENTRIES.
 */
int must_check zip_open(const uint8_t *data, uint32_t size, struct zip *ret_zip);

/* The entry of that name, or NULL. */
const struct zip_entry *zip_find(const struct zip *zip, struct text name);

#endif
