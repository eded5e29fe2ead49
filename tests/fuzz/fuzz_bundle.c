/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a bundle, as a signature and as a key: parts lie inside, reasons are there. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/tar.h"
#include "daemon/edged/store/bundle.h"
#include "daemon/edged/store/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_bundle(int fd, off_t size)
{
	struct bundle bundle;
	struct error err = {0};
	char name[LOADED_MODEL_NAME_SIZE];
	if (bundle_read(fd, size, &bundle, &err) < 0) {
		assert(err.text[0] != 0);
		return;
	}
	assert(bundle.parts[BUNDLE_MODEL].at > 0);
	for (int i = 0; i < BUNDLE_PARTS; i++) {
		assert(bundle.parts[i].at >= 0 && bundle.parts[i].size >= 0);
		assert(bundle.parts[i].at <= size &&
			bundle.parts[i].size <= size - bundle.parts[i].at);
	}
	int code = bundle_name(fd, &bundle, name, &err);
	assert(code < 0 ? err.text[0] != 0 : strlen(name) < sizeof(name));
}

static void as_signature(const char *text, size_t size)
{
	struct minisign_signature signature;
	struct minisign_claims claims;
	struct minisign_key key;
	struct error err = {0};
	if (minisign_parse(text, size, &signature, &err) == 0) {
		assert(signature.comment >= text &&
			signature.comment + signature.comment_length <= text + size);
		int code = minisign_claims(&signature, &claims, &err);
		assert(code == 0 || err.text[0] != 0);
	}
	int code = minisign_parse_key(text, size, &key, &err);
	assert(code == 0 || err.text[0] != 0);
}

/* Gives each header the sum that it should have: hardly any change would come further otherwise. */
static void sums_set(uint8_t *data, size_t size)
{
	const size_t sum_at = 148, sum_length = 8; /* base/tar.c */
	for (size_t at = 0; at + TAR_BLOCK <= size; at += TAR_BLOCK) {
		uint8_t *block = data + at;
		char text[8];
		unsigned int sum = 0;
		if (!tar_is(block)) {
			continue;
		}
		memset(block + sum_at, ' ', sum_length);
		for (size_t i = 0; i < TAR_BLOCK; i++) {
			sum += block[i];
		}
		snprintf(text, sizeof(text), "%06o", sum);
		memcpy(block + sum_at, text, 7);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	owned_fd int fd = memfd_create("bundle", MFD_CLOEXEC);
	owned_mem uint8_t *summed = malloc(size + 1);
	as_signature((const char *)data, size);
	if (fd < 0 || !summed) {
		return 0;
	}
	memcpy(summed, data, size);
	if (size % 2 == 0) {
		sums_set(summed, size);
	}
	if (write(fd, summed, size) == (ssize_t)size) {
		as_bundle(fd, (off_t)size);
	}
	return 0;
}
