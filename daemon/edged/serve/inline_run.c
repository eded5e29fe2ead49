/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/inline_run.h"

#include <errno.h>

#include "base/clock.h"
#include "daemon/edged/serve/serve.h"

bool inline_run_may(const struct serve *serve, const struct request *request)
{
	const uint64_t max_ns = serve->config->short_run_us * NSEC_PER_USEC;
	return max_ns > 0 && serve->sched.duty == SCHED_ALL &&
		request->item.class >= serve->sched.lowest_class && request->type == WIRE_INFER &&
		!request->session && request->planned &&
		!request->next && /* the newest request is first: there is no other */
		(!serve->inline_connection ||
			serve->inline_connection == request->item.connection) &&
		loaded_model_expected_ns(request->loaded, request->signature) <= max_ns &&
		!edge_model_info(request->loaded->model)->has_state;
}

bool inline_run_try(struct serve *serve, struct request *request, uint64_t now_ns)
{
	const uint64_t deadline_ns = request->deadline_ns;
	const uint64_t end_ns = now_ns + LOADED_MODEL_LONG_NS;
	const bool sooner = deadline_ns && deadline_ns <= end_ns;
	serve->inline_connection = request->item.connection;
	request->deadline_ns = sooner ? deadline_ns : end_ns;
	request_enter(request, REQUEST_RUNNING);
	worker_run(request, now_ns);
	request->deadline_ns = deadline_ns;
	if (request->error.code != -ETIMEDOUT || sooner) {
		return true;
	}
	/* From now on the model is expected to take too long for a run in the loop. */
	loaded_model_note_run(request->loaded, request->signature, LOADED_MODEL_LONG_NS);
	request->error = (struct error){0};
	request_enter(request, REQUEST_READING); /* the caller queues it */
	return false;
}
