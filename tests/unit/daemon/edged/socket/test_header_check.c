/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "daemon/edged/socket/header_check.h"

#define ALL (~UINT64_C(0))

static void put(uint8_t *bytes, uint16_t type, uint32_t body_bytes)
{
	const struct wire_header header = {.type = type, .id = 1, .body_bytes = body_bytes};
	wire_header_encode(&header, bytes);
}

static void each_capability_opens_its_types(void **state)
{
	(void)state;
	static const struct {
		uint16_t type;
		uint64_t capability;
	} rows[] = {
		{WIRE_SESSION_OPEN, WIRE_CAP_SESSIONS},
		{WIRE_SESSION_RESET, WIRE_CAP_SESSIONS},
		{WIRE_SESSION_CLOSE, WIRE_CAP_SESSIONS},
		{WIRE_REGION_ADD, WIRE_CAP_SHARED_MEMORY},
		{WIRE_REGION_REMOVE, WIRE_CAP_SHARED_MEMORY},
		{WIRE_STORE, WIRE_CAP_ADMIN},
		{WIRE_STORE_LIST, WIRE_CAP_ADMIN},
		{WIRE_RING_OPEN, WIRE_CAP_RINGS},
		{WIRE_SUBSCRIBE, WIRE_CAP_STREAMS},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(header_check_knows(rows[i].type, 3, rows[i].capability));
		assert_false(header_check_knows(rows[i].type, 3, ALL & ~rows[i].capability));
	}
	assert_true(header_check_knows(WIRE_INFER, 0, 0));
	assert_true(header_check_knows(WIRE_STATS, 3, 0));
	assert_false(header_check_knows(WIRE_STATS, 2, ALL));
	assert_false(header_check_knows(WIRE_EVENT, 3, ALL));
	assert_false(header_check_knows(0, 3, ALL));
	assert_false(header_check_knows(WIRE_TYPE_COUNT, 3, ALL));
}

static void a_header_uses_only_what_hello_agreed_on(void **state)
{
	(void)state;
	struct wire_header header = {.type = WIRE_INFER};
	assert_int_equal(header_check_agreed(&header, 0, 0, NULL), 0);
	header.session = 1;
	assert_int_equal(header_check_agreed(&header, 3, ALL & ~WIRE_CAP_SESSIONS, NULL), -EPROTO);
	assert_int_equal(header_check_agreed(&header, 3, WIRE_CAP_SESSIONS, NULL), 0);
	header = (struct wire_header){.type = WIRE_INFER, .flags = WIRE_FLAG_KEY};
	assert_int_equal(header_check_agreed(&header, 2, ALL, NULL), -EPROTO);
	assert_int_equal(header_check_agreed(&header, 3, 0, NULL), 0);
	header.flags = WIRE_FLAG_REGIONS;
	assert_int_equal(header_check_agreed(&header, 3, 0, NULL), -EPROTO);
	assert_int_equal(header_check_agreed(&header, 2, WIRE_CAP_SHARED_MEMORY, NULL), 0);
}

static void a_slot_holds_an_infer_that_fits(void **state)
{
	(void)state;
	uint8_t bytes[WIRE_HEADER_BYTES];
	struct wire_header header;
	put(bytes, WIRE_INFER, 64 - WIRE_HEADER_BYTES);
	assert_int_equal(header_check_slot(bytes, 64, 3, 0, &header, NULL), 0);
	assert_int_equal(header.body_bytes, 64 - WIRE_HEADER_BYTES);
	put(bytes, WIRE_INFER, 64 - WIRE_HEADER_BYTES + 1);
	assert_int_equal(header_check_slot(bytes, 64, 3, 0, &header, NULL), -EPROTO);
	put(bytes, WIRE_LIST, 0);
	assert_int_equal(header_check_slot(bytes, 64, 3, 0, &header, NULL), -EPROTO);
}

/* Two messages that were read together, and the descriptor that came with them. */
static void a_descriptor_belongs_to_the_first_that_may_have_one(void **state)
{
	(void)state;
	uint8_t bytes[2 * WIRE_HEADER_BYTES + 8];
	memset(bytes, 0, sizeof(bytes));
	put(bytes, WIRE_CANCEL, 8);
	put(bytes + WIRE_HEADER_BYTES + 8, WIRE_STORE, 100);
	assert_true(header_check_fd_follows(bytes, 0, sizeof(bytes)));
	put(bytes + WIRE_HEADER_BYTES + 8, WIRE_LIST, 0);
	assert_false(header_check_fd_follows(bytes, 0, sizeof(bytes)));
	/* the second header is not all there */
	assert_true(header_check_fd_follows(bytes, 0, sizeof(bytes) - 1));
	/* nothing follows the first message */
	assert_false(header_check_fd_follows(bytes, 0, WIRE_HEADER_BYTES + 8));
	/* a length that leads far behind the bytes */
	put(bytes, WIRE_CANCEL, UINT32_MAX);
	assert_false(header_check_fd_follows(bytes, 0, sizeof(bytes)));
}

/* A new type of message is UNDECIDED until it has a line here. */
static void each_type_that_only_reads_is_a_query(void **state)
{
	(void)state;
	enum {
		UNDECIDED,
		QUERY,
		NO_QUERY
	};
	static const int kinds[WIRE_TYPE_COUNT] = {
		[WIRE_HELLO] = NO_QUERY,
		[WIRE_LIST] = QUERY,
		[WIRE_DESCRIBE] = QUERY,
		[WIRE_INFER] = NO_QUERY,
		[WIRE_STATUS] = QUERY,
		[WIRE_CANCEL] = NO_QUERY,
		[WIRE_RELOAD] = NO_QUERY,
		[WIRE_SESSION_OPEN] = NO_QUERY,
		[WIRE_SESSION_RESET] = NO_QUERY,
		[WIRE_SESSION_CLOSE] = NO_QUERY,
		[WIRE_STORE_LIST] = QUERY,
		[WIRE_STORE] = NO_QUERY,
		[WIRE_REGION_ADD] = NO_QUERY,
		[WIRE_REGION_REMOVE] = NO_QUERY,
		[WIRE_SUBSCRIBE] = NO_QUERY,
		[WIRE_EVENT] = NO_QUERY,
		[WIRE_STATS] = QUERY,
		[WIRE_FLIGHT] = QUERY,
		[WIRE_CONFIG] = QUERY,
		[WIRE_RING_OPEN] = NO_QUERY,
		[WIRE_POWER] = QUERY,
	};
	for (uint16_t type = 1; type < WIRE_TYPE_COUNT; type++) {
		assert_int_not_equal(kinds[type], UNDECIDED);
		assert_int_equal(header_check_is_query(type), kinds[type] == QUERY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_capability_opens_its_types),
		cmocka_unit_test(each_type_that_only_reads_is_a_query),
		cmocka_unit_test(a_header_uses_only_what_hello_agreed_on),
		cmocka_unit_test(a_slot_holds_an_infer_that_fits),
		cmocka_unit_test(a_descriptor_belongs_to_the_first_that_may_have_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
