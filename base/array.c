/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_CAPACITY 8

static char *first_element(const void *array)
{
	char *first = NULL;
	memcpy(&first, array, sizeof(first));
	return first;
}

bool array_room(void *array, size_t n, size_t size)
{
	const bool is_full = n == 0 || (n >= LEAST_CAPACITY && (n & (n - 1)) == 0);
	if (!is_full) {
		return true;
	}
	void *grown = reallocarray(first_element(array), n ? 2 * n : LEAST_CAPACITY, size);
	if (grown) {
		memcpy(array, &grown, sizeof(grown));
	}
	return grown;
}

void *array_add(void *array, size_t *n, size_t size)
{
	return array_insert(array, *n, n, size);
}

void *array_insert(void *array, size_t at, size_t *n, size_t size)
{
	if (!array_room(array, *n, size)) {
		return NULL;
	}
	char *element = first_element(array) + at * size;
	memmove(element + size, element, (*n - at) * size);
	memset(element, 0, size);
	++*n;
	return element;
}

void array_remove(void *array, size_t at, size_t *n, size_t size)
{
	char *element = first_element(array) + at * size;
	--*n;
	memmove(element, element + size, (*n - at) * size);
}
