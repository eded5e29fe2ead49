/* SPDX-License-Identifier: Apache-2.0 */
/* array - items in a row that grow one by one */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes room for one more item of @item_bytes in an array of @n: @items is the address of the
 * pointer to the first one, which may be NULL. The room follows from @n: it doubles where @n reaches
 * a power of two. Returns false without memory; the array is as it was then.
 */
bool array_room(void *items, size_t n, size_t item_bytes);

#endif
