/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a sound: refused, or samples that can be brought to another rate. */
#include <assert.h>
#include <errno.h>
#include <math.h>

#include "client/media/sound.h"

#define MAX_RESAMPLED 20000 /* longer ones only cost time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	owned_sound struct sound sound = {0}, resampled = {0};
	struct error err = {0};
	if (sound_wav_decode(data, size, &sound, &err) < 0) {
		assert(err.code < 0 && err.text[0]);
		return 0;
	}
	for (size_t i = 0; i < sound.n; i++) {
		assert(isfinite(sound.samples[i]));
	}
	/* Only rates whose filter is small, so that the reader is what is tried. */
	if (sound.n < MAX_RESAMPLED && sound.rate % 1000 == 0) {
		int r = sound_resample(&sound, 16000, &resampled, &err);
		assert(r == 0 || r == -EFBIG);
	}
	return 0;
}
