/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/wire/wire.h"

static void region_messages_have_their_bytes_in_place(void **state)
{
	(void)state;
	const uint8_t wanted_add[] = {0, 0x10, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0};
	const uint8_t wanted_number[] = {7, 0, 0, 0};
	const struct wire_region region = {
		.bytes = 0x0100000000001000u, .uses = WIRE_REGION_INPUTS | WIRE_REGION_OUTPUTS};
	struct wire_region back = {0};
	struct bytes_writer w = {0};
	uint32_t number = 0;
	wire_region_add_encode(&w, &region);
	assert_int_equal(w.size, sizeof(wanted_add));
	assert_memory_equal(w.data, wanted_add, sizeof(wanted_add));
	assert_int_equal(wire_region_add_decode(w.data, w.size, &back, NULL), 0);
	assert_int_equal(back.bytes, region.bytes);
	assert_int_equal(back.uses, region.uses);
	assert_int_equal(wire_region_add_decode(w.data, w.size - 1, &back, NULL), -EPROTO);
	w.data[8] = 0;
	assert_int_equal(wire_region_add_decode(w.data, w.size, &back, NULL), -EPROTO);
	w.data[8] = 4;
	assert_int_equal(wire_region_add_decode(w.data, w.size, &back, NULL), -EPROTO);
	w.size = 0;
	wire_region_encode(&w, 7);
	assert_int_equal(w.size, sizeof(wanted_number));
	assert_memory_equal(w.data, wanted_number, sizeof(wanted_number));
	assert_int_equal(wire_region_decode(w.data, w.size, WIRE_REGION_REMOVE, &number, NULL), 0);
	assert_int_equal(number, 7);
	w.data[0] = 0;
	assert_int_equal(
		wire_region_decode(w.data, w.size, WIRE_REGION_REMOVE, &number, NULL), -EPROTO);
	bytes_writer_deinit(&w);
}

static void only_an_infer_may_have_tensors_in_regions(void **state)
{
	(void)state;
	uint8_t bytes[WIRE_HEADER_BYTES];
	struct wire_header header = {.type = WIRE_INFER, .flags = WIRE_FLAG_REGIONS}, back;
	wire_header_encode(&header, bytes);
	assert_int_equal(wire_header_decode(bytes, &back, NULL), 0);
	assert_int_equal(back.flags, WIRE_FLAG_REGIONS);
	header.type |= WIRE_REPLY;
	wire_header_encode(&header, bytes);
	assert_int_equal(wire_header_decode(bytes, &back, NULL), 0);
	header.type = WIRE_DESCRIBE;
	wire_header_encode(&header, bytes);
	assert_int_equal(wire_header_decode(bytes, &back, NULL), -EPROTO);
	header = (struct wire_header){.type = WIRE_INFER, .flags = 16};
	wire_header_encode(&header, bytes);
	assert_int_equal(wire_header_decode(bytes, &back, NULL), -EPROTO);
}

/* The first input lies in a region, the second in the body. */
static void infer_fill_regions(struct wire_infer *infer)
{
	*infer = (struct wire_infer){.regions = true,
		.model = wire_text_of("echo"),
		.n_inputs = 2,
		.n_wanted = 1,
		.wanted = {1},
		.n_places = 1,
		.inputs = {{.type = DTYPE_UINT8,
				   .shape = {1, {3}},
				   .bytes = 3,
				   .region = 5,
				   .offset = 128},
			{.index = 1, .type = DTYPE_INT8, .bytes = 1, .data = "x"}}};
	infer->places[0] =
		(struct wire_place){.output = 1, .region = 6, .offset = 64, .room = 1000};
}

static void tensors_in_regions_are_left_out_of_the_body(void **state)
{
	(void)state;
	static struct wire_infer infer, back;
	struct bytes_writer w = {0}, head = {0};
	infer_fill_regions(&infer);
	wire_infer_encode(&w, &infer);
	wire_infer_encode_head(&head, &infer);
	assert_int_equal(w.size, bytes_align_up(head.size, WIRE_ALIGNMENT) + 1);
	assert_int_equal(wire_infer_decode(w.data, w.size, WIRE_FLAG_REGIONS, &back, NULL), 0);
	assert_true(back.regions);
	assert_int_equal(back.inputs[0].region, 5);
	assert_int_equal(back.inputs[0].offset, 128);
	assert_null(back.inputs[0].data);
	assert_int_equal(back.inputs[1].region, 0);
	assert_ptr_equal((const uint8_t *)back.inputs[1].data + 1, w.data + w.size);
	assert_int_equal(back.n_places, 1);
	assert_int_equal(back.places[0].output, 1);
	assert_int_equal(back.places[0].region, 6);
	assert_int_equal(back.places[0].offset, 64);
	assert_int_equal(back.places[0].room, 1000);
	assert_int_equal(wire_infer_decode_head(w.data, head.size, (uint32_t)w.size,
				 WIRE_FLAG_REGIONS, &back, NULL),
		0);
	for (size_t size = 0; size < head.size; size++) { /* more may come */
		assert_int_equal(wire_infer_decode_head(w.data, size, (uint32_t)w.size,
					 WIRE_FLAG_REGIONS, &back, NULL),
			-EAGAIN);
	}
	for (size_t size = 0; size < w.size; size++) {
		assert_int_equal(
			wire_infer_decode(w.data, size, WIRE_FLAG_REGIONS, &back, NULL), -EPROTO);
	}
	assert_int_equal(wire_infer_decode(w.data, w.size, 0, &back, NULL), -EPROTO);
	bytes_writer_deinit(&w);
	bytes_writer_deinit(&head);
}

