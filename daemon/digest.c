/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/digest.h"

#include <errno.h>
#include <gcrypt.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)

bool digest_none(const struct digest *digest)
{
	static const struct digest none;
	return digest_same(digest, &none);
}

bool digest_same(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

char *digest_print(const struct digest *digest, char out[DIGEST_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		out[2 * i] = digits[digest->bytes[i] >> 4];
		out[2 * i + 1] = digits[digest->bytes[i] & 15];
	}
	out[DIGEST_TEXT_SIZE - 1] = 0;
	return out;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_parse(const char *text, struct digest *ret_digest)
{
	struct digest digest;
	if (strlen(text) != DIGEST_TEXT_SIZE - 1) {
		return false;
	}
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		digest.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret_digest = digest;
	return true;
}

/* Nothing here is secret: no locked memory. */
static void library_start(void)
{
	if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
		gcry_check_version(NULL);
		gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
		gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	}
}

/* struct digest_stream is never defined: it stands for the library's handle. */
static gcry_md_hd_t handle(struct digest_stream *stream)
{
	return (gcry_md_hd_t)(void *)stream;
}

int digest_stream_new(struct digest_stream **ret_stream)
{
	gcry_md_hd_t opened = NULL;
	library_start();
	gcry_error_t error = gcry_md_open(&opened, GCRY_MD_SHA256, 0);
	if (error != 0) {
		return gcry_err_code_to_errno(gcry_err_code(error)) == ENOMEM ? -ENOMEM : -ENOTSUP;
	}
	*ret_stream = (struct digest_stream *)(void *)opened;
	return 0;
}

void digest_stream_free(struct digest_stream *stream)
{
	gcry_md_close(handle(stream));
}

void digest_stream_add(struct digest_stream *stream, const void *data, size_t size)
{
	gcry_md_write(handle(stream), data, size);
}

struct digest digest_stream_end(struct digest_stream *stream)
{
	struct digest digest;
	memcpy(digest.bytes, gcry_md_read(handle(stream), GCRY_MD_SHA256), sizeof(digest.bytes));
	return digest;
}

struct digest digest_of(const void *data, size_t size)
{
	struct digest digest;
	library_start();
	gcry_md_hash_buffer(GCRY_MD_SHA256, digest.bytes, data, size);
	return digest;
}

static int add_file(struct digest_stream *stream, int fd, off_t size)
{
	owned_mem char *chunk = malloc(CHUNK);
	if (!chunk) {
		return -ENOMEM;
	}
	for (off_t at = 0; at < size;) {
		size_t rest = (size_t)(size - at < (off_t)CHUNK ? size - at : (off_t)CHUNK);
		ssize_t n = pread(fd, chunk, rest, at);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -EBUSY;
		}
		digest_stream_add(stream, chunk, (size_t)n);
		at += n;
	}
	return 0;
}

int digest_of_file(int fd, off_t size, struct digest *ret_digest)
{
	owned(digest_stream_free) struct digest_stream *stream = NULL;
	int code = digest_stream_new(&stream);
	if (code == 0) {
		code = add_file(stream, fd, size);
	}
	if (code == 0) {
		*ret_digest = digest_stream_end(stream);
	}
	return code;
}
