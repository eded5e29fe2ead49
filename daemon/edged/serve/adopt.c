/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/adopt.h"

#include "daemon/edged.h"

static bool names_version(const struct request *request)
{
	const struct wire_text version = request->infer.version;
	return version.length > 0 && !wire_text_is(version, "0");
}

/* Whether every input of the request's signature has the shape in both that was planned: then what was found
 * out about its own shapes holds in both. */
static bool same_plan(const struct served *a, const struct served *b, const struct request *request)
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

/* What the request would be run by if it came now; NULL: the same, or nothing that it was judged for. */
static struct served *next_of(struct store *store, const struct request *request)
{
	struct served *before = request->served;
	/* Without a peer nobody waits for it. */
	if (request->type != WIRE_INFER || request->session || !request->peer || !before ||
		names_version(request)) {
		return NULL;
	}
	const struct store_model *model = store_find(store, before->name);
	struct served *now = model ? model->served : NULL;
	return now && now != before && !digest_none(&now->signature) &&
			digest_same(&now->signature, &before->signature) &&
			same_plan(now, before, request)
		? now
		: NULL;
}

struct change {
	struct served *now, *before;
};

static void take_over(void *context, struct request *request)
{
	struct change *change = context;
	change->before = request->served;
	request->served = served_ref(change->now);
}

void adopt_one(struct dispatch *dispatch, struct request *request)
{
	struct change change = {.now = next_of(&dispatch->edged->store, request)};
	if (change.now) {
		take_over(&change, request);
		served_unref(change.before);
	}
}

void adopt_waiting(struct dispatch *dispatch)
{
	struct store *store = &dispatch->edged->store;
	if (!store->swapped) {
		return;
	}
	store->swapped = false;
	for (struct request *request = dispatch->first; request; request = request->next) {
		/* Without a line it waits for the model itself, or its peer has gone. */
		struct change change = {.now = request->line ? next_of(store, request) : NULL};
		if (change.now && sched_change(&dispatch->sched, request, take_over, &change)) {
			served_unref(change.before);
		}
	}
}
