/* SPDX-License-Identifier: Apache-2.0 */
/* inline_run - short runs on the loop's thread, over sooner than a worker wakes */
#ifndef DAEMON_EDGED_SERVE_INLINE_RUN_H
#define DAEMON_EDGED_SERVE_INLINE_RUN_H

#include "daemon/edged/serve/request.h"
#include "daemon/edged/serve/serve.h"

/* True if @request, whose connection is set, may run inline. It is then the only request, an INFER
 * without session, with planned shapes, of a class that is not held back, a predicted run within short-run and a model without
 * state; and no other connection has had an inline run in this turn of the loop. */
bool inline_run_may(const struct serve *serve, const struct request *request);

/* Runs @request, beginning at @now_ns. False when the run was stopped because it took much
 * longer than predicted: @request can be queued as before. */
bool inline_run_try(struct serve *serve, struct request *request, uint64_t now_ns);

#endif
