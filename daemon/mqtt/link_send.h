/* SPDX-License-Identifier: Apache-2.0 */
/* link_send - what link.c asks of link_send.c */
#ifndef DAEMON_MQTT_LINK_SEND_H
#define DAEMON_MQTT_LINK_SEND_H

#include "daemon/mqtt/link.h"

/* Acknowledgements and the like, which the library has set aside. */
void link_flush(struct link *link);
/* As much as the broker takes at once: the library's own queue has no bound. */
void link_pump(struct link *link);
/* The connection is gone: results that were on their way, or would be, go to disk; those that are
 * there already stay there; the rest waits again. */
void link_put_back(struct link *link);
/* A connection has ended: was it one message that has ended it, as it has ended others? Before link_put_back(). */
void link_look_for_culprit(struct link *link);
/* What the spool has dropped since it had dropped @before: a power cut, or a disk, has taken it. */
void link_say_missing(const struct link *link, uint64_t before);
/* What was written to the spool is put on the disk, in another thread. */
void link_sync(struct link *link);
/* One that held it is done. */
void link_release(struct link *link);
/* Of struct mosq_events. */
void link_on_published(void *data, int mid, int reason);

#endif
