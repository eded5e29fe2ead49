/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/trust.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/system/sodium.h"

#define SUFFIX ".pub"
#define SECONDS_OF_DAY 86400

/* ---- keys */

static int is_key_file(const struct dirent *entry)
{
	const size_t length = strlen(entry->d_name), suffix = strlen(SUFFIX);
	return entry->d_name[0] != '.' && length > suffix &&
		strcmp(entry->d_name + length - suffix, SUFFIX) == 0;
}

/* Accepts links: users who write the models folder cannot write this one. */
static int key_read(int folder, const char *name, struct minisign_key *ret_key, struct error *err)
{
	char text[MINISIGN_MAX_BYTES + 1];
	struct stat st;
	owned_fd int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return error_set(err, -errno, "%s", strerror(errno));
	}
	if (!S_ISREG(st.st_mode)) {
		return error_set(err, -EINVAL, "not a regular file");
	}
	ssize_t n = read(fd, text, sizeof(text));
	return n < 0 ? error_set(err, -errno, "%s", strerror(errno))
		     : minisign_parse_key(text, (size_t)n, ret_key, err);
}

static void key_add(struct trust *trust, int folder, const char *name, const struct log *log)
{
	struct error err = {0};
	char escaped[100];
	int code = trust->n == TRUST_MAX_KEYS
		? error_set(&err, -E2BIG, "there are %d keys already", TRUST_MAX_KEYS)
		: key_read(folder, name, &trust->keys[trust->n], &err);
	if (code == 0) {
		trust->n++;
	} else if (log) {
		log_warning(log, "key %s is left out: %s",
			error_escape(escaped, sizeof(escaped), name, strlen(name)), err.text);
	}
}

