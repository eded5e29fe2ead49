/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter - a backend that runs nodes on the CPU backend, and measures each
 *
 *   struct meter meter;
 *   meter_init(&meter);
 *   ... plans with .backends = meter_backends() ...
 *   meter_start(&meter, after_ns);
 *   session_run(session, &meter.control, &err);
 *   meter_stop(&meter);
 *
 *   meter_start_looks(&meter, after_ns);
 *   ... a run that has a deadline as well: meter.nodes[].blind_ns ...
 *
 * Times are CPU time of the thread, so the load of other programs does not count. The declared
 * operations of a node are what its rule gives for the shapes and parameters of that run. A run that has a
 * deadline reads the clock at each look at its control: the longest time between two readings is the most
 * that a cancelled run can go on, whatever the moment. Programs with a meter are linked with
 * --wrap=clock_now_ns.
 */
#ifndef TESTS_FUZZ_METER_H
#define TESTS_FUZZ_METER_H

#include <time.h>

#include "engine/backend.h"

#define METER_NODES 64 /* nodes of a run that are kept */

struct meter {
	struct run_control control;
	timer_t timer; /* cancels the run */
	atomic_bool cancelled;
	_Atomic uint64_t
		cancelled_ns; /* CPU time of the thread when it was cancelled; 0: it was not */
	bool counts_looks;
	uint64_t looked_ns, blind_ns; /* since the last node: last look, longest time between two */
	uint64_t n_looks; /* of all runs */
	uint32_t n_nodes; /* that the last run came to */
	struct metered {
		const struct node *node;
		unsigned int type; /* enum dtype of operand 0, or of the output */
		uint64_t macs; /* declared operations */
		uint64_t ns;
		uint64_t late_ns; /* that it went on after the run was cancelled */
		/* The longest between two looks at the control, with what the session does before the
		 * node; 0 where looks are not counted. */
		uint64_t blind_ns;
		int result;
	} nodes[METER_NODES];
};

/* -errno when there is no timer. The meter must not move. */
int must_check meter_init(struct meter *meter);
void meter_deinit(struct meter *meter);

/* NULL-terminated, for struct plan_cache. Its runs need the control of a meter. */
const struct backend *const *meter_backends(void);

/* Before a run, which is cancelled @after_ns later on the clock. */
void meter_start(struct meter *meter, uint64_t after_ns);
/* The same, and looks are counted, which takes time. One meter at a time. */
void meter_start_looks(struct meter *meter, uint64_t after_ns);
/* After the run. */
void meter_stop(struct meter *meter);

#endif
