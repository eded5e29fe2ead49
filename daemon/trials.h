/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trials - what the loop sees of versions on trial: runs that have ended, and what the version before
 * answered to the same
 */
#ifndef DAEMON_TRIALS_H
#define DAEMON_TRIALS_H

#include "daemon/request.h"

struct edged;

/*
 * Counts @request, whose run has ended. An answer with NaN is bad only where the version before has none: while that
 * is in memory both are asked once more, and the run counts for nothing until shadows come back.
 */
void trials_note_run(struct edged *edged, const struct request *request);

/* Some answers of a version on trial are asked for once more, of the version before. */
void trials_sample(struct edged *edged, const struct request *request);

/* Counts what came of shadows. */
void trials_shadows_done(struct edged *edged);

#endif
