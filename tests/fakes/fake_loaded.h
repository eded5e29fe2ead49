/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded models without an engine, for tests of what holds and drops them. */
#ifndef TESTS_FAKES_FAKE_LOADED_H
#define TESTS_FAKES_FAKE_LOADED_H

#include <stdlib.h>
#include <string.h>

#include "daemon/edged/model/loaded_model.h"

static inline void fake_loaded_free(void *context, struct loaded_model *loaded)
{
	int *n_freed = context;
	++*n_freed;
	loaded_model_trim(loaded);
	pthread_mutex_destroy(&loaded->mutex);
	free(loaded);
}

/* Version @number of model @name, which the store has and whose bytes count in @budget (NULL: in none).
 * *n_freed is raised when it is freed. */
static inline struct loaded_model *fake_loaded_new(
	const char *name, uint8_t number, struct budget *budget, size_t bytes, int *n_freed)
{
	struct loaded_model *loaded = calloc(1, sizeof(*loaded));
	assert_non_null(loaded);
	ref_init(&loaded->ref);
	pthread_mutex_init(&loaded->mutex, NULL);
	strcpy(loaded->name, name);
	loaded->version[0] = (char)('0' + number);
	loaded->number = number;
	loaded->digest = (struct digest){{number}};
	loaded->stored = true;
	loaded->budget = budget;
	loaded->bytes = bytes;
	loaded->checkpoints = -1;
	loaded->load_ns = 1000;
	loaded->defer_free = fake_loaded_free;
	loaded->defer_free_context = n_freed;
	budget_add(budget, bytes);
	return loaded;
}

/* Gives @loaded an idle session of so many bytes. */
static inline void fake_loaded_idle_session(struct loaded_model *loaded, size_t bytes)
{
	struct loaded_model_session *session = calloc(1, sizeof(*session));
	assert_non_null(session);
	session->budget = loaded->budget;
	session->bytes = bytes;
	session->next = loaded->idle;
	loaded->idle = session;
	budget_add(loaded->budget, bytes);
}

#endif
