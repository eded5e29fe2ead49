/* SPDX-License-Identifier: Apache-2.0 */
/* array - arrays on the heap that grow by doubling */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/* Appends a zeroed element of @size bytes. @array: address of the pointer to the first of *@n
 * elements, with memory for *@capacity; all zero at first. Returns the element; NULL without
 * memory, and then nothing has changed. The owner frees the array with free(). */
void *array_add(void *array, size_t *n, size_t *capacity, size_t size);

/* Inserts a zeroed element before index @at, which is at most *@n; else as array_add(). */
void *array_insert(void *array, size_t at, size_t *n, size_t *capacity, size_t size);

/* Removes the element at index @at. */
void array_remove(void *array, size_t at, size_t *n, size_t size);

#endif
