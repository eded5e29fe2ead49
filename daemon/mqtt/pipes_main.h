/* SPDX-License-Identifier: Apache-2.0 */
/* pipes_main - the process in which edged-mqtt's pipelines work, see pipes.h */
#ifndef DAEMON_MQTT_PIPES_MAIN_H
#define DAEMON_MQTT_PIPES_MAIN_H

#include <stdint.h>

#define PIPES_MAX 64 /* pipelines */
#define PIPES_MAX_QUESTIONS 64 /* that edged has at once */

/* Its whole life: orders from descriptor 0, words to it. Returns the exit status. */
int pipes_main(uint64_t memory_bytes);

#endif
