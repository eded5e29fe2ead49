/* SPDX-License-Identifier: Apache-2.0 */
/* queue_class - the classes of requests */
#ifndef DAEMON_EDGED_CONFIG_QUEUE_CLASS_H
#define DAEMON_EDGED_CONFIG_QUEUE_CLASS_H

/* The classes of enum wire_class in rising order of urgency; the wire's numbers differ. */
enum queue_class {
	QUEUE_BATCH,
	QUEUE_NORMAL,
	QUEUE_REALTIME,
	QUEUE_CONTROL,
	QUEUE_CLASSES
};

#endif
