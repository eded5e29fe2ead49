/* SPDX-License-Identifier: Apache-2.0 */
/* link_subscribe - what link.c asks of link_subscribe.c */
#ifndef DAEMON_MQTT_LINK_SUBSCRIBE_H
#define DAEMON_MQTT_LINK_SUBSCRIBE_H

#include "daemon/mqtt/link.h"

/* Of a new connection. */
void link_subscribe_all(struct link *link);
/* Those that were refused, or could not be sent. */
void link_subscribe_again(struct link *link);
/* Of struct mosq_events. */
void link_on_subscribed(void *data, int mid, int granted);
void link_on_unsubscribed(void *data);

#endif
