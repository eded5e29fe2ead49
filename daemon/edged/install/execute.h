/* SPDX-License-Identifier: Apache-2.0 */
/* execute - what each job does, in the loader's thread */
#ifndef DAEMON_EDGED_INSTALL_EXECUTE_H
#define DAEMON_EDGED_INSTALL_EXECUTE_H

#include "daemon/edged/install/job.h"

/* Executes @job, and fills in its result. */
void execute_job(struct job *job);

#endif
