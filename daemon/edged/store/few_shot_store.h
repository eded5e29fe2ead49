/* SPDX-License-Identifier: Apache-2.0 */
/*
 * few_shot_store - few-shot examples of a version (base/few_shot.h), kept as a blob
 *
 * The version's manifest entry names the blob, so a change is atomic and the examples live as long
 * as the version. Examples never move to another version, because its embeddings differ. Loader's
 * thread only.
 */
#ifndef DAEMON_EDGED_STORE_FEW_SHOT_STORE_H
#define DAEMON_EDGED_STORE_FEW_SHOT_STORE_H

#include "daemon/edged/store/store.h"

#define FEW_SHOT_STORE_MAX_BYTES ((size_t)1 << 20) /* examples of one version */

/* Returns 24 bits that change with the examples; 0: no examples. */
uint32_t few_shot_store_stamp(const struct digest *examples);

/* Verifies untrusted text of @size bytes with a 0 after it. *ret_n: number of examples. -EINVAL
 * with the line, -EFBIG, -ENOMEM. */
int must_check few_shot_store_check(
	const char *text, size_t size, size_t *ret_n, struct error *err);

/* Reads the examples of @version with a 0 after them; "" if there are none. The caller frees
 * *ret_text. -EFBIG above @max bytes. */
int must_check few_shot_store_read(const struct store *store,
	const struct manifest_version *version, size_t max, char **ret_text, size_t *ret_size,
	struct error *err);

/* Appends the content of @fd, a regular file, to the examples of @version. The result is a new blob
 * in @version; the caller saves the manifest. *ret_n: total number of examples. -EINVAL, -EFBIG
 * above @max bytes in total, -EOPNOTSUPP without a store on disk, or a disk error. */
int must_check few_shot_store_add(const struct store *store, int fd, size_t max,
	struct manifest_version *version, size_t *ret_n, struct error *err);

/* Removes the examples of @label in the way of few_shot_store_add(). -ENOENT if there are none. */
int must_check few_shot_store_remove(const struct store *store, const char *label,
	struct manifest_version *version, size_t *ret_n, struct error *err);

#endif
