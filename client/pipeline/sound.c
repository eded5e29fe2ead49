/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/sound.h"

#include <errno.h>
#include <math.h>

#define ZERO_CROSSINGS 16
#define PASSBAND 0.95 /* share of the lower Nyquist frequency; the rest is the filter's slope */

void sound_free(struct sound *sound)
{
	free(sound->samples);
	*sound = (struct sound){0};
}

/*
 * New sample i lies at i * down / up in old samples: @up places between two old samples, each with
 * weights of its own.
 */
struct filter {
	uint64_t up, down;
	size_t reach; /* old samples a side */
	float *weights; /* owned; [up][2 * reach] */
};

static void filter_free(struct filter *filter)
{
	free(filter->weights);
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

/* Weights of each place add up to 1, so that a constant stays what it is. */
static void fill_place(const struct filter *f, uint64_t place, double cutoff)
{
	float *weight = f->weights + place * 2 * f->reach;
	double sum = 0, at = (double)place / (double)f->up;
	for (size_t k = 0; k < 2 * f->reach; k++) {
		double x = (double)k - (double)(f->reach - 1) - at;
		weight[k] = (float)windowed_sinc(x, cutoff, (double)f->reach);
		sum += weight[k];
	}
	for (size_t k = 0; k < 2 * f->reach; k++) {
		weight[k] = (float)(weight[k] / sum);
	}
}

static int filter_init(struct filter *f, uint32_t from, uint32_t to)
{
	uint32_t divisor = greatest_divisor(from, to);
	f->up = to / divisor;
	f->down = from / divisor;
	double cutoff = PASSBAND * fmin(1, (double)to / from);
	f->reach = (size_t)ceil(ZERO_CROSSINGS / cutoff);
	f->weights = calloc((size_t)f->up * 2 * f->reach, sizeof(f->weights[0]));
	if (!f->weights) {
		return -ENOMEM;
	}
	for (uint64_t place = 0; place < f->up; place++) {
		fill_place(f, place, cutoff);
	}
	return 0;
}

/* Samples before the start and after the end are silence. */
static float filtered(const struct filter *f, const struct sound *sound, uint64_t i)
{
	uint64_t whole = i * f->down / f->up;
	const float *weight = f->weights + i * f->down % f->up * 2 * f->reach;
	double sum = 0;
	for (size_t k = 0; k < 2 * f->reach; k++) {
		uint64_t at = whole + k; /* + reach - 1 */
		if (at >= f->reach - 1 && at - (f->reach - 1) < sound->n) {
			sum += weight[k] * sound->samples[at - (f->reach - 1)];
		}
	}
	return (float)sum;
}

static bool rate_is_known(uint32_t rate)
{
	return rate >= SOUND_MIN_RATE && rate <= SOUND_MAX_RATE;
}

int sound_resample(
	const struct sound *sound, uint32_t rate, struct sound *ret_sound, struct error *err)
{
	__attribute__((cleanup(filter_free))) struct filter filter = {0};
	if (!rate_is_known(rate) || !rate_is_known(sound->rate)) {
		return error_set(err, -EINVAL, "from %u to %u samples a second", sound->rate, rate);
	}
	uint64_t n = ((uint64_t)sound->n * rate + sound->rate / 2) / sound->rate;
	if (n > SOUND_MAX_SAMPLES) {
		return error_set(err, -EFBIG, "%llu samples, limit %u", (unsigned long long)n,
			SOUND_MAX_SAMPLES);
	}
	float *samples = malloc((size_t)(n + 1) * sizeof(samples[0]));
	if (!samples || filter_init(&filter, sound->rate, rate) < 0) {
		free(samples);
		return error_no_memory(err);
	}
	for (uint64_t i = 0; i < n; i++) {
		samples[i] = filtered(&filter, sound, i);
	}
	*ret_sound = (struct sound){.samples = samples, .n = (size_t)n, .rate = rate};
	return 0;
}
