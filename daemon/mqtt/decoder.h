/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decoder - the child process that reads what strangers sent
 *
 * The same program with --decode, under daemon/sandbox.h: no files, no network, memory and time
 * limited. It does one job at a time. A child that ends, answers nonsense or takes too long is
 * replaced by a new one; its job fails, and says when that was not the job's doing.
 */
#ifndef DAEMON_MQTT_DECODER_H
#define DAEMON_MQTT_DECODER_H

#include <errno.h>
#include <uv.h>

#include "base/log.h"
#include "daemon/mqtt/child.h"
#include "daemon/mqtt/decode.h"

#define DECODER_KILLED                                                                             \
	(-EOWNERDEAD) /* the error's code: by somebody else, so the job may be tried again */

#define DECODER_NO_MEMORY (-ENOBUFS) /* here, for what it gave: that says nothing of the job */

/* @result is the receiver's to free; NULL when @err says why not. The envelope comes with errors too. */
typedef void (*decoder_fn)(void *data, struct decode_result *result,
	const struct decode_envelope *envelope, const struct error *err);

struct decoder {
	uv_loop_t *loop;
	const struct log *log;
	uint64_t memory_bytes, timeout_ms, max_tensor_bytes;
	uv_timer_t timer;
	struct child *child; /* NULL: none runs */
	decoder_fn fn; /* NULL: idle */
	void *data;
	struct spec specs[DECODE_MAX_INPUTS]; /* of the job */
	uint32_t n_specs;
	uint64_t restarts;
	bool stopped;
};

void decoder_init(struct decoder *decoder, uv_loop_t *loop, const struct log *log,
	uint64_t memory_bytes, uint64_t timeout_ms, uint64_t max_tensor_bytes);
/* The handles close with the loop's turns; a job that runs fails. */
void decoder_stop(struct decoder *decoder);

static inline bool decoder_is_idle(const struct decoder *decoder)
{
	return !decoder->fn;
}

/* Starts a job when idle; @job is copied. @fn is called once, from the loop. */
int must_check decoder_start(struct decoder *decoder, const struct decode_job *job, decoder_fn fn,
	void *data, struct error *err);

/* The child's whole life: jobs from descriptor 0, results to it. Returns the exit status. */
int decoder_main(uint64_t memory_bytes);

#endif
