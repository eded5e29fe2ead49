/* SPDX-License-Identifier: Apache-2.0 */
/* hush - lines of the log that whoever may publish can cause are one in a second, and tell of how many others they stand */
#ifndef DAEMON_MQTT_HUSH_H
#define DAEMON_MQTT_HUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HUSH_NS UINT64_C(1000000000)
#define HUSH_TEXT_SIZE 48

/* Of one kind of line; begins zeroed. */
struct hush {
	uint64_t until_ns, n; /* unsaid since the last line */
};

/* May it be said now? Then @text is what is to stand behind it: "", or how many were not said. */
bool hush_allows(struct hush *hush, uint64_t now_ns, char text[HUSH_TEXT_SIZE]);

#endif
