/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Returns the index of @name, or the index to insert it at. */
static size_t find_position(const struct registry *registry, const char *name, bool *ret_there)
{
	size_t low = 0, high = registry->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(registry->models[middle]->manifest.name, name);
		if (order == 0) {
			*ret_there = true;
			return middle;
		}
		*(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
	}
	*ret_there = false;
	return low;
}

struct registry_model *registry_find(const struct registry *registry, const char *name)
{
	bool there = false;
	size_t at = find_position(registry, name, &there);
	return there ? registry->models[at] : NULL;
}

struct registry_model *registry_add(struct registry *registry, const char *name)
{
	bool there = false;
	size_t at = find_position(registry, name, &there);
	if (there) {
		return registry->models[at];
	}
	struct registry_model *model = calloc(1, sizeof(*model));
	struct registry_model **added =
		model ? array_insert(&registry->models, at, &registry->n, sizeof(*added)) : NULL;
	if (!added) {
		free(model);
		return NULL;
	}
	memcpy(model->manifest.name, name, strlen(name) + 1);
	*added = model;
	return model;
}

bool registry_is_known(const struct registry_model *model)
{
	return model && (model->folder_scan || !digest_is_zero(&model->manifest.active));
}

int registry_find_or_add(struct registry *registry, const char *name, size_t max,
	struct registry_model **ret_model, struct error *err)
{
	size_t n_known = 0;
	for (size_t i = 0; i < registry->n; i++) {
		n_known += registry_is_known(registry->models[i]);
	}
	if (!registry_is_known(registry_find(registry, name)) && n_known >= max) {
		return error_set(err, -ENOSPC, "there are max-models models already");
	}
	struct registry_model *model = registry_add(registry, name);
	if (!model) {
		return error_no_memory(err);
	}
	*ret_model = model;
	return 0;
}

void registry_drop(struct registry *registry, const char *name)
{
	bool there = false;
	size_t at = find_position(registry, name, &there);
	if (there) {
		free(registry->models[at]);
		array_remove(&registry->models, at, &registry->n, sizeof(registry->models[0]));
	}
}

void registry_retry(struct registry *registry)
{
	for (size_t i = 0; i < registry->n; i++) {
		struct registry_model *model = registry->models[i];
		for (size_t j = 0; j < model->n; j++) {
			model->tried[j].settled &= model->tried[j].reason[0] == 0;
		}
	}
}

void registry_retry_digest(struct registry *registry, const struct digest *digest)
{
	for (size_t i = 0; i < registry->n; i++) {
		struct registry_model *model = registry->models[i];
		for (size_t j = 0; j < model->n; j++) {
			model->tried[j].settled &= !digest_equal(&model->tried[j].digest, digest);
		}
	}
}

void registry_invalidate_model(struct registry_model *model)
{
	model->restored = false;
	for (size_t i = 0; i < model->n; i++) {
		model->tried[i].settled = false;
	}
}

void registry_deinit(struct registry *registry)
{
	for (size_t i = 0; i < registry->n; i++) {
		free(registry->models[i]);
	}
	free(registry->models);
	*registry = (struct registry){0};
}
