/* SPDX-License-Identifier: Apache-2.0 */
/*
 * predict - what a run is expected to take
 *
 * Before a signature has run: the plan's static cost (engine/plan/cost.h), times how much slower
 * than that this machine was with the models it ran. Afterwards: what its runs took. Loop thread only.
 */
#ifndef DAEMON_PREDICT_H
#define DAEMON_PREDICT_H

#include <stdbool.h>
#include <stdint.h>

#define PREDICT_SIGNATURES 8 /* of a model that are learned; further ones share the last place */

struct edge_model;

/* Of a model, zeroed at first. */
struct predict {
	struct {
		bool planned; /* static_ns is known */
		uint32_t n; /* runs, 8 at most */
		int64_t static_ns, ns;
	} signatures[PREDICT_SIGNATURES];
};

/* Of the machine. */
struct predict_machine {
	double rate; /* measured by static; 0: nothing has run */
};

/* Nanoseconds, at least 1 us. @scale: of the request's elements to those planned for. */
int64_t predict_ns(struct predict *predict, const struct predict_machine *machine,
	const struct edge_model *model, uint32_t signature, double scale);

/* A run took @ns. One that took much longer than expected counts as four times as long: a hiccup
 * of the machine shall not keep a model out for long. */
void predict_note(struct predict *predict, struct predict_machine *machine,
	const struct edge_model *model, uint32_t signature, double scale, int64_t ns);

#endif
