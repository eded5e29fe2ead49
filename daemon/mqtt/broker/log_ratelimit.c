/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/broker/log_ratelimit.h"

#include <inttypes.h>
#include <stdio.h>

bool log_ratelimit_allows(
	struct log_ratelimit *ratelimit, uint64_t now_ns, char text[LOG_RATELIMIT_TEXT_SIZE])
{
	if (now_ns < ratelimit->until_ns) {
		ratelimit->n++;
		return false;
	}
	text[0] = 0;
	if (ratelimit->n) {
		snprintf(text, LOG_RATELIMIT_TEXT_SIZE, " (and %" PRIu64 " before)", ratelimit->n);
	}
	*ratelimit = (struct log_ratelimit){.until_ns = now_ns + LOG_RATELIMIT_NS};
	return true;
}
