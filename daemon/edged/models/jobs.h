/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs - gives the loader one job after the other, and takes their results
 *
 * A store command comes before the next step of a scan. INSTALL, which may add a model, waits for
 * the scan's end; all commands wait until the first scan has loaded the models of the store. A
 * record and its model change when a result is taken, and between two jobs. Loop thread only.
 */
#ifndef DAEMON_EDGED_MODELS_JOBS_H
#define DAEMON_EDGED_MODELS_JOBS_H

#include "daemon/edged/install/loader.h"
#include "daemon/edged/models/models.h"

/* Does what the loader asks for, takes the result of a job that is done, and starts the next one.
 * Returns true if a model became ready, or was unloaded, lost or removed. */
bool jobs_update(struct models *models, struct loader *loader);

#endif
