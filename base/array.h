/* SPDX-License-Identifier: Apache-2.0 */
/*
 * array - arrays on the heap that grow by doubling
 *
 * @array is the address of the pointer to the first of @n elements of @size bytes, which may be NULL
 * where @n is 0. The capacity follows from @n. The owner frees the array with free().
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* Makes room for element @n. The array is allocated anew where @n reaches a power of two. Returns
 * false without memory; the array is as it was then. */
bool array_room(void *array, size_t n, size_t size);

/* Appends a zeroed element. Returns it; NULL without memory, and then nothing has changed. */
void *array_add(void *array, size_t *n, size_t size);

/* Inserts a zeroed element before index @at, which is at most *@n; else as array_add(). */
void *array_insert(void *array, size_t at, size_t *n, size_t size);

/* Removes the element at index @at. */
void array_remove(void *array, size_t at, size_t *n, size_t size);

#endif
