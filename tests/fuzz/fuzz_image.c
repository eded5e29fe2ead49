/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a picture, in whatever format they claim: refused, or a picture within the limits
 * that can be brought to a model's size. */
#include <assert.h>

#include "client/media/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source source = {.path = "-", .data = (uint8_t *)(uintptr_t)data, .size = size};
	owned_image struct image image = {0}, small = {0};
	struct error err = {0};
	enum source_format format = source_format_of(&source);
	if (!source_is_image(format)) {
		return 0;
	}
	if (image_decode(format, data, size, &image, &err) < 0) {
		assert(err.code < 0 && err.text[0]);
		return 0;
	}
	assert(image.width <= IMAGE_MAX_SIDE && image.height <= IMAGE_MAX_SIDE);
	assert((uint64_t)image.width * image.height <= IMAGE_MAX_PIXELS);
	assert(image.channels == 1 || image.channels == 3);
	int r = image_resize(&image, 32, 16, &small, &err);
	assert(r == 0);
	r = image_set_channels(&small, 1, &err);
	assert(r == 0);
	return 0;
}
