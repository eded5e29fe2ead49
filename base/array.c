/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 8

void *array_add(void *array, size_t *n, size_t *capacity, size_t size)
{
	return array_insert(array, *n, n, capacity, size);
}

void *array_insert(void *array, size_t at, size_t *n, size_t *capacity, size_t size)
{
	char *data = NULL;
	memcpy(&data, array, sizeof(data));
	if (*n == *capacity) {
		const size_t more = *capacity ? 2 * *capacity : FIRST_CAPACITY;
		data = reallocarray(data, more, size);
		if (!data) {
			return NULL;
		}
		memcpy(array, &data, sizeof(data));
		*capacity = more;
	}
	char *element = data + at * size;
	memmove(element + size, element, (*n - at) * size);
	memset(element, 0, size);
	++*n;
	return element;
}

void array_remove(void *array, size_t at, size_t *n, size_t size)
{
	char *data = NULL;
	memcpy(&data, array, sizeof(data));
	--*n;
	memmove(data + at * size, data + (at + 1) * size, (*n - at) * size);
}
