/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/few_shot_store.h"

#include <errno.h>
#include <string.h>

#include "base/few_shot.h"
#include "daemon/edged/store/blobs.h"

uint32_t few_shot_store_stamp(const struct digest *examples)
{
	const uint8_t *b = examples->bytes;
	const uint32_t stamp = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16;
	return digest_is_zero(examples) ? 0 : stamp ? stamp : 1;
}

int few_shot_store_check(const char *text, size_t size, size_t *ret_n, struct error *err)
{
	owned_examples struct few_shot examples = {0};
	struct error why = {0};
	int code = few_shot_parse(text, size, &examples, &why);
	if (code < 0) {
		return error_set(err, code == -EBADMSG ? -EINVAL : code, "%s", why.text);
	}
	*ret_n = examples.n;
	return 0;
}

static int too_many(size_t max, struct error *err)
{
	return error_set(err, -EFBIG, "the examples have more than %zu bytes", max);
}

/* Reads a whole regular file. */
static int file_read(int fd, size_t max, char **ret_text, size_t *ret_size, struct error *err)
{
	struct import_identity identity;
	int code = import_identify(fd, &identity);
	if (code == 0 && (uint64_t)identity.size > max) {
		return too_many(max, err);
	}
	code = code == 0 ? import_read(fd, 0, identity.size, ret_text) : code;
	if (code < 0) {
		return error_set(err, code, "%s",
			code == -EINVAL ? "the descriptor is not that of a regular file"
					: strerror(-code));
	}
	*ret_size = (size_t)identity.size;
	return 0;
}

int few_shot_store_read(const struct store *store, const struct manifest_version *version,
	size_t max, char **ret_text, size_t *ret_size, struct error *err)
{
	owned_fd int blob = -1;
	if (digest_is_zero(&version->examples)) {
		*ret_text = strdup("");
		*ret_size = 0;
		return *ret_text ? 0 : error_no_memory(err);
	}
	int code = blobs_open(store->blobs_ro, &version->examples, &blob);
	if (code < 0) {
		return error_set(err, -EIO, "the examples in the store: %s", strerror(-code));
	}
	return file_read(blob, max, ret_text, ret_size, err);
}

static int keep(const struct store *store, const char *text, size_t size,
	struct manifest_version *version, struct error *err)
{
	struct digest digest = {0};
	int code = size > 0 ? blobs_put(store->blobs, text, size, &digest) : 0;
	if (code < 0) {
		return error_set(err, code, "the store: %s", strerror(-code));
	}
	version->examples = digest;
	return 0;
}

static int check_kept(const struct store *store, struct error *err)
{
	return store->blobs >= 0
		? 0
		: error_set(err, -EOPNOTSUPP, "there is no state folder to keep examples in");
}

int few_shot_store_add(const struct store *store, int fd, size_t max,
	struct manifest_version *version, size_t *ret_n, struct error *err)
{
	owned_mem char *before = NULL, *more = NULL, *all = NULL;
	size_t size = 0, before_size = 0, all_size = 0;
	int code = check_kept(store, err);
	code = code < 0 ? code : file_read(fd, max, &more, &size, err);
	/* Checked alone first, so that line numbers in errors are those of the client's file. */
	code = code < 0 ? code : few_shot_store_check(more, size, ret_n, err);
	if (code == 0 && *ret_n == 0) {
		return error_set(err, -EINVAL, "there are no examples in it");
	}
	code = code < 0 ? code
			: few_shot_store_read(store, version, max, &before, &before_size, err);
	if (code < 0) {
		return code;
	}
	if (few_shot_join(before, before_size, more, size, &all, &all_size) < 0) {
		return error_no_memory(err);
	}
	if (all_size > max) {
		return too_many(max, err);
	}
	code = few_shot_store_check(all, all_size, ret_n, err);
	return code < 0 ? code : keep(store, all, all_size, version, err);
}

int few_shot_store_remove(const struct store *store, const char *label,
	struct manifest_version *version, size_t *ret_n, struct error *err)
{
	owned_mem char *text = NULL;
	size_t size = 0;
	int code = check_kept(store, err);
	code = code < 0
		? code
		: few_shot_store_read(store, version, FEW_SHOT_STORE_MAX_BYTES, &text, &size, err);
	if (code < 0) {
		return code;
	}
	if (few_shot_remove(text, &size, label) == 0) {
		return error_set(err, -ENOENT, "it was taught no examples of that label");
	}
	code = few_shot_store_check(text, size, ret_n, err);
	return code < 0 ? code : keep(store, text, size, version, err);
}
