/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trials - counts runs of versions on trial, and compares their answers with the answers of the
 * version before
 */
#ifndef DAEMON_EDGED_SERVE_TRIALS_H
#define DAEMON_EDGED_SERVE_TRIALS_H

#include "daemon/edged/serve/request.h"

struct serve;

/*
 * Counts the run of @request, which has ended. An output with NaN is a fault only if the version
 * before has no NaN for the same inputs: while that version is in memory both versions run once
 * more as a shadow, and the first run does not count.
 */
void trials_note_run(struct serve *serve, const struct request *request);

/* Has a sample of a trial's requests run once more by the version before, as shadows. */
void trials_sample(struct serve *serve, const struct request *request);

/* Counts the results of all finished shadows. */
void trials_shadows_done(struct serve *serve);

#endif
