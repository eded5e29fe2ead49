/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/wire/wire.h"
#include "base/wire/wire_field.h"

void wire_region_add_encode(struct bytes_writer *w, const struct wire_region *region)
{
	bytes_write_u64(w, region->bytes);
	bytes_write_u32(w, region->uses);
}

int wire_region_add_decode(
	const void *body, size_t size, struct wire_region *ret_region, struct error *err)
{
	const uint32_t known = WIRE_REGION_INPUTS | WIRE_REGION_OUTPUTS;
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_region region = {.bytes = bytes_read_u64(&r)};
	region.uses = bytes_read_u32(&r);
	int code = wire_end(&r, WIRE_REGION_ADD, err);
	if (code == 0 && (region.uses == 0 || region.uses & ~known)) {
		code = error_set(
			err, -EPROTO, "REGION_ADD: flags 0x%x are none or not known", region.uses);
	}
	if (code == 0) {
		*ret_region = region;
	}
	return code;
}

void wire_region_encode(struct bytes_writer *w, uint32_t region)
{
	bytes_write_u32(w, region);
}

int wire_region_decode(
	const void *body, size_t size, unsigned int type, uint32_t *ret_region, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	uint32_t region = bytes_read_u32(&r);
	int code = wire_end(&r, type, err);
	if (code == 0 && region == 0) {
		code = error_set(err, -EPROTO, "%s: region 0", wire_type_name(type));
	}
	if (code == 0) {
		*ret_region = region;
	}
	return code;
}

/* ---- rings */

void wire_ring_encode(struct bytes_writer *w, const struct wire_ring *ring)
{
	bytes_write_u32(w, ring->region);
	bytes_write_u64(w, ring->offset);
	bytes_write_u32(w, ring->slots);
	bytes_write_u32(w, ring->slot_bytes);
}

/* A power of two divides 2^32, so slot numbers stay correct when the counters wrap. */
static bool is_power(uint32_t n)
{
	return n > 0 && (n & (n - 1)) == 0;
}

int wire_ring_decode(const void *body, size_t size, struct wire_ring *ret_ring, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_ring ring = {.region = bytes_read_u32(&r)};
	ring.offset = bytes_read_u64(&r);
	ring.slots = bytes_read_u32(&r);
	ring.slot_bytes = bytes_read_u32(&r);
	int code = wire_end(&r, WIRE_RING_OPEN, err);
	if (code == 0 &&
		(ring.region == 0 || ring.offset % WIRE_ALIGNMENT != 0 || !is_power(ring.slots) ||
			ring.slots > WIRE_RING_MAX_SLOTS || ring.slot_bytes < WIRE_RING_MIN_SLOT ||
			ring.slot_bytes > WIRE_RING_MAX_SLOT ||
			ring.slot_bytes % WIRE_ALIGNMENT != 0)) {
		code = error_set(err, -EPROTO,
			"RING_OPEN: %u slots of %u bytes at %llu of region %u are no ring",
			ring.slots, ring.slot_bytes, (unsigned long long)ring.offset, ring.region);
	}
	if (code == 0) {
		*ret_ring = ring;
	}
	return code;
}
