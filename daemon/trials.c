/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trials.h"

#include "daemon/edged.h"
#include "daemon/shadow.h"

/* False where the answer stands for itself: the version before is not in memory. */
static bool doubt_nan(struct edged *edged, const struct request *request)
{
	struct served *before = store_before(&edged->store, request->served);
	struct shadow *shadow = before ? shadow_new_of_nan(request, before) : NULL;
	if (shadow) {
		loader_shadow(&edged->loader, shadow);
	}
	return before != NULL;
}

static enum probation_fault fault_of(struct edged *edged, const struct request *request)
{
	enum probation_fault fault = request_fault(request);
	if (fault == PROBATION_NAN && doubt_nan(edged, request)) {
		return PROBATION_REFUSED;
	}
	if (request->reshaped && fault != PROBATION_FAILURE && fault != PROBATION_NAN) {
		/* Or whoever asks for more at once could end a trial. */
		fault = fault == PROBATION_FINE ? PROBATION_RESHAPED : PROBATION_REFUSED;
	}
	return fault;
}

void trials_note_run(struct edged *edged, const struct request *request)
{
	store_note_run(&edged->store, &edged->loader, &edged->config, request->served,
		fault_of(edged, request), request_work_ns(request));
}

void trials_sample(struct edged *edged, const struct request *request)
{
	struct served *before = request->type == WIRE_INFER
		? store_sample(&edged->store, &edged->config, request->served)
		: NULL;
	struct shadow *shadow = before ? shadow_new(request, before) : NULL;
	if (shadow) {
		loader_shadow(&edged->loader, shadow);
	}
}

static void note(struct edged *edged, const struct shadow *shadow)
{
	if (!shadow->of_nan) {
		store_note_compared(&edged->store, &edged->loader, &edged->config, shadow->version,
			shadow->differs);
	} else if (shadow->differs) {
		store_note_run(&edged->store, &edged->loader, &edged->config, shadow->version,
			PROBATION_NAN, 0);
	}
}

void trials_shadows_done(struct edged *edged)
{
	struct shadow *shadow = loader_shadows(&edged->loader);
	for (struct shadow *s = shadow; s; s = s->next) {
		served_unref(take(s->before)); /* it may be what serves again */
	}
	while (shadow) {
		struct shadow *next = shadow->next;
		if (shadow->compared) {
			note(edged, shadow);
		}
		shadow_free(shadow);
		shadow = next;
	}
}
