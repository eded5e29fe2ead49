/* SPDX-License-Identifier: Apache-2.0 */
/* ref - atomic reference count */
#ifndef BASE_REF_H
#define BASE_REF_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

struct ref {
	atomic_uint count;
};

static inline void ref_init(struct ref *ref)
{
	atomic_init(&ref->count, 1);
}

static inline void ref_get(struct ref *ref)
{
	unsigned int before = atomic_fetch_add_explicit(&ref->count, 1, memory_order_relaxed);
	assert(before > 0);
}

/* Returns true if this was the last reference: the caller frees the object. */
static inline bool ref_put(struct ref *ref)
{
	unsigned int before = atomic_fetch_sub_explicit(&ref->count, 1, memory_order_acq_rel);
	assert(before > 0);
	return before == 1;
}

#endif
