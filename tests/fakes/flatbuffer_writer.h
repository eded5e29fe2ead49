/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flatbuffer_writer - writes FlatBuffers front to back, for tests
 *
 * Parents are written before their children, with room for the offsets, and linked afterwards.
 * Nothing is checked but memory: a test may write what no honest writer would.
 */
#ifndef TESTS_FAKES_FLATBUFFER_WRITER_H
#define TESTS_FAKES_FLATBUFFER_WRITER_H

#include "base/bytes.h"

/* Starts @out with room for the root offset and @identifier. */
void flat_writer_start(struct bytes_writer *out, const char identifier[4]);

/* A table whose field i takes widths[i] bytes (0: left out), all zero. Returns its place. */
uint32_t flat_writer_table(struct bytes_writer *out, const uint8_t *widths, uint32_t n_widths);

/* Sets a field that flat_writer_table() made, of @width bytes. */
void flat_writer_set(
	struct bytes_writer *out, uint32_t table, uint32_t slot, uint64_t value, size_t width);

/* Lets the 4-byte field @slot of @table lead to @target, which stands behind it. */
void flat_writer_link(struct bytes_writer *out, uint32_t table, uint32_t slot, uint32_t target);

/* A vector of @count elements of @width bytes, from @data or zero where that is NULL. Elements are
 * aligned to their width, bytes to 16. Returns its place. */
uint32_t flat_writer_vector(
	struct bytes_writer *out, const void *data, uint32_t count, uint32_t width);

/* Lets element @i of a vector of offsets lead to @target. */
void flat_writer_link_element(
	struct bytes_writer *out, uint32_t vector, uint32_t i, uint32_t target);

uint32_t flat_writer_string(struct bytes_writer *out, const char *text);

/* Lets the root offset lead to @table. */
void flat_writer_root(struct bytes_writer *out, uint32_t table);

#endif
