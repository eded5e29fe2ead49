/* SPDX-License-Identifier: Apache-2.0 */
/* folder_scan - the loader's part of a scan of the models folder */
#ifndef DAEMON_EDGED_INSTALL_FOLDER_SCAN_H
#define DAEMON_EDGED_INSTALL_FOLDER_SCAN_H

#include "daemon/edged/install/job.h"

/* Executes JOB_LIST: opens, watches and lists the folder. */
void folder_scan_list(struct job *job);
/* Executes JOB_SCAN_MODEL: installs the highest version that passes. A refused file has its reason
 * recorded and is tried again only after a change. */
void folder_scan_model(struct job *job);
/* Executes JOB_GONE. */
void folder_scan_gone(struct job *job);

#endif
