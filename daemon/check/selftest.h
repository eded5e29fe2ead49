/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selftest - runs recorded requests and compares the answers
 *
 * A golden file is a sequence of frames as on the socket (docs/protocol.md): an INFER and its
 * reply, any number of times. `edgectl infer --record` writes one. Integers, bools and strings must
 * be equal. Floats may differ by 0.1 %, or by 0.0001, because CPUs round in different order.
 */
#ifndef DAEMON_CHECK_SELFTEST_H
#define DAEMON_CHECK_SELFTEST_H

#include <errno.h>

#include "engine/edge.h"

#define SELFTEST_WRONG (-EILSEQ) /* an answer differs from the recorded one */
#define SELFTEST_NAN (-EDOM) /* the model gives NaN for all tried inputs */

/* Runs all requests of @golden, each in its own session. *ret_n: number of requests.
 * SELFTEST_WRONG; -EBADMSG for another fault of model or file, with the request's number;
 * -ETIMEDOUT and -ECANCELED from @control; -ENOMEM. */
int must_check selftest_run(struct edge_model *model, const void *golden, size_t size,
	const struct run_control *control, uint32_t *ret_n, struct error *err);

/*
 * Runs the default signature twice with zero inputs: -EBADMSG if the answers differ. If the answer
 * has NaN it tries inputs from 0 to 1 (any bytes for byte inputs): SELFTEST_NAN if that answer has
 * NaN too. Inputs of other types skip this test, because a zero may be a divisor. Returns 0 for
 * models that fail on such inputs, take too long, or use random numbers.
 */
int must_check selftest_repeat(
	struct edge_model *model, const struct run_control *control, struct error *err);

#endif
