/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/mutant.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/fuzz/fields.h"

#define MAX_DEPTH 12
#define VECTOR_ELEMENTS 24

struct walk {
	const uint8_t *file;
	size_t size;
	struct mutant_sites *sites;
	uint8_t *seen; /* one bit per byte of the file: a table or vector that starts there was
			  walked */
};

uint64_t mutant_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545F4914F6CDD1Dull;
}

static bool first_visit(struct walk *w, uint32_t at)
{
	uint8_t bit = (uint8_t)(1u << (at & 7));
	bool first = !(w->seen[at >> 3] & bit);
	w->seen[at >> 3] |= bit;
	return first;
}

static void add_site(struct walk *w, uint32_t at, uint8_t width)
{
	if (w->sites->n < MUTANT_MAX_SITES && (uint64_t)at + width <= w->size) {
		w->sites->site[w->sites->n++] = (struct mutant_site){at, width};
	}
}

static void walk_table(struct walk *w, uint32_t at, unsigned int depth);

/* A field or element that might be an offset: what it points at is walked as a table if a vtable
 * fits, and as a vector. */
static void walk_offset(struct walk *w, uint32_t at, unsigned int depth)
{
	uint64_t target = (uint64_t)at + bytes_get_u32(w->file + at);
	if (depth >= MAX_DEPTH || target + 4 > w->size || target <= at || (target & 3) ||
		!first_visit(w, (uint32_t)target)) {
		return;
	}
	int64_t vtable = (int64_t)target - (int32_t)bytes_get_u32(w->file + target);
	if (vtable > 0 && vtable + 4 <= (int64_t)w->size && !(vtable & 1) &&
		bytes_get_u16(w->file + vtable) >= 4 && bytes_get_u16(w->file + vtable) < 128) {
		walk_table(w, (uint32_t)target, depth + 1);
		return;
	}
	uint32_t n = bytes_get_u32(w->file + target);
	add_site(w, (uint32_t)target, 4);
	for (uint32_t i = 0; i < n && i < VECTOR_ELEMENTS && target + 8 + 4ull * i <= w->size;
		i++) {
		uint32_t element = (uint32_t)target + 4 + 4 * i;
		add_site(w, element, 4);
		walk_offset(w, element, depth + 1);
	}
}

static void walk_table(struct walk *w, uint32_t at, unsigned int depth)
{
	uint32_t vtable = at - bytes_get_u32(w->file + at);
	uint16_t bytes = bytes_get_u16(w->file + vtable);
	add_site(w, at, 4);
	for (uint32_t entry = vtable; entry < vtable + bytes && entry + 2 <= w->size; entry += 2) {
		add_site(w, entry, 2);
		uint16_t field = bytes_get_u16(w->file + entry);
		uint64_t place = (uint64_t)at + field;
		if (entry < vtable + 4 || field == 0 || place + 4 > w->size) {
			continue;
		}
		add_site(w, (uint32_t)place, place & 3 ? 1 : 4);
		if (!(place & 3)) {
			walk_offset(w, (uint32_t)place, depth);
		}
	}
}

static struct mutant_site *fit(struct mutant_site *sites, uint32_t n)
{
	struct mutant_site *fitted = realloc(sites, ((size_t)n + 1) * sizeof(*sites));
	return fitted ? fitted : sites;
}

int mutant_find_sites(const uint8_t *file, size_t size, struct mutant_sites *ret_sites)
{
	owned_mem uint8_t *seen = calloc(1, size / 8 + 1);
	struct mutant_sites sites = {.site = calloc(MUTANT_MAX_SITES, sizeof(sites.site[0])),
		.field = calloc(MUTANT_MAX_SITES, sizeof(sites.field[0]))};
	if (!seen || !sites.site || !sites.field) {
		mutant_sites_deinit(&sites);
		return -ENOMEM;
	}
	struct walk w = {.file = file, .size = size, .sites = &sites, .seen = seen};
	add_site(&w, 0, 4);
	add_site(&w, 4, 4);
	walk_offset(&w, 0, 0);
	sites.n_fields = fields_find(file, size, sites.field);
	sites.site = fit(sites.site, sites.n);
	sites.field = fit(sites.field, sites.n_fields);
	*ret_sites = sites;
	return 0;
}

void mutant_sites_deinit(struct mutant_sites *sites)
{
	free(sites->site);
	free(sites->field);
	*sites = (struct mutant_sites){0};
}

static uint64_t read_site(const uint8_t *file, struct mutant_site s)
{
	uint64_t v = 0;
	memcpy(&v, file + s.at, s.width);
	return v;
}

