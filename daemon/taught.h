/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taught - examples of embeddings that somebody has named (base/examples.h), kept with a version of a model
 *
 * A blob of its own, named by the version's entry of the manifest: so a change is on the disk, or it is not; the
 * examples stay as long as the version does, and are not taken for those of another one, whose embeddings mean
 * something else. One user: the loader's thread.
 */
#ifndef DAEMON_TAUGHT_H
#define DAEMON_TAUGHT_H

#include "daemon/depot.h"

#define TAUGHT_MAX_BYTES ((size_t)1 << 20) /* of one version */

/* 0: none; else 24 bits that are other ones when the examples are. */
uint32_t taught_stamp(const struct digest *examples);

/* A text, with a zero byte after it, that nobody is trusted for: -EINVAL with the line, -EFBIG, -ENOMEM. */
int must_check taught_check(const char *text, size_t size, size_t *ret_n, struct error *err);

/* malloc'ed, with a zero byte after it; "" where there are none. Above @most bytes -EFBIG. */
int must_check taught_read(const struct depot *depot, const struct manifest_version *version,
	size_t most, char **ret_text, size_t *ret_size, struct error *err);

/*
 * What is in @fd, a regular file, comes behind the examples of @version, which then has another blob: the caller
 * keeps the manifest. *ret_n: all examples by then. -EINVAL, -EFBIG above @most bytes altogether,
 * -EOPNOTSUPP where nothing is kept, and what the disk gave.
 */
int must_check taught_add(const struct depot *depot, int fd, size_t most,
	struct manifest_version *version, size_t *ret_n, struct error *err);

/* The same without those of @label; -ENOENT when there are none. */
int must_check taught_remove(const struct depot *depot, const char *label,
	struct manifest_version *version, size_t *ret_n, struct error *err);

#endif
