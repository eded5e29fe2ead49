/* SPDX-License-Identifier: Apache-2.0 */
/* The child of decoder.h. */
#include "daemon/mqtt/child.h"
#include "daemon/mqtt/decoder.h"
#include "daemon/sandbox.h"

#define CPU_SECONDS 3600 /* of its life; then a new child takes its place */

static int work(const void *data, size_t size, struct bytes_writer *out)
{
	static struct spec specs[DECODE_MAX_INPUTS];
	struct decode_job job = {0};
	struct decode_result result = {0};
	struct error err = {0};
	int r = decode_job_read(data, size, specs, &job, &err);
	if (r == 0) {
		int ran = decode_run(&job, &result, &err); /* its error is the answer */
		if (ran == -ENOMEM) {
			error_prefix(&err, "decode-memory");
		}
		bytes_write_u32(out, 0);
		decode_result_write(out, &result, &err);
	}
	decode_result_free(&result);
	return r;
}

/* One job. False when the parent is gone. */
static bool serve(void)
{
	struct bytes_writer out = {0};
	size_t size = 0;
	owned_mem uint8_t *job = child_read(&size);
	bool ok = job && work(job, size, &out) == 0 && child_write(&out);
	bytes_writer_deinit(&out);
	return ok;
}

int decoder_main(uint64_t memory_bytes)
{
	sandbox_enter(CPU_SECONDS, memory_bytes);
	while (serve()) {}
	return 0;
}