static void write_site(uint8_t *file, struct mutant_site s, uint64_t v)
{
	memcpy(file + s.at, &v, s.width);
}

static const uint64_t hostile[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 32, 33, 127, 128, 129, 200,
	255, 256, 257, 1000, 4096, 32767, 32768, 65535, 65536, 65537, 1u << 20, 1u << 24,
	(1u << 24) + 1, 1u << 30, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
	0x3f800000, 0x7f800000, 0x7fc00000, 0x00000001, 0xff7fffff};

static void set_hostile(uint8_t *file, struct mutant_site s, uint64_t *random)
{
	write_site(
		file, s, hostile[mutant_random(random) % (sizeof(hostile) / sizeof(hostile[0]))]);
}

static void step_value(uint8_t *file, struct mutant_site s, uint64_t *random)
{
	static const int64_t steps[] = {1, -1, 4, -4, 64, -64, 256};
	int64_t step = steps[mutant_random(random) % (sizeof(steps) / sizeof(steps[0]))];
	write_site(file, s, read_site(file, s) + (uint64_t)step);
}

static void scale_value(uint8_t *file, struct mutant_site s, uint64_t *random)
{
	uint64_t v = read_site(file, s);
	write_site(file, s, mutant_random(random) & 1 ? v << (1 + mutant_random(random) % 20) : ~v);
}

static struct mutant_site choose_field(const struct mutant_sites *sites, uint64_t *random)
{
	return sites->field[mutant_random(random) % sites->n_fields];
}

/* Small numbers come often: they are the ones that rules let pass. */
static void change_field(uint8_t *file, const struct mutant_sites *sites, uint64_t *random)
{
	struct mutant_site s = choose_field(sites, random), other;
	switch (mutant_random(random) % 8) {
	case 0:
	case 1:
	case 2:
		set_hostile(file, s, random);
		break;
	case 3:
		step_value(file, s, random);
		break;
	case 4:
		scale_value(file, s, random);
		break;
	case 5:
		other = choose_field(sites, random);
		write_site(file, s, read_site(file, other));
		break;
	case 6: /* types and operators as well */
		write_site(file, s, mutant_random(random) % 256);
		break;
	default:
		write_site(file, s, mutant_random(random) % 6);
	}
}

static void change_fields(uint8_t *file, const struct mutant_sites *sites, uint64_t *random)
{
	for (uint64_t n = 1 + mutant_random(random) % 3; n > 0; n--) {
		change_field(file, sites, random);
	}
}

size_t mutant_make(uint8_t *file, size_t size, const struct mutant_sites *sites, uint64_t seed,
	const char **ret_kind)
{
	uint64_t random = seed * 0x9E3779B97F4A7C15ull + 0x1234567;
	struct mutant_site a = sites->site[mutant_random(&random) % sites->n];
	struct mutant_site b = sites->site[mutant_random(&random) % sites->n];
	uint64_t va = read_site(file, a), vb = read_site(file, b),
		 at = mutant_random(&random) % size;
	if (sites->n_fields && mutant_random(&random) & 1) {
		*ret_kind = "fields";
		change_fields(file, sites, &random);
		return size;
	}
	switch (mutant_random(&random) % 16) {
	case 0:
		*ret_kind = "bit";
		file[at] ^= (uint8_t)(1u << (mutant_random(&random) & 7));
		return size;
	case 1:
		*ret_kind = "truncated";
		return mutant_random(&random) & 1 ? at : size - mutant_random(&random) % 64 % size;
	case 2:
		*ret_kind = "grown";
		memset(file + size, (int)(mutant_random(&random) & 0xff), 64);
		return size + mutant_random(&random) % 65;
	case 3:
		*ret_kind = "swapped";
		write_site(file, a, vb);
		write_site(file, b, va);
		return size;
	case 4:
		*ret_kind = "copied";
		write_site(file, a, vb);
		return size;
	case 5:
		*ret_kind = "same target";
		write_site(file, a, b.at + vb - a.at);
		return size;
	case 6:
		*ret_kind = "zeroed block";
		memset(file + at, 0, size - at < 32 ? size - at : 32);
		return size;
	case 7:
		*ret_kind = "random word";
		write_site(file, a, mutant_random(&random));
		return size;
	case 8:
	case 9:
		*ret_kind = "stepped";
		step_value(file, a, &random);
		return size;
	case 10:
		*ret_kind = "scaled";
		scale_value(file, a, &random);
		return size;
	case 11:
		*ret_kind = "two hostile values";
		set_hostile(file, b, &random);
		set_hostile(file, a, &random);
		return size;
	default:
		*ret_kind = "hostile value";
		set_hostile(file, a, &random);
		return size;
	}
}
