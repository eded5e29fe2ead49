/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sound - one channel of samples, -1 to 1
 *
 * Several channels are mixed to one by their mean. A reader refuses before it allocates.
 */
#ifndef CLIENT_PIPELINE_SOUND_H
#define CLIENT_PIPELINE_SOUND_H

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
	uint32_t rate; /* samples a second */
};

void sound_free(struct sound *sound); /* zeroed is fine */

/* RIFF WAVE: integers of 8, 16, 24 and 32 bits, floats of 32 and 64 bits, 1 to 32 channels. A data
 * chunk that claims more than the file has, or nothing where the file goes on beyond its own size, is read as far
 * as it goes (recorders leave such sizes). -EBADMSG, -EOPNOTSUPP (other codings, by number; samples with bytes
 * between them; RIFX and RF64) or -EFBIG. */
int must_check sound_wav_decode(
	const void *data, size_t size, struct sound *ret_sound, struct error *err);

/* Headerless samples, interleaved, as ffmpeg's s16le. */
int must_check sound_s16_decode(const void *data, size_t size, uint32_t rate, uint32_t channels,
	struct sound *ret_sound, struct error *err);

/*
 * Another rate: a sinc of 16 zero crossings a side under a Hann window, cut off below the lower of both Nyquist
 * frequencies. The new sound has round(n * rate / old rate) samples, the first at the same time as the old
 * first.
 *
 * Weights are of the places that new samples have between two old ones; where those are more than 1024 to a
 * zero crossing, they are taken from the line between the two nearest (wrong by less than a millionth of full
 * scale). So no pair of rates takes more than SOUND_FILTER_MAX_WEIGHTS, and no more than two of them for each
 * old sample that a new one is made of.
 */
#define SOUND_FILTER_MAX_WEIGHTS (1u << 16)

struct sound_filter {
	uint32_t from, to; /* samples a second */
	uint64_t up, down; /* new sample i lies at i * down / up in old samples */
	size_t reach; /* old samples a side */
	size_t places; /* between two old samples; up, or fewer */
	float *weights; /* owned; [places + 1][2 * reach] */
	size_t n_weights;
};

void sound_filter_free(struct sound_filter *filter); /* zeroed is fine */

/* Nothing is to be done where @filter is of these rates already. -EINVAL for rates outside the limits, -ENOMEM;
 * it is empty then. */
int must_check sound_filter_make(
	struct sound_filter *filter, uint32_t from, uint32_t to, struct error *err);

/* @sound has the rate that @filter is from. -EFBIG, -ENOMEM. */
int must_check sound_filter_run(const struct sound_filter *filter, const struct sound *sound,
	struct sound *ret_sound, struct error *err);

/* Both, once. */
int must_check sound_resample(
	const struct sound *sound, uint32_t rate, struct sound *ret_sound, struct error *err);

#define owned_sound_filter __attribute__((cleanup(sound_filter_free)))
#define owned_sound __attribute__((cleanup(sound_free)))

#endif
