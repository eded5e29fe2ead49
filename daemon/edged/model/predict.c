/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/model/predict.h"

#include "engine/edge.h"

#define LEAST_NS 1000
#define SURE 8 /* runs after which one run changes the expectation little */
#define FIRST_RATE 1.0

static int add_step(void *context, const struct edge_step *step)
{
	*(double *)context += step->microseconds * 1e3;
	return 0;
}

static uint32_t place_of(uint32_t signature)
{
	return signature < PREDICT_SIGNATURES ? signature : PREDICT_SIGNATURES - 1;
}

static int64_t static_ns(
	struct predict *predict, const struct edge_model *model, uint32_t signature)
{
	const uint32_t at = place_of(signature);
	if (!predict->signatures[at].planned) {
		double ns = 0;
		int code = edge_model_steps(model, signature, add_step, &ns);
		predict->signatures[at].planned = true;
		predict->signatures[at].static_ns =
			code == 0 && ns > LEAST_NS ? (int64_t)ns : LEAST_NS;
	}
	return predict->signatures[at].static_ns;
}

int64_t predict_ns(struct predict *predict, const struct predict_machine *machine,
	const struct edge_model *model, uint32_t signature, double scale)
{
	const uint32_t at = place_of(signature);
	double ns = (double)predict->signatures[at].ns;
	if (predict->signatures[at].n == 0) {
		ns = (double)static_ns(predict, model, signature) *
			(machine->rate > 0 ? machine->rate : FIRST_RATE);
	}
	ns *= scale;
	return ns > LEAST_NS ? (int64_t)ns : LEAST_NS;
}

void predict_note(struct predict *predict, struct predict_machine *machine,
	const struct edge_model *model, uint32_t signature, double scale, int64_t ns)
{
	const uint32_t at = place_of(signature);
	const int64_t before = predict->signatures[at].ns;
	const uint32_t n = predict->signatures[at].n;
	int64_t now = scale > 0 ? (int64_t)((double)ns / scale) : ns;
	if (n == 0) {
		const double rate = (double)now / (double)static_ns(predict, model, signature);
		machine->rate =
			machine->rate > 0 ? machine->rate + (rate - machine->rate) / 4 : rate;
		predict->signatures[at].ns = now;
	} else {
		now = n >= SURE && now > 4 * before ? 4 * before : now;
		predict->signatures[at].ns = before + (now - before) / (now > before ? 4 : 8);
	}
	predict->signatures[at].n = n < SURE ? n + 1 : n;
}
