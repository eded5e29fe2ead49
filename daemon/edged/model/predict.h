/* SPDX-License-Identifier: Apache-2.0 */
/*
 * predict - expected run times for the queue
 *
 * Before a signature has run: the plan's static cost (engine/plan/cost.h), multiplied by the
 * measured slowness of this machine. Afterwards: the times of its runs. Loop thread only.
 */
#ifndef DAEMON_EDGED_MODEL_PREDICT_H
#define DAEMON_EDGED_MODEL_PREDICT_H

#include <stdbool.h>
#include <stdint.h>

#define PREDICT_SIGNATURES 8 /* signatures learned for a model; all others share the last entry */

struct edge_model;

/* State of one model. Zero it before use. */
struct predict {
	struct {
		bool planned; /* static_ns is known */
		uint32_t n; /* runs learned, at most 8 */
		int64_t static_ns, ns;
	} signatures[PREDICT_SIGNATURES];
};

/* State of the machine. Zero it before use. */
struct predict_machine {
	double rate; /* measured time divided by static cost; 0: nothing has run */
};

/* Returns the expected time in ns, at least 1 us. @scale: input elements of the request divided by
 * planned ones. */
int64_t predict_ns(struct predict *predict, const struct predict_machine *machine,
	const struct edge_model *model, uint32_t signature, double scale);

/* Learns a run of @ns. After 8 runs, a run above four times the expectation counts as four times
 * the expectation, so that one delay does not exclude a model for long. */
void predict_note(struct predict *predict, struct predict_machine *machine,
	const struct edge_model *model, uint32_t signature, double scale, int64_t ns);

#endif
