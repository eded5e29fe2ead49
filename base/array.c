/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_ROOM 8

bool array_room(void *items, size_t n, size_t item_bytes)
{
	const bool is_full = n == 0 || (n >= LEAST_ROOM && (n & (n - 1)) == 0);
	void *old = NULL;
	if (!is_full) {
		return true;
	}
	memcpy(&old, items, sizeof(old));
	void *grown = reallocarray(old, n ? 2 * n : LEAST_ROOM, item_bytes);
	if (grown) {
		memcpy(items, &grown, sizeof(grown));
	}
	return grown;
}
