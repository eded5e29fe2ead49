/* SPDX-License-Identifier: Apache-2.0 */
/* worker_main - the main function of the worker process, see worker.h */
#ifndef DAEMON_MQTT_WORKER_WORKER_MAIN_H
#define DAEMON_MQTT_WORKER_WORKER_MAIN_H

#include <stdint.h>

#define PIPELINES_MAX 64 /* pipelines */
#define PIPELINES_MAX_REQUESTS 64 /* model requests of the child in edged at once */

/* Main function of the child: reads commands from descriptor 0 and writes frames to it. Returns the
 * exit status. */
int worker_main(uint64_t memory_bytes);

#endif
