/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/sodium.h"

#include <dlfcn.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/background_yield.h"
#include "base/file.h"

struct sodium {
	void *library;
	__typeof__(&crypto_sign_verify_detached) verify;
	__typeof__(&crypto_generichash_statebytes) state_bytes;
	__typeof__(&crypto_generichash_init) hash_init;
	__typeof__(&crypto_generichash_update) hash_update;
	__typeof__(&crypto_generichash_final) hash_final;
};

/* Writes function @name of the library to *ret, a function pointer. */
static bool find(void *library, const char *name, void *ret, size_t size)
{
	void *symbol = dlsym(library, name);
	if (symbol) {
		memcpy(ret, &symbol, size);
	}
	return symbol != NULL;
}

#define FIND(sodium, member, function)                                                             \
	find((sodium)->library, #function, &(sodium)->member, sizeof((sodium)->member))

/* libsodium.so.23 is libsodium 1.0.9 to 1.0.18, .so.26 is 1.0.19 and later. The functions used here
 * have the same ABI in both. */
static void *library_open(void)
{
	void *library = dlopen("libsodium.so.23", RTLD_NOW);
	return library ? library : dlopen("libsodium.so.26", RTLD_NOW);
}

static bool functions_find(struct sodium *sodium)
{
	__typeof__(&sodium_init) init = NULL;
	return find(sodium->library, "sodium_init", &init, sizeof(init)) && init() >= 0 &&
		FIND(sodium, verify, crypto_sign_verify_detached) &&
		FIND(sodium, state_bytes, crypto_generichash_statebytes) &&
		FIND(sodium, hash_init, crypto_generichash_init) &&
		FIND(sodium, hash_update, crypto_generichash_update) &&
		FIND(sodium, hash_final, crypto_generichash_final);
}

int sodium_load(struct sodium **ret_sodium, struct error *err)
{
	owned(sodium_unload) struct sodium *sodium = calloc(1, sizeof(*sodium));
	if (!sodium) {
		return error_no_memory(err);
	}
	sodium->library = library_open();
	if (!sodium->library || !functions_find(sodium)) {
		return error_set(
			err, -ELIBACC, "it cannot be verified: libsodium cannot be loaded");
	}
	*ret_sodium = take(sodium);
	return 0;
}

void sodium_unload(struct sodium *sodium)
{
	if (sodium && sodium->library) {
		dlclose(sodium->library);
	}
	free(sodium);
}

bool sodium_verify(const struct sodium *sodium, const uint8_t signature[64], const void *data,
	size_t size, const uint8_t key[32])
{
	return sodium->verify(signature, data, size, key) == 0;
}

/* A hash that is being computed. */
struct hash_context {
	const struct sodium *sodium;
	crypto_generichash_state *state;
};

static int hash_chunk(void *context, const void *data, size_t size)
{
	const struct hash_context *hash = context;
	hash->sodium->hash_update(hash->state, data, size);
	background_yield_if_due();
	return 0;
}

int sodium_hash_file(
	const struct sodium *sodium, int fd, off_t size, uint8_t ret_hash[SODIUM_HASH_BYTES])
{
	const size_t alignment = 64; /* alignment of the state (sodium/crypto_generichash.h) */
	size_t bytes = (sodium->state_bytes() + alignment - 1) & ~(alignment - 1);
	owned_mem crypto_generichash_state *state = aligned_alloc(alignment, bytes);
	struct hash_context hash = {sodium, state};
	if (!state) {
		return -ENOMEM;
	}
	sodium->hash_init(state, NULL, 0, SODIUM_HASH_BYTES);
	int code = file_each_chunk(fd, 0, size, hash_chunk, &hash);
	if (code == 0) {
		sodium->hash_final(state, ret_hash, SODIUM_HASH_BYTES);
	}
	return code;
}
