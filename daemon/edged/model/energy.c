/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/model/energy.h"

#define FADE_RUNS 4096.0 /* runs above this number reduce the weight of old ones */
#define FOLLOW 8.0 /* idle power changes by one part of this for each interval */

void energy_note_run(struct energy *energy, struct energy_share *share, uint64_t ns)
{
	energy->busy_ns += ns;
	share->ns += ns;
	share->n++;
}

static void learn_idle(struct energy *energy, bool idle)
{
	if (!energy->known || energy->power_uw < energy->idle_uw) {
		energy->idle_uw = energy->power_uw;
	} else if (idle) {
		energy->idle_uw += (energy->power_uw - energy->idle_uw) / FOLLOW;
	}
	energy->known = true;
}

double energy_end(struct energy *energy, uint64_t uj, uint64_t ns, bool idle)
{
	if (ns == 0) {
		return -1;
	}
	const double seconds = (double)ns / 1e9;
	energy->power_uw = (double)uj / seconds;
	learn_idle(energy, idle);
	if (idle) {
		energy->carried_uj = 0;
		return -1;
	}
	const double more = (double)uj - energy->idle_uw * seconds;
	const double active = energy->carried_uj + (more > 0 ? more : 0);
	/* A long run is charged in the interval in which it ends. */
	energy->carried_uj = energy->busy_ns == 0 ? active : 0;
	return active;
}

void energy_divide(const struct energy *energy, struct energy_share *share, double active_uj)
{
	if (share->n > 0 && energy->busy_ns > 0 && active_uj >= 0) {
		share->uj += active_uj * (double)share->ns / (double)energy->busy_ns;
		share->runs += share->n;
		if (share->runs > FADE_RUNS) {
			share->uj *= FADE_RUNS / share->runs;
			share->runs = FADE_RUNS;
		}
	}
	share->ns = 0;
	share->n = 0;
}

void energy_begin(struct energy *energy)
{
	energy->busy_ns = 0;
}

uint64_t energy_of_run(const struct energy_share *share)
{
	return share->runs > 0 ? (uint64_t)(share->uj * 1e3 / share->runs) : 0;
}
