/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/model/budget.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/own.h"
#include "daemon/system/cgroup.h"

static size_t fit(uint64_t bytes)
{
	return bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}

static uint64_t machine_bytes(void)
{
	struct sysinfo info;
	return sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : UINT64_C(1) << 30;
}

void budget_configure(struct budget *budget, uint64_t configured)
{
	const uint64_t machine = machine_bytes();
	const uint64_t memory_max = cgroup_memory_max();
	uint64_t limit = configured    ? configured
		: memory_max < machine ? memory_max / 4 * 3
				       : machine / 2;
	atomic_store(&budget->limit, fit(limit));
}

void budget_add(struct budget *budget, uint64_t bytes)
{
	if (budget) {
		atomic_fetch_add(&budget->held, fit(bytes));
	}
}

void budget_take_away(struct budget *budget, uint64_t bytes)
{
	if (budget) {
		atomic_fetch_sub(&budget->held, fit(bytes));
	}
}

size_t budget_excess(struct budget *budget, uint64_t bytes)
{
	const uint64_t limit = budget ? atomic_load(&budget->limit) : UINT64_MAX;
	const uint64_t held = budget ? atomic_load(&budget->held) : 0;
	const uint64_t wanted = bytes < UINT64_MAX - held ? held + bytes : UINT64_MAX;
	return wanted > limit ? fit(wanted - limit) : 0;
}