/* The number of places is the last field of such a head. */
static void a_head_without_inputs_is_waited_for(void **state)
{
	(void)state;
	static struct wire_infer infer, back;
	struct bytes_writer w = {0};
	infer = (struct wire_infer){.regions = true, .model = wire_text_of("m")};
	wire_infer_encode(&w, &infer);
	for (size_t size = 0; size < w.size; size++) {
		assert_int_equal(wire_infer_decode_head(w.data, size, (uint32_t)w.size,
					 WIRE_FLAG_REGIONS, &back, NULL),
			-EAGAIN);
	}
	bytes_writer_deinit(&w);
}

static void expect_malformed(const struct wire_infer *infer)
{
	static struct wire_infer back;
	struct bytes_writer w = {0};
	wire_infer_encode(&w, infer);
	assert_int_equal(
		wire_infer_decode(w.data, w.size, WIRE_FLAG_REGIONS, &back, NULL), -EPROTO);
	bytes_writer_deinit(&w);
}

static void places_that_cannot_be_are_refused(void **state)
{
	(void)state;
	static struct wire_infer infer;
	infer_fill_regions(&infer);
	infer.inputs[0].offset = 65;
	expect_malformed(&infer);
	infer_fill_regions(&infer);
	infer.inputs[1].offset = 64; /* of what is in the body */
	expect_malformed(&infer);
	infer_fill_regions(&infer);
	infer.places[0].region = 0;
	expect_malformed(&infer);
	infer_fill_regions(&infer);
	infer.places[0].offset = 8;
	expect_malformed(&infer);
}

static void a_ring_has_its_bytes_in_place(void **state)
{
	static const uint8_t bytes[] = {
		7, 0, 0, 0, 0x40, 0x10, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 4, 0, 0};
	struct bytes_writer w = {0};
	const struct wire_ring ring = {
		.region = 7, .offset = 0x1040, .slots = 4, .slot_bytes = 1024};
	struct wire_ring back = {0};
	(void)state;
	wire_ring_encode(&w, &ring);
	assert_int_equal(w.size, sizeof(bytes));
	assert_memory_equal(w.data, bytes, sizeof(bytes));
	assert_int_equal(wire_ring_decode(w.data, w.size, &back, NULL), 0);
	assert_int_equal(back.region, 7);
	assert_int_equal(back.offset, 0x1040);
	assert_int_equal(back.slots, 4);
	assert_int_equal(back.slot_bytes, 1024);
	assert_int_equal(wire_ring_bytes(&ring), 128 + 8 * 1024);
	assert_int_equal(wire_ring_request_at(&ring, 5), 128 + 1024);
	assert_int_equal(wire_ring_reply_at(&ring, UINT32_MAX), 128 + 7 * 1024);
	for (size_t n = 0; n < w.size; n++) {
		assert_int_equal(wire_ring_decode(w.data, n, &back, NULL), -EPROTO);
	}
	bytes_writer_deinit(&w);
}

static void what_is_no_ring_is_refused(void **state)
{
	const struct wire_ring bad[] = {
		{.region = 0, .slots = 1, .slot_bytes = 256},
		{.region = 1, .offset = 32, .slots = 1, .slot_bytes = 256},
		{.region = 1, .slots = 0, .slot_bytes = 256},
		{.region = 1, .slots = 6, .slot_bytes = 256},
		{.region = 1, .slots = 128, .slot_bytes = 256},
		{.region = 1, .slots = 1, .slot_bytes = 192},
		{.region = 1, .slots = 1, .slot_bytes = 320 + 32},
		{.region = 1, .slots = 1, .slot_bytes = 65536 + 64},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bytes_writer w = {0};
		struct wire_ring back;
		wire_ring_encode(&w, &bad[i]);
		assert_int_equal(wire_ring_decode(w.data, w.size, &back, NULL), -EPROTO);
		bytes_writer_deinit(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(region_messages_have_their_bytes_in_place),
		cmocka_unit_test(a_ring_has_its_bytes_in_place),
		cmocka_unit_test(what_is_no_ring_is_refused),
		cmocka_unit_test(only_an_infer_may_have_tensors_in_regions),
		cmocka_unit_test(tensors_in_regions_are_left_out_of_the_body),
		cmocka_unit_test(a_head_without_inputs_is_waited_for),
		cmocka_unit_test(places_that_cannot_be_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
