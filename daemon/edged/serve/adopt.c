/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/adopt.h"

#include "daemon/edged/serve/serve.h"

static bool names_version(const struct request *request)
{
	const struct wire_text version = request->infer.version;
	return version.length > 0 && !wire_text_is(version, "0");
}

/* True when every input of @request's signature has the same planned shape in @a and @b: then
 * request->planned and scale hold for both. */
static bool same_plan(
	const struct loaded_model *a, const struct loaded_model *b, const struct request *request)
{
	for (uint32_t i = 0; i < request->infer.n_inputs; i++) {
		struct edge_tensor_info of_a, of_b;
		if (edge_model_input(a->model, request->signature, i, &of_a) < 0 ||
			edge_model_input(b->model, request->signature, i, &of_b) < 0 ||
			!shape_equal(&of_a.shape, &of_b.shape)) {
			return false;
		}
	}
	return true;
}

/* The loaded model that would run @request if it came now; NULL: no other, or one for which
 * @request must be validated again. */
static struct loaded_model *next_of(struct models *models, const struct request *request)
{
	struct loaded_model *before = request->loaded;
	if (request->type != WIRE_INFER || request->session || !before || names_version(request)) {
		return NULL;
	}
	const struct models_entry *model = models_find(models, before->name);
	struct loaded_model *now = model ? model->loaded : NULL;
	return now && now != before && !digest_is_zero(&now->signature) &&
			digest_equal(&now->signature, &before->signature) &&
			same_plan(now, before, request)
		? now
		: NULL;
}

struct change {
	struct loaded_model *now, *before;
};

static void take_over(void *context, struct request *request)
{
	struct change *change = context;
	change->before = request->loaded;
	request->loaded = loaded_model_ref(change->now);
}

void adopt_one(struct serve *serve, struct request *request)
{
	struct change change = {.now = next_of(serve->models, request)};
	if (change.now) {
		take_over(&change, request);
		loaded_model_unref(change.before);
	}
}

void adopt_waiting(struct serve *serve)
{
	struct models *models = serve->models;
	if (!models->swapped) {
		return;
	}
	models->swapped = false;
	for (struct request *request = serve->first; request; request = request->next) {
		struct change change = {0};
		if (request_state(request) == REQUEST_QUEUED) {
			change.now = next_of(models, request);
		}
		if (change.now && sched_change(&serve->sched, request, take_over, &change)) {
			loaded_model_unref(change.before);
		}
	}
}
