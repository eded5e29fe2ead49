/* SPDX-License-Identifier: Apache-2.0 */
/*
 * culprit - whose packet libmosquitto was at when it ended the program
 *
 * An assertion of the library ends all connections, whichever broker it was about. So the program notes
 * which one's bytes are being read, and hands the name, and how often in a row, to the life that it begins
 * by itself: that one makes the broker wait (link.c), and asks the others' requests again without
 * counting the try (kept.h). It goes by the environment, which nothing but that exec outlives.
 *
 * One per process, because a signal's handler has to find it. For the loop's thread.
 */
#ifndef DAEMON_MQTT_CULPRIT_H
#define DAEMON_MQTT_CULPRIT_H

#include <stdbool.h>
#include <stdint.h>

struct settings_broker;

/* Takes what the life before has left. Before anything else that uses the environment. */
void culprit_init(void);

/* The library is at this broker's bytes; NULL: it is not. @broker stays until then. */
void culprit_set(const char *broker);

/* For the handler: one more end for whom was noted last, to be found by culprit_init() after an exec. Makes
 * no call but those that a handler may make. */
void culprit_hand_on(void);

/* Did the life before end so? */
bool culprit_was_there(void);
/* How often in a row this broker was the one. */
unsigned int culprit_count(const char *broker);
/* The wait before the first attempt: reconnect-min, doubled for each time after the first, up to reconnect-max. */
uint64_t culprit_wait_ms(const struct settings_broker *broker);
/* It has behaved for a while. */
void culprit_forget(const char *broker);

#endif
