/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/sound.h"

#include <errno.h>
#include <math.h>

#define ZERO_CROSSINGS 16
#define PLACES 1024 /* for each zero crossing; the interpolation error is (pi / PLACES)^2 / 24 */
#define PASSBAND 0.95 /* fraction of the lower Nyquist frequency; above it the filter rolls off */

void sound_free(struct sound *sound)
{
	free(sound->samples);
	*sound = (struct sound){0};
}

void sound_filter_free(struct sound_filter *filter)
{
	free(filter->weights);
	*filter = (struct sound_filter){0};
}

static uint32_t greatest_divisor(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static double windowed_sinc(double x, double cutoff, double reach)
{
	if (fabs(x) >= reach) {
		return 0;
	}
	double angle = M_PI * cutoff * x;
	double sinc = x == 0 ? 1 : sin(angle) / angle;
	return sinc * (0.5 + 0.5 * cos(M_PI * x / reach));
}

/* The weights of each position sum to 1, so that a constant signal is unchanged. */
static void fill_place(const struct sound_filter *f, size_t place, double cutoff)
{
	float *weight = f->weights + place * 2 * f->reach;
	double sum = 0, at = (double)place / (double)f->places;
	for (size_t k = 0; k < 2 * f->reach; k++) {
		double x = (double)k - (double)(f->reach - 1) - at;
		weight[k] = (float)windowed_sinc(x, cutoff, (double)f->reach);
		sum += weight[k];
	}
	for (size_t k = 0; k < 2 * f->reach; k++) {
		weight[k] = (float)(weight[k] / sum);
	}
}

static bool rate_is_known(uint32_t rate)
{
	return rate >= SOUND_MIN_RATE && rate <= SOUND_MAX_RATE;
}

int sound_filter_make(struct sound_filter *f, uint32_t from, uint32_t to, struct error *err)
{
	if (f->from == from && f->to == to) {
		return 0;
	}
	sound_filter_free(f);
	if (!rate_is_known(from) || !rate_is_known(to)) {
		return error_set(err, -EINVAL, "from %u to %u samples a second", from, to);
	}
	const double cutoff = PASSBAND * fmin(1, (double)to / from);
	const size_t most = (size_t)ceil(PLACES * cutoff);
	const uint32_t divisor = greatest_divisor(from, to);
	struct sound_filter made = {.from = from,
		.to = to,
		.up = to / divisor,
		.down = from / divisor,
		.reach = (size_t)ceil(ZERO_CROSSINGS / cutoff)};
	made.places = made.up < most ? (size_t)made.up : most;
	made.n_weights = (made.places + 1) * 2 * made.reach;
	made.weights = calloc(made.n_weights, sizeof(made.weights[0]));
	if (!made.weights) {
		return error_no_memory(err);
	}
	for (size_t place = 0; place <= made.places; place++) {
		fill_place(&made, place, cutoff);
	}
	*f = made;
	return 0;
}

static double weighted(const float *weights, const float *samples, size_t n)
{
	double sum = 0;
	for (size_t k = 0; k < n; k++) {
		sum += weights[k] * samples[k];
	}
	return sum;
}

/* Samples before the start and after the end are silence. */
static float filtered(const struct sound_filter *f, const struct sound *sound, uint64_t i)
{
	const uint64_t whole = i * f->down / f->up, rest = i * f->down % f->up * f->places;
	const double share = (double)(rest % f->up) / (double)f->up;
	const float *weights = f->weights + rest / f->up * 2 * f->reach;
	/* Weight k belongs to old sample whole + k - before. */
	const uint64_t before = f->reach - 1, length = 2 * f->reach;
	const uint64_t first = whole < before ? before - whole : 0;
	const uint64_t behind = sound->n + before > whole ? sound->n + before - whole : 0;
	const uint64_t end = behind < length ? behind : length;
	if (first >= end) {
		return 0;
	}
	const float *samples = sound->samples + (whole + first - before);
	const size_t n = (size_t)(end - first);
	double sum = weighted(weights + first, samples, n);
	if (share > 0) {
		sum += share * (weighted(weights + length + first, samples, n) - sum);
	}
	return (float)sum;
}

int sound_filter_run(const struct sound_filter *f, const struct sound *sound,
	struct sound *ret_sound, struct error *err)
{
	uint64_t n = ((uint64_t)sound->n * f->to + f->from / 2) / f->from;
	if (n > SOUND_MAX_SAMPLES) {
		return error_set(err, -EFBIG, "%llu samples, limit %u", (unsigned long long)n,
			SOUND_MAX_SAMPLES);
	}
	float *samples = malloc((size_t)(n + 1) * sizeof(samples[0]));
	if (!samples) {
		return error_no_memory(err);
	}
	for (uint64_t i = 0; i < n; i++) {
		samples[i] = filtered(f, sound, i);
	}
	*ret_sound = (struct sound){.samples = samples, .n = (size_t)n, .rate = f->to};
	return 0;
}

int sound_resample(
	const struct sound *sound, uint32_t rate, struct sound *ret_sound, struct error *err)
{
	owned_sound_filter struct sound_filter filter = {0};
	int r = sound_filter_make(&filter, sound->rate, rate, err);
	return r < 0 ? r : sound_filter_run(&filter, sound, ret_sound, err);
}
