/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode - from a message's payload to the input tensors of a request
 *
 * Runs in the worker process (worker.h), because images, sound and JSON come from outside.
 */
#ifndef DAEMON_MQTT_WORKER_DECODE_H
#define DAEMON_MQTT_WORKER_DECODE_H

#include "daemon/mqtt/worker/decode_format.h"

/* Decodes @job. @err must not be NULL. On failure the envelope holds the members that were read. */
int must_check decode_run(
	const struct decode_job *job, struct decode_result *result, struct error *err);

#endif
