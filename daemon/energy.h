/* SPDX-License-Identifier: Apache-2.0 */
/*
 * energy - what a run of a model takes, estimated
 *
 * What the machine took in an interval, less what it takes without any work, is divided among the models that ran in it, by the
 * time that they ran. What it takes without work is the least that it ever took, and follows what it takes between two
 * bursts of work where a counter tells. What other programs take meanwhile is counted too: the figure is right on a
 * machine that does little else.
 */
#ifndef DAEMON_ENERGY_H
#define DAEMON_ENERGY_H

#include <stdbool.h>
#include <stdint.h>

/* Of the machine, zeroed at first. */
struct energy {
	bool known; /* something was measured */
	double idle_uw, power_uw; /* without work; in the last interval */
	double carried_uj; /* of intervals in which something ran that had not ended */
	uint64_t busy_ns; /* of runs that ended in this interval */
};

/* Of a model, zeroed at first. */
struct energy_share {
	uint64_t ns; /* of its runs that ended in this interval */
	uint32_t n;
	double uj; /* of @runs runs that were accounted for; old ones fade */
	double runs;
};

/* A run ended. */
void energy_note_run(struct energy *energy, struct energy_share *share, uint64_t ns);

/*
 * An interval has ended, in which the machine took @uj microjoules. Returns what of it is to be divided by energy_divide() for
 * each model; then energy_begin(). @idle: nothing ran in it, so it is not.
 */
double energy_end(struct energy *energy, uint64_t uj, uint64_t ns, bool idle);
/* @active_uj: negative where nobody knows what the interval took: its runs do not count. */
void energy_divide(const struct energy *energy, struct energy_share *share, double active_uj);
void energy_begin(struct energy *energy);

/* Nanojoules of a run; 0: not known. */
uint64_t energy_of_run(const struct energy_share *share);

#endif