static int keys_read(struct trust *trust, const char *path, const struct log *log)
{
	struct dirent **entries = NULL;
	trust->n = 0;
	owned_fd int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = folder < 0 ? -1 : scandirat(folder, ".", &entries, is_key_file, alphasort);
	if (n < 0) {
		int code = -errno;
		if (log) {
			log_warning(log, "the keys folder: %s", strerror(-code));
		}
		return code;
	}
	for (int i = 0; i < n; i++) {
		key_add(trust, folder, entries[i]->d_name, log);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

/* Includes the date, because signatures expire. */
static struct digest fingerprint_of(const struct trust *trust, const struct config *config)
{
	const struct {
		uint64_t n, code, policy, day;
		struct digest list;
		struct digest keys;
	} all = {
		.n = trust->n,
		.code = (uint64_t)-trust->code,
		.policy = config->signatures,
		.day = (uint64_t)time(NULL) / SECONDS_OF_DAY,
		.list = digest_of(config->signatures_of, strlen(config->signatures_of)),
		.keys = digest_of(trust->keys, trust->n * sizeof(trust->keys[0])),
	};
	return digest_of(&all, sizeof(all));
}

bool trust_load(struct trust *trust, const struct config *config, const struct log *log)
{
	const bool any = config_policy_any(config);
	*trust = (struct trust){.fingerprint = trust->fingerprint};
	trust->code = any ? keys_read(trust, config->keys, NULL) : 0;
	const struct digest now = fingerprint_of(trust, config);
	if (digest_equal(&now, &trust->fingerprint)) {
		return false;
	}
	if (any) {
		trust->code = keys_read(trust, config->keys, log); /* once more, to log */
	}
	trust->fingerprint = fingerprint_of(trust, config);
	return true;
}

/* ---- signatures */

static int key_missing(
	const struct trust *trust, const struct minisign_signature *signature, struct error *err)
{
	return trust->code < 0
		? error_set(err, -EBADMSG, "no trusted key %016" PRIX64 ": the keys folder: %s",
			  signature->key, strerror(-trust->code))
		: error_set(err, -EBADMSG, "no trusted key %016" PRIX64, signature->key);
}

/* The global signature covers signature and comment, so a comment of another file is rejected. */
static bool comment_is_signed(const struct sodium *sodium,
	const struct minisign_signature *signature, const struct minisign_key *key)
{
	uint8_t all[MINISIGN_SIGNATURE_BYTES + MINISIGN_MAX_BYTES];
	memcpy(all, signature->bytes, MINISIGN_SIGNATURE_BYTES);
	memcpy(all + MINISIGN_SIGNATURE_BYTES, signature->comment, signature->comment_length);
	return sodium_verify(sodium, signature->global, all,
		MINISIGN_SIGNATURE_BYTES + signature->comment_length, key->bytes);
}

/* The legacy algorithm, without BLAKE2b, needs the whole file in memory. */
static int check_whole(const struct sodium *sodium, const struct trust_file *file,
	const struct minisign_signature *signature, const struct minisign_key *key, bool *ret_good)
{
	const size_t size = (size_t)file->bytes;
	void *bytes =
		size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, file->blob, 0) : MAP_FAILED;
	if (bytes == MAP_FAILED) {
		return size > 0 ? -errno : -EBADMSG;
	}
	*ret_good = sodium_verify(sodium, signature->bytes, bytes, size, key->bytes);
	munmap(bytes, size);
	return 0;
}

static int check_hashed(const struct sodium *sodium, const struct trust_file *file,
	const struct minisign_signature *signature, const struct minisign_key *key, bool *ret_good)
{
	uint8_t hash[SODIUM_HASH_BYTES];
	int code = sodium_hash_file(sodium, file->blob, file->bytes, hash);
	if (code == 0) {
		*ret_good = sodium_verify(sodium, signature->bytes, hash, sizeof(hash), key->bytes);
	}
	return code;
}

static int check_file(const struct sodium *sodium, const struct trust_file *file,
	const struct minisign_signature *signature, const struct minisign_key *key,
	struct error *err)
{
	bool good = false;
	int code = signature->hashed ? check_hashed(sodium, file, signature, key, &good)
				     : check_whole(sodium, file, signature, key, &good);
	if (code < 0) {
		return error_set(err, code, "reading the file: %s", strerror(-code));
	}
	return good ? 0 : error_set(err, -EBADMSG, "it is not of this file");
}

/* Only edgectl rollback may go back to an older version. */
static int check_version(
	const struct trust_file *file, const struct minisign_claims *claims, struct error *err)
{
	const struct manifest *manifest = file->manifest;
	if (claims->version == 0) {
		return error_set(err, -EBADMSG, "its trusted comment has no version:N");
	}
	if (file->number != 0 && file->number != claims->version) {
		return error_set(err, -EBADMSG, "it is of version %" PRIu64 ", not %" PRIu64,
			claims->version, file->number);
	}
	if (claims->version < manifest->signed_newest) {
		return error_set(err, -EBADMSG, "version %" PRIu64 " is older than %" PRIu64,
			claims->version, manifest->signed_newest);
	}
	if (claims->version == manifest->signed_newest &&
		!digest_equal(&manifest->signed_file, file->digest)) {
		return error_set(
			err, -EBADMSG, "version %" PRIu64 " was another file", claims->version);
	}
	return 0;
}

/* A clock set back does not revive an expired file: the time of the last accepted version is a
 * lower bound. */
static uint64_t latest_time(const struct trust_file *file)
{
	uint64_t latest = file->now;
	const struct manifest *manifest = file->manifest;
	for (size_t i = 0; i < manifest->n; i++) {
		latest =
			manifest->versions[i].since > latest ? manifest->versions[i].since : latest;
	}
	return latest;
}

/* Compares companion files with the claims. */
static int check_parts(
	const struct trust_file *file, const struct minisign_claims *claims, struct error *err)
{
	for (int i = 0; i < MINISIGN_PARTS; i++) {
		char text[DIGEST_TEXT_SIZE];
		const struct digest *digest = file->parts[i];
		const char *there =
			digest_is_zero(digest) ? MINISIGN_NONE : digest_to_hex(digest, text);
		if (claims->parts[i][0] != 0 && strcmp(claims->parts[i], there) != 0) {
			return error_set(err, -EBADMSG, "%s: not what was signed",
				minisign_part_name((enum minisign_part)i));
		}
	}
	return 0;
}

static int check_claims(
	const struct trust_file *file, const struct minisign_claims *claims, struct error *err)
{
	const char *model = file->manifest->name;
	char escaped[100];
	if (claims->model[0] != 0 && strcmp(claims->model, model) != 0) {
		return error_set(err, -EBADMSG, "it is for model %s",
			error_escape(
				escaped, sizeof(escaped), claims->model, strlen(claims->model)));
	}
	if (claims->expires != 0 && latest_time(file) >= claims->expires) {
		return error_set(err, -EBADMSG, "it has expired");
	}
	int code = check_parts(file, claims, err);
	return code < 0 ? code : check_version(file, claims, err);
}

static int check_by(const struct trust_file *file, const struct minisign_signature *signature,
	const struct minisign_key *key, struct minisign_claims *ret_claims, struct error *err)
{
	owned(sodium_unload) struct sodium *sodium = NULL;
	int code = sodium_load(&sodium, err);
	if (code < 0) {
		return code;
	}
	if (!comment_is_signed(sodium, signature, key)) {
		return error_set(
			err, -EBADMSG, "its trusted comment is not the one that was signed");
	}
	code = minisign_claims(signature, ret_claims, err);
	if (code == 0) {
		code = check_claims(file, ret_claims, err);
	}
	return code < 0 ? code : check_file(sodium, file, signature, key, err);
}

static int verify(const struct trust *trust, const struct trust_file *file,
	struct minisign_claims *ret_claims, uint64_t *ret_key, struct error *err)
{
	struct minisign_signature signature;
	if (!file->text) {
		return error_set(err, -EBADMSG, "there is none");
	}
	int code = minisign_parse(file->text, file->size, &signature, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; i < trust->n; i++) {
		if (trust->keys[i].id == signature.key) {
			*ret_key = signature.key;
			return check_by(file, &signature, &trust->keys[i], ret_claims, err);
		}
	}
	return key_missing(trust, &signature, err);
}

int trust_verify(const struct trust *trust, const struct trust_file *file, uint64_t *ret_version,
	uint64_t *ret_key, struct error *err)
{
	struct minisign_claims claims = {0};
	int code = verify(trust, file, &claims, ret_key, err);
	if (code < 0) {
		error_prefix(err, "signature");
		return code;
	}
	*ret_version = claims.version;
	return 0;
}
