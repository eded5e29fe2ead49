/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/trials.h"

#include "daemon/edged/install/shadow.h"
#include "daemon/edged/serve/serve.h"

static struct shadow_source source_of(const struct request *request)
{
	return (struct shadow_source){
		.version = request->loaded,
		.signature = request->signature,
		.infer = &request->infer,
		.question = request->body,
		.question_bytes = request->body_bytes,
		.answer = request->reply.data,
		.answer_bytes = request->reply.size,
		.planned = request->planned,
		.in_session = request->session != NULL,
		.in_regions = request->n_regions > 0,
	};
}

/* Runs @request once more in both versions. False when the version before is not in memory: then
 * the NaN counts. */
static bool check_nan_again(struct serve *serve, const struct request *request)
{
	struct loaded_model *before = models_previous(serve->models, request->loaded);
	const struct shadow_source source = source_of(request);
	struct shadow *shadow = before ? shadow_new_of_nan(&source, before) : NULL;
	if (shadow) {
		loader_shadow(serve->loader, shadow);
	}
	return before != NULL;
}

static enum probation_outcome outcome_of(struct serve *serve, const struct request *request)
{
	enum probation_outcome outcome = request_trial_outcome(request);
	if (outcome == PROBATION_NAN && check_nan_again(serve, request)) {
		return PROBATION_REFUSED;
	}
	if (request->run.inputs_resized && outcome != PROBATION_FAILURE &&
		outcome != PROBATION_NAN) {
		/* Else a client with large inputs could end a trial. */
		outcome = outcome == PROBATION_FINE ? PROBATION_RESHAPED : PROBATION_REFUSED;
	}
	return outcome;
}

void trials_note_run(struct serve *serve, const struct request *request)
{
	models_note_run(serve->models, serve->loader, serve->config, request->loaded,
		outcome_of(serve, request), request_cpu_ns(request));
}

void trials_sample(struct serve *serve, const struct request *request)
{
	struct loaded_model *before = request->type == WIRE_INFER
		? models_sample(serve->models, serve->config, request->loaded)
		: NULL;
	const struct shadow_source source = source_of(request);
	struct shadow *shadow = before ? shadow_new(&source, before) : NULL;
	if (shadow) {
		loader_shadow(serve->loader, shadow);
	}
}

static void note(struct serve *serve, const struct shadow *shadow)
{
	if (!shadow->of_nan) {
		models_note_compared(serve->models, serve->loader, serve->config, shadow->version,
			shadow->differs);
	} else if (shadow->differs) {
		models_note_run(serve->models, serve->loader, serve->config, shadow->version,
			PROBATION_NAN, 0);
	}
}

void trials_shadows_done(struct serve *serve)
{
	struct shadow *shadow = loader_shadows(serve->loader);
	for (struct shadow *s = shadow; s; s = s->next) {
		/* dropped first: a rollback may make it serve again */
		loaded_model_unref(take(s->before));
	}
	while (shadow) {
		struct shadow *next = shadow->next;
		if (shadow->compared) {
			note(serve, shadow);
		}
		shadow_free(shadow);
		shadow = next;
	}
}
