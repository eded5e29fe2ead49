/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selftest - questions that stand beside a model, with the answers that are due
 *
 * The file is frames as they go over the socket (docs/protocol.md): an INFER and the reply to it, as
 * often as there are questions. `edgectl infer --record` writes one. Integers, bools and strings must
 * be the same; floats may differ by a thousandth, or by 0.0001, as CPUs round in different order.
 */
#ifndef DAEMON_SELFTEST_H
#define DAEMON_SELFTEST_H

#include <errno.h>

#include "engine/edge.h"

#define SELFTEST_WRONG (-EILSEQ) /* an answer is not the one that is due */
#define SELFTEST_NAN (-EDOM) /* it gives NaN, whatever it is asked */

/*
 * Asks @model all that @golden holds, each in a session of its own. *ret_n: how many questions there
 * were. SELFTEST_WRONG, or -EBADMSG for anything else that is wrong with either, with the question's number and why; -ETIMEDOUT and -ECANCELED as @control says;
 * -ENOMEM.
 */
int must_check selftest_run(struct edge_model *model, const void *golden, size_t size,
	const struct run_control *control, uint32_t *ret_n, struct error *err);

/*
 * Asks @model, by its default signature, twice about zeros: -EBADMSG when it answers otherwise the
 * second time. Where the answer has NaN, it is asked about numbers from 0 to 1, and any bytes where
 * inputs are bytes: SELFTEST_NAN when that answer has NaN too. Not where some input has another type: zeros may be
 * what it divides by. A model that cannot answer to these, or not
 * in time, or that has random numbers, is not judged so: 0.
 */
int must_check selftest_repeat(
	struct edge_model *model, const struct run_control *control, struct error *err);

#endif
