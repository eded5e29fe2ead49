/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own - ownership by scope
 *
 *   owned(model_free) struct model *model = NULL;
 *   ...
 *   *ret_model = take(model);
 *
 * At the end of its scope a variable declared owned(f) is passed to f by value; f accepts NULL.
 * take() moves the value out and leaves NULL. DEFINE_OWNED(type, f) stands once, after the
 * declaration of f.
 */
#ifndef BASE_OWN_H
#define BASE_OWN_H

#include <stdlib.h>
#include <unistd.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

#define DEFINE_OWNED(type, fn)                                                                     \
	static inline __attribute__((unused)) void fn##_owned(type *value)                         \
	{                                                                                          \
		fn(*value);                                                                        \
	}
#define owned(fn) __attribute__((cleanup(fn##_owned)))

#define take(variable)                                                                             \
	__extension__({                                                                            \
		__typeof__(variable) taken_ = (variable);                                          \
		(variable) = NULL;                                                                 \
		taken_;                                                                            \
	})

DEFINE_OWNED(void *, free)
#define owned_mem __attribute__((cleanup(own_free_mem)))

/* Any pointer type: owned_mem char *text = NULL; */
static inline void own_free_mem(void *address)
{
	free(*(void **)address);
}

/* Descriptors: owned_fd int fd = -1; and take_fd(fd). */
static inline void own_close_fd(const int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
}
#define owned_fd __attribute__((cleanup(own_close_fd)))
#define take_fd(variable)                                                                          \
	__extension__({                                                                            \
		int taken_ = (variable);                                                           \
		(variable) = -1;                                                                   \
		taken_;                                                                            \
	})

#endif
