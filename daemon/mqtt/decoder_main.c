/* SPDX-License-Identifier: Apache-2.0 */
/* The child of decoder.h. */
#include <errno.h>
#include <unistd.h>

#include "base/bytes.h"
#include "daemon/mqtt/decoder.h"
#include "daemon/sandbox.h"

#define PIPE 0
#define CPU_SECONDS 3600 /* of its life; then a new child takes its place */

static bool read_all(void *data, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = read(PIPE, (char *)data + at, size - at);
		if (n == 0 || (n < 0 && errno != EINTR)) {
			return false;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static bool write_all(const void *data, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = write(PIPE, (const char *)data + at, size - at);
		if (n < 0 && errno != EINTR) {
			return false;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static int work(const void *data, size_t size, struct bytes_writer *out)
{
	static struct spec specs[DECODE_MAX_INPUTS];
	struct decode_job job = {0};
	struct decode_result result = {0};
	struct error err = {0};
	int r = decode_job_read(data, size, specs, &job, &err);
	if (r == 0) {
		int ran = decode_run(&job, &result, &err); /* its error is the answer */
		(void)ran;
		bytes_write_u32(out, 0);
		decode_result_write(out, &result, &err);
	}
	decode_result_free(&result);
	return r;
}

/* One job. False when the parent is gone. */
static bool serve(void)
{
	uint32_t bytes = 0;
	struct bytes_writer out = {0};
	if (!read_all(&bytes, sizeof(bytes))) {
		return false;
	}
	owned_mem uint8_t *job = malloc(bytes ? bytes : 1);
	bool ok = job && read_all(job, bytes) && work(job, bytes, &out) == 0 && !out.failed;
	if (ok) {
		const uint32_t of_answer = (uint32_t)(out.size - sizeof(uint32_t));
		memcpy(out.data, &of_answer, sizeof(of_answer));
		ok = write_all(out.data, out.size);
	}
	bytes_writer_deinit(&out);
	return ok;
}

int decoder_main(uint64_t memory_bytes)
{
	sandbox_enter(CPU_SECONDS, memory_bytes);
	while (serve()) {}
	return 0;
}
