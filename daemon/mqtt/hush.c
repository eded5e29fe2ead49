/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/hush.h"

#include <inttypes.h>
#include <stdio.h>

bool hush_allows(struct hush *hush, uint64_t now_ns, char text[HUSH_TEXT_SIZE])
{
	if (now_ns < hush->until_ns) {
		hush->n++;
		return false;
	}
	text[0] = 0;
	if (hush->n) {
		snprintf(text, HUSH_TEXT_SIZE, " (and %" PRIu64 " before)", hush->n);
	}
	*hush = (struct hush){.until_ns = now_ns + HUSH_NS};
	return true;
}
