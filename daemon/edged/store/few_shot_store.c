/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/taught.h"

#include <errno.h>
#include <string.h>

#include "base/examples.h"
#include "daemon/blobs.h"

uint32_t taught_stamp(const struct digest *examples)
{
	const uint8_t *b = examples->bytes;
	const uint32_t stamp = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16;
	return digest_none(examples) ? 0 : stamp ? stamp : 1;
}

int taught_check(const char *text, size_t size, size_t *ret_n, struct error *err)
{
	owned_examples struct examples examples = {0};
	struct error why = {0};
	int code = examples_parse(text, size, &examples, &why);
	if (code < 0) {
		return error_set(err, code == -EBADMSG ? -EINVAL : code, "%s", why.text);
	}
	*ret_n = examples.n;
	return 0;
}

static int too_many(size_t most, struct error *err)
{
	return error_set(err, -EFBIG, "the examples have more than %zu bytes", most);
}

/* All of a regular file. */
static int file_read(int fd, size_t most, char **ret_text, size_t *ret_size, struct error *err)
{
	struct import_identity identity;
	int code = import_identify(fd, &identity);
	if (code == 0 && (uint64_t)identity.size > most) {
		return too_many(most, err);
	}
	code = code == 0 ? import_bytes(fd, 0, identity.size, ret_text) : code;
	if (code < 0) {
		return error_set(err, code, "%s",
			code == -EINVAL ? "the descriptor is not that of a regular file"
					: strerror(-code));
	}
	*ret_size = (size_t)identity.size;
	return 0;
}

int taught_read(const struct depot *depot, const struct manifest_version *version, size_t most,
	char **ret_text, size_t *ret_size, struct error *err)
{
	owned_fd int blob = -1;
	if (digest_none(&version->examples)) {
		*ret_text = strdup("");
		*ret_size = 0;
		return *ret_text ? 0 : error_no_memory(err);
	}
	int code = blobs_open(depot->stored, &version->examples, &blob);
	if (code < 0) {
		return error_set(err, -EIO, "the examples in the store: %s", strerror(-code));
	}
	return file_read(blob, most, ret_text, ret_size, err);
}

static int keep(const struct depot *depot, const char *text, size_t size,
	struct manifest_version *version, struct error *err)
{
	struct digest digest = {0};
	int code = size > 0 ? blobs_put(depot->blobs, text, size, &digest) : 0;
	if (code < 0) {
		return error_set(err, code, "the store: %s", strerror(-code));
	}
	version->examples = digest;
	return 0;
}

static int check_kept(const struct depot *depot, struct error *err)
{
	return depot->blobs >= 0
		? 0
		: error_set(err, -EOPNOTSUPP, "there is no state folder to keep examples in");
}

int taught_add(const struct depot *depot, int fd, size_t most, struct manifest_version *version,
	size_t *ret_n, struct error *err)
{
	owned_mem char *before = NULL, *more = NULL, *all = NULL;
	size_t size = 0, before_size = 0, all_size = 0;
	int code = check_kept(depot, err);
	code = code < 0 ? code : file_read(fd, most, &more, &size, err);
	/* By itself first: lines are counted as whoever brought them does. */
	code = code < 0 ? code : taught_check(more, size, ret_n, err);
	if (code == 0 && *ret_n == 0) {
		return error_set(err, -EINVAL, "there are no examples in it");
	}
	code = code < 0 ? code : taught_read(depot, version, most, &before, &before_size, err);
	if (code < 0) {
		return code;
	}
	if (examples_join(before, before_size, more, size, &all, &all_size) < 0) {
		return error_no_memory(err);
	}
	if (all_size > most) {
		return too_many(most, err);
	}
	code = taught_check(all, all_size, ret_n, err);
	return code < 0 ? code : keep(depot, all, all_size, version, err);
}

int taught_remove(const struct depot *depot, const char *label, struct manifest_version *version,
	size_t *ret_n, struct error *err)
{
	owned_mem char *text = NULL;
	size_t size = 0;
	int code = check_kept(depot, err);
	code = code < 0 ? code : taught_read(depot, version, TAUGHT_MAX_BYTES, &text, &size, err);
	if (code < 0) {
		return code;
	}
	if (examples_remove(text, &size, label) == 0) {
		return error_set(err, -ENOENT, "it was taught no examples of that label");
	}
	code = taught_check(text, size, ret_n, err);
	return code < 0 ? code : keep(depot, text, size, version, err);
}
