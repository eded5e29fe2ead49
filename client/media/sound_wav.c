/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "client/media/sound.h"

#define WAVE_PCM 1
#define WAVE_FLOAT 3
#define WAVE_EXTENSIBLE 0xFFFE
#define MAX_CHANNELS 32

struct wav {
	uint32_t coding, channels, rate, bits;
	uint32_t frame; /* bytes of one sample of all channels */
	const uint8_t *data;
	size_t bytes;
};

/* "fmt ": coding, channels, rate, bytes per second, bytes per frame, bits. The extensible form
 * has the actual coding in the first two bytes of a GUID at 24. */
static int read_format(const uint8_t *at, size_t size, struct wav *wav, struct error *err)
{
	if (size < 16) {
		return error_set(err, -EBADMSG, "WAV: format chunk of %zu bytes", size);
	}
	wav->coding = bytes_get_u16(at);
	wav->channels = bytes_get_u16(at + 2);
	wav->rate = bytes_get_u32(at + 4);
	wav->frame = bytes_get_u16(at + 12);
	wav->bits = bytes_get_u16(at + 14);
	if (wav->coding == WAVE_EXTENSIBLE && size >= 26) {
		wav->coding = bytes_get_u16(at + 24);
	}
	return 0;
}

/* A writer to a pipe does not know the size in advance and may leave 0 in the header; the data
 * then goes beyond the size in the RIFF header. */
static bool is_streamed(const struct bytes_reader *r, size_t bytes)
{
	return bytes == 0 && (uint64_t)bytes_get_u32(r->data + 4) + 8 <= r->at;
}

static int find_chunks(const void *data, size_t size, struct wav *wav, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(data, size);
	const char *kind = (const char *)bytes_read(&r, 12); /* RIFF, size, WAVE */
	if (kind && (memcmp(kind, "RIFX", 4) == 0 || memcmp(kind, "RF64", 4) == 0)) {
		return error_set(err, -EOPNOTSUPP, "WAV: %.4s is not read here, RIFF is", kind);
	}
	while (!wav->data) {
		const uint8_t *head = bytes_read(&r, 8);
		if (!head) {
			return error_set(err, -EBADMSG, "WAV: no %s chunk",
				wav->channels ? "data" : "format");
		}
		size_t bytes = bytes_get_u32(head + 4), left = r.size - r.at;
		bool is_data = memcmp(head, "data", 4) == 0;
		if (is_data && !wav->channels) {
			return error_set(err, -EBADMSG, "WAV: data before the format");
		}
		bytes = is_data && (bytes > left || is_streamed(&r, bytes)) ? left : bytes;
		const uint8_t *body = bytes_read(&r, bytes);
		if (!body) {
			return error_set(err, -EBADMSG,
				"WAV: chunk at %zu beyond the end of the file", r.at - 8);
		}
		if (is_data) {
			wav->data = body;
			wav->bytes = bytes;
		} else if (memcmp(head, "fmt ", 4) == 0) {
			int e = read_format(body, bytes, wav, err);
			if (e < 0) {
				return e;
			}
		}
		if (bytes % 2 && r.at < r.size) {
			bytes_read(&r, 1);
		}
	}
	return 0;
}

static int check_form(const struct wav *wav, struct error *err)
{
	bool pcm = wav->coding == WAVE_PCM &&
		(wav->bits == 8 || wav->bits == 16 || wav->bits == 24 || wav->bits == 32);
	bool real = wav->coding == WAVE_FLOAT && (wav->bits == 32 || wav->bits == 64);
	if (!pcm && !real) {
		return error_set(err, -EOPNOTSUPP, "WAV: coding %u with %u bits is not read here",
			wav->coding, wav->bits);
	}
	if (wav->channels == 0 || wav->channels > MAX_CHANNELS) {
		return error_set(err, -EBADMSG, "WAV: %u channels", wav->channels);
	}
	if (wav->frame != wav->channels * wav->bits / 8) {
		return error_set(err, -EOPNOTSUPP, "WAV: %u channels of %u bits in %u bytes",
			wav->channels, wav->bits, wav->frame);
	}
	if (wav->rate < SOUND_MIN_RATE || wav->rate > SOUND_MAX_RATE) {
		return error_set(err, -EBADMSG, "WAV: %u samples a second", wav->rate);
	}
	return 0;
}

static double float_sample(const uint8_t *at, uint32_t bits)
{
	float single;
	double value;
	if (bits == 32) {
		memcpy(&single, at, sizeof(single));
		value = single;
	} else {
		memcpy(&value, at, sizeof(value));
	}
	return isfinite(value) ? fmin(fmax(value, -1e6), 1e6) : 0;
}

/* 8-bit samples are unsigned around 128, others signed; full scale is 2^(bits - 1). */
static double sample_at(const struct wav *wav, const uint8_t *at)
{
	if (wav->coding == WAVE_FLOAT) {
		return float_sample(at, wav->bits);
	}
	switch (wav->bits) {
	case 8:
		return (at[0] - 128) / 128.0;
	case 16:
		return (int16_t)bytes_get_u16(at) / 32768.0;
	case 24:
		return (int32_t)((uint32_t)at[0] << 8 | (uint32_t)at[1] << 16 |
			       (uint32_t)at[2] << 24) /
			2147483648.0;
	default:
		return (int32_t)bytes_get_u32(at) / 2147483648.0;
	}
}

static int read_samples(const struct wav *wav, struct sound *ret_sound, struct error *err)
{
	size_t step = wav->bits / 8, n = wav->bytes / (step * wav->channels);
	if (n > SOUND_MAX_SAMPLES) {
		return error_set(err, -EFBIG, "%zu samples, limit %u", n, SOUND_MAX_SAMPLES);
	}
	float *samples = malloc((n + 1) * sizeof(samples[0]));
	if (!samples) {
		return error_no_memory(err);
	}
	const uint8_t *at = wav->data;
	for (size_t i = 0; i < n; i++) {
		double sum = 0;
		for (uint32_t c = 0; c < wav->channels; c++, at += step) {
			sum += sample_at(wav, at);
		}
		samples[i] = (float)(sum / wav->channels);
	}
	*ret_sound = (struct sound){.samples = samples, .n = n, .rate = wav->rate};
	return 0;
}

int sound_wav_decode(const void *data, size_t size, struct sound *ret_sound, struct error *err)
{
	struct wav wav = {0};
	int r = find_chunks(data, size, &wav, err);
	r = r < 0 ? r : check_form(&wav, err);
	return r < 0 ? r : read_samples(&wav, ret_sound, err);
}

int sound_s16_decode(const void *data, size_t size, uint32_t rate, uint32_t channels,
	struct sound *ret_sound, struct error *err)
{
	struct wav wav = {.coding = WAVE_PCM,
		.channels = channels,
		.rate = rate,
		.bits = 16,
		.frame = 2 * channels,
		.data = data,
		.bytes = size};
	int r = check_form(&wav, err);
	return r < 0 ? r : read_samples(&wav, ret_sound, err);
}
