/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/backends.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/team.h"
#include "backends/cpu/tune.h"
#include "kernels/cpu_features.h"

static const struct backend *const builtin[] = {&cpu_backend, NULL};

static const struct {
	const char *name;
	uint64_t mask;
} features[] = {
	{"sse4.1", EK_CPU_SSE41},
	{"avx2", EK_CPU_AVX2},
	{"avx-vnni", EK_CPU_AVX_VNNI},
	{"avx512-vnni", EK_CPU_AVX512_VNNI},
	{"neon", EK_CPU_NEON},
	{"dotprod", EK_CPU_DOTPROD},
	{"i8mm", EK_CPU_I8MM},
	{"in-order", EK_CPU_IN_ORDER},
	{"vfpv4", EK_CPU_VFPV4},
	{"all", ~0ull},
	{"none", 0},
};

const struct backend *const *backends_builtin(void)
{
	return builtin;
}

uint64_t backends_cpu_features(void)
{
	return ek_cpu_detect();
}

uint64_t backends_cpu_choose(uint64_t mask)
{
	return tune_choose(mask);
}

uint64_t backends_cpu_packing(uint64_t mask)
{
	return mask & ~EK_CPU_IN_ORDER;
}

int backends_cpu_mask(const char *text, uint64_t *ret_mask, struct error *err)
{
	uint64_t mask = 0;
	while (*text) {
		size_t length = strcspn(text, ","), i = 0;
		while (i < sizeof(features) / sizeof(features[0]) &&
			(strlen(features[i].name) != length ||
				strncmp(features[i].name, text, length) != 0)) {
			i++;
		}
		if (i == sizeof(features) / sizeof(features[0])) {
			char word[64];
			return error_set(err, -EINVAL, "unknown CPU feature '%s'",
				error_escape(word, sizeof(word), text, length));
		}
		mask |= features[i].mask;
		text += length + (text[length] == ',');
	}
	*ret_mask = mask;
	return 0;
}

void backends_cpu_names(uint64_t mask, char ret_text[BACKENDS_CPU_SIZE])
{
	size_t used = 0;
	strcpy(ret_text, "none");
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const bool single = features[i].mask != 0 && ~features[i].mask != 0;
		if (single && features[i].mask & mask && used < BACKENDS_CPU_SIZE) {
			used += (size_t)snprintf(ret_text + used, BACKENDS_CPU_SIZE - used, "%s%s",
				used ? ", " : "", features[i].name);
		}
	}
}

_Static_assert(BACKENDS_MAX_THREADS == TEAM_MAX_MEMBERS, "one limit, said in two places");

int backends_team_new(unsigned int threads, bool eager, struct team **ret_team, struct error *err)
{
	return team_new(threads, eager, ret_team, err);
}

void backends_team_free(struct team *team)
{
	team_free(team);
}
