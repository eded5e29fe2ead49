/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/digest.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <string.h>
#include <unistd.h>

#include "base/background_yield.h"
#include "base/file.h"

bool digest_is_zero(const struct digest *digest)
{
	static const struct digest none;
	return digest_equal(digest, &none);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

char *digest_to_hex(const struct digest *digest, char out[DIGEST_TEXT_SIZE])
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

struct digest_stream {
	struct sha256_ctx state;
};

int digest_stream_new(struct digest_stream **ret_stream)
{
	struct digest_stream *stream = malloc(sizeof(*stream));
	if (!stream) {
		return -ENOMEM;
	}
	sha256_init(&stream->state);
	*ret_stream = stream;
	return 0;
}

void digest_stream_free(struct digest_stream *stream)
{
	free(stream);
}

void digest_stream_add(struct digest_stream *stream, const void *data, size_t size)
{
	sha256_update(&stream->state, size, data);
	background_yield_if_due();
}

struct digest digest_stream_end(struct digest_stream *stream)
{
	struct digest digest;
	sha256_digest(&stream->state, sizeof(digest.bytes), digest.bytes);
	return digest;
}

struct digest digest_of(const void *data, size_t size)
{
	struct digest_stream stream;
	sha256_init(&stream.state);
	digest_stream_add(&stream, data, size);
	return digest_stream_end(&stream);
}

static int chunk_add(void *context, const void *data, size_t size)
{
	digest_stream_add(context, data, size);
	return 0;
}

int digest_of_file(int fd, off_t size, struct digest *ret_digest)
{
	owned(digest_stream_free) struct digest_stream *stream = NULL;
	int code = digest_stream_new(&stream);
	if (code == 0) {
		code = file_each_chunk(fd, 0, size, chunk_add, stream);
	}
	if (code == 0) {
		*ret_digest = digest_stream_end(stream);
	}
	return code;
}
