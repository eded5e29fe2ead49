/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/short.h"

#include <errno.h>

#include "daemon/edged.h"

#define US UINT64_C(1000)

bool short_is(const struct dispatch *dispatch, const struct request *request)
{
	const uint64_t most_ns = dispatch->edged->config.short_run_us * US;
	return most_ns > 0 && dispatch->sched.duty == SCHED_ALL && request->type == WIRE_INFER &&
		!request->session && request->planned && !request->next &&
		(!dispatch->short_line || dispatch->short_line == request->line) &&
		served_expected_ns(request->served, request->signature) <= most_ns &&
		!edge_model_info(request->served->model)->has_state;
}

bool short_run(struct dispatch *dispatch, struct request *request, uint64_t now_ns)
{
	const uint64_t deadline_ns = request->deadline_ns;
	const uint64_t end_ns = now_ns + SERVED_LONG_NS;
	const bool sooner = deadline_ns && deadline_ns <= end_ns;
	dispatch->short_line = request->line;
	request->deadline_ns = sooner ? deadline_ns : end_ns;
	worker_run(request, now_ns);
	request->deadline_ns = deadline_ns;
	if (request->error.code != -ETIMEDOUT || sooner) {
		return true;
	}
	served_note_run(request->served, request->signature, SERVED_LONG_NS);
	request->error = (struct error){0};
	return false;
}
