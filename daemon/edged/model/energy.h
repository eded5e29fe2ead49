/* SPDX-License-Identifier: Apache-2.0 */
/*
 * energy - estimates the energy of a model's run
 *
 * The energy of an interval, minus the idle power of the machine, is divided among the models that
 * ran by their run time. Idle power is the lowest power so far, and follows the power between
 * bursts of work if an energy counter exists. Energy of other programs is included, so the estimate
 * is right on a machine that does little else.
 */
#ifndef DAEMON_EDGED_MODEL_ENERGY_H
#define DAEMON_EDGED_MODEL_ENERGY_H

#include <stdbool.h>
#include <stdint.h>

/* State of the machine. Zero it before use. */
struct energy {
	bool known; /* at least one interval was measured */
	double idle_uw, power_uw; /* power without work, and in the last interval, in microwatts */
	double carried_uj; /* energy in uJ of intervals with a run that has not ended yet */
	uint64_t busy_ns; /* time of runs that ended in this interval */
};

/* State of one model. Zero it before use. */
struct energy_share {
	uint64_t ns; /* time of the model's runs that ended in this interval */
	uint32_t n;
	double uj; /* energy in uJ of @runs accounted runs; old ones decay */
	double runs;
};

/* Adds a completed run of @ns. */
void energy_note_run(struct energy *energy, struct energy_share *share, uint64_t ns);

/* Ends an interval in which the machine used @uj. Returns the energy in uJ for energy_divide(),
 * which the caller calls for each model, and then energy_begin(). @idle: almost nothing ran; the
 * result is then negative, because no model used the energy. */
double energy_end(struct energy *energy, uint64_t uj, uint64_t ns, bool idle);
/* @active_uj: result of energy_end(); negative: unknown, and the runs of the interval do not
 * count. */
void energy_divide(const struct energy *energy, struct energy_share *share, double active_uj);
void energy_begin(struct energy *energy);

/* Returns the energy of one run in nanojoules; 0: not known. */
uint64_t energy_of_run(const struct energy_share *share);

#endif
