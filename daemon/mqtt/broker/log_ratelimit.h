/* SPDX-License-Identifier: Apache-2.0 */
/* log_ratelimit - at most one log line per second of a kind that any publisher can cause */
#ifndef DAEMON_MQTT_BROKER_LOG_RATELIMIT_H
#define DAEMON_MQTT_BROKER_LOG_RATELIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_RATELIMIT_NS UINT64_C(1000000000)
#define LOG_RATELIMIT_TEXT_SIZE 48

/* One kind of line. Zeroed at first. */
struct log_ratelimit {
	uint64_t until_ns, n; /* n: lines suppressed since the last one */
};

/* Returns true if the line may be logged now. @text is then "" or " (and N before)", N being the
 * number of suppressed lines. */
bool log_ratelimit_allows(
	struct log_ratelimit *ratelimit, uint64_t now_ns, char text[LOG_RATELIMIT_TEXT_SIZE]);

#endif
