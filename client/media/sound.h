/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sound - one channel of samples from -1 to 1
 *
 * Several channels are mixed to their mean. Decoders check the limits before they allocate memory.
 */
#ifndef CLIENT_MEDIA_SOUND_H
#define CLIENT_MEDIA_SOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SOUND_MAX_SAMPLES (1u << 24) /* 17 minutes at 16 kHz */
#define SOUND_MIN_RATE 1000u
#define SOUND_MAX_RATE 384000u

struct sound {
	float *samples; /* owned */
	size_t n;
	uint32_t rate; /* in Hz */
};

void sound_free(struct sound *sound); /* @sound may be zeroed */

/* Decodes RIFF WAVE: 8, 16, 24 and 32-bit integers, 32 and 64-bit floats, 1 to 32 channels.
 * Recorders may leave wrong sizes: a data chunk larger than the file, or of size 0 while the
 * file goes on beyond its stated size, is read to the end of the file. -EBADMSG. -EOPNOTSUPP:
 * other codings (the message has the number), padding between samples, RIFX, RF64. -EFBIG. */
int must_check sound_wav_decode(
	const void *data, size_t size, struct sound *ret_sound, struct error *err);

/* Decodes interleaved 16-bit little-endian samples without header, like ffmpeg's s16le. */
int must_check sound_s16_decode(const void *data, size_t size, uint32_t rate, uint32_t channels,
	struct sound *ret_sound, struct error *err);

/*
 * Resampler: a sinc with 16 zero crossings on each side and a Hann window, cut off below the lower
 * Nyquist frequency. The new sound has round(n * rate / old rate) samples; the first new sample is
 * at the time of the first old one.
 *
 * Weights are tabulated for the positions of new samples between two old ones. Above 1024
 * positions to a zero crossing they are interpolated linearly between two table rows (error below
 * 1e-6 of full scale). So a filter never has more than SOUND_FILTER_MAX_WEIGHTS weights.
 */
#define SOUND_FILTER_MAX_WEIGHTS (1u << 16)

struct sound_filter {
	uint32_t from, to; /* sample rates in Hz */
	uint64_t up, down; /* new sample i is at old sample i * down / up */
	size_t reach; /* old samples used on each side */
	size_t places; /* tabulated positions between two old samples; up, or fewer */
	float *weights; /* owned; [places + 1][2 * reach] */
	size_t n_weights;
};

void sound_filter_free(struct sound_filter *filter); /* @filter may be zeroed */

/* Computes the filter, unless @filter already has these rates. On failure @filter is empty.
 * -EINVAL: a rate is outside the limits. -ENOMEM. */
int must_check sound_filter_make(
	struct sound_filter *filter, uint32_t from, uint32_t to, struct error *err);

/* Resamples @sound, whose rate must be filter->from. -EFBIG, -ENOMEM. */
int must_check sound_filter_run(const struct sound_filter *filter, const struct sound *sound,
	struct sound *ret_sound, struct error *err);

/* Makes a filter and runs it once. */
int must_check sound_resample(
	const struct sound *sound, uint32_t rate, struct sound *ret_sound, struct error *err);

#define owned_sound_filter __attribute__((cleanup(sound_filter_free)))
#define owned_sound __attribute__((cleanup(sound_free)))

#endif
