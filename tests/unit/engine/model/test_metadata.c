/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/model/model.h"
#include "engine/model/schema.h"
#include "engine/model/zip.h"
#include "tests/fakes/fake_model.h"
#include "tests/fakes/flatbuffer_writer.h"

/* A table with a 4-byte field in each slot whose bit is set, a 1-byte field in @byte_slot. */
static uint32_t table_of(struct bytes_writer *out, uint32_t slots, int byte_slot)
{
	uint8_t widths[16] = {0};
	for (int i = 0; i < 16; i++) {
		widths[i] = i == byte_slot ? 1 : slots >> i & 1 ? 4 : 0;
	}
	return flat_writer_table(out, widths, 16);
}

/* A vector of one table. */
static void link_list(struct bytes_writer *out, uint32_t table, uint32_t slot, uint32_t *ret_list)
{
	*ret_list = flat_writer_vector(out, NULL, 1, 4);
	flat_writer_link(out, table, slot, *ret_list);
}

static void link_text(struct bytes_writer *out, uint32_t table, uint32_t slot, const char *text)
{
	flat_writer_link(out, table, slot, flat_writer_string(out, text));
}

static uint32_t write_unit(struct bytes_writer *out)
{
	static const float mean[1] = {127.5f}, std[1] = {2};
	uint32_t unit =
		table_of(out, 1u << SLOT(PROCESS_UNIT, options), SLOT(PROCESS_UNIT, options_type));
	flat_writer_set(out, unit, SLOT(PROCESS_UNIT, options_type), PROCESS_UNIT_NORMALIZATION, 1);
	uint32_t options = table_of(out, 3, -1);
	flat_writer_link(out, unit, SLOT(PROCESS_UNIT, options), options);
	flat_writer_link(out, options, SLOT(NORMALIZATION_OPTIONS, mean),
		flat_writer_vector(out, mean, 1, 4));
	flat_writer_link(
		out, options, SLOT(NORMALIZATION_OPTIONS, std), flat_writer_vector(out, std, 1, 4));
	return unit;
}

static uint32_t write_input(struct bytes_writer *out)
{
	uint32_t list = 0;
	uint32_t input = table_of(out,
		1u << SLOT(TENSOR_METADATA, name) | 1u << SLOT(TENSOR_METADATA, content) |
			1u << SLOT(TENSOR_METADATA, process_units),
		-1);
	link_text(out, input, SLOT(TENSOR_METADATA, name), "image");
	uint32_t content = table_of(out, 1u << SLOT(CONTENT, content_properties),
		SLOT(CONTENT, content_properties_type));
	flat_writer_link(out, input, SLOT(TENSOR_METADATA, content), content);
	flat_writer_set(out, content, SLOT(CONTENT, content_properties_type), CONTENT_IMAGE, 1);
	uint32_t image = table_of(out, 0, SLOT(IMAGE_PROPERTIES, color_space));
	flat_writer_link(out, content, SLOT(CONTENT, content_properties), image);
	flat_writer_set(out, image, SLOT(IMAGE_PROPERTIES, color_space), 2, 1);
	link_list(out, input, SLOT(TENSOR_METADATA, process_units), &list);
	flat_writer_link_element(out, list, 0, write_unit(out));
	return input;
}

static uint32_t write_output(struct bytes_writer *out)
{
	uint32_t list = 0;
	uint32_t output = table_of(out, 1u << SLOT(TENSOR_METADATA, associated_files), -1);
	link_list(out, output, SLOT(TENSOR_METADATA, associated_files), &list);
	uint32_t file =
		table_of(out, 1u << SLOT(ASSOCIATED_FILE, name), SLOT(ASSOCIATED_FILE, type));
	flat_writer_link_element(out, list, 0, file);
	flat_writer_set(out, file, SLOT(ASSOCIATED_FILE, type), ASSOCIATED_FILE_AXIS_LABELS, 1);
	link_text(out, file, SLOT(ASSOCIATED_FILE, name), "labels.txt");
	return output;
}

static struct bytes_writer write_metadata(void)
{
	struct bytes_writer out = {0};
	uint32_t list = 0;
	flat_writer_start(&out, "M001");
	uint32_t root = table_of(&out,
		1u << SLOT(MODEL_METADATA, name) | 1u << SLOT(MODEL_METADATA, subgraph_metadata),
		-1);
	flat_writer_root(&out, root);
	link_text(&out, root, SLOT(MODEL_METADATA, name), "Looker");
	link_list(&out, root, SLOT(MODEL_METADATA, subgraph_metadata), &list);
	uint32_t subgraph = table_of(&out,
		1u << SLOT(SUBGRAPH_METADATA, input_tensor_metadata) |
			1u << SLOT(SUBGRAPH_METADATA, output_tensor_metadata),
		-1);
	flat_writer_link_element(&out, list, 0, subgraph);
	link_list(&out, subgraph, SLOT(SUBGRAPH_METADATA, input_tensor_metadata), &list);
	flat_writer_link_element(&out, list, 0, write_input(&out));
	link_list(&out, subgraph, SLOT(SUBGRAPH_METADATA, output_tensor_metadata), &list);
	flat_writer_link_element(&out, list, 0, write_output(&out));
	return out;
}

static void write_lengths(struct bytes_writer *out, const char *name)
{
	bytes_write_u16(out, (uint16_t)strlen(name));
	bytes_write_u16(out, 0);
}

/* Appends an archive of one stored file; offsets count from the start of @out. */
static void append_zip(struct bytes_writer *out, const char *name, const char *content)
{
	uint32_t size = (uint32_t)strlen(content), local = (uint32_t)out->size;
	const uint32_t sizes[3] = {0, size, size}; /* no checksum is looked at */
	bytes_write(out, "PK\3\4\24\0\0\0\0\0\0\0\0\0", 14);
	bytes_write(out, sizes, sizeof(sizes));
	write_lengths(out, name);
	bytes_write(out, name, strlen(name));
	bytes_write(out, content, size);
	uint32_t central = (uint32_t)out->size;
	bytes_write(out, "PK\1\2\24\0\24\0\0\0\0\0\0\0\0\0", 16);
	bytes_write(out, sizes, sizeof(sizes));
	write_lengths(out, name);
	bytes_reserve(out, 10);
	bytes_write_u32(out, local);
	bytes_write(out, name, strlen(name));
	uint32_t end = (uint32_t)out->size;
	bytes_write(out, "PK\5\6\0\0\0\0\1\0\1\0", 12);
	bytes_write_u32(out, end - central);
	bytes_write_u32(out, central);
	bytes_write_u16(out, 0);
}

/* fake_model_add() with @metadata in buffer 2 and an archive behind it. */
static struct bytes_writer write_model(const struct bytes_writer *metadata)
{
	owned_mem struct fake_model *m = fake_model_new();
	m->n_buffers = 3;
	m->buffers[2] =
		(struct fake_buffer){.data = metadata->data, .size = (uint32_t)metadata->size};
	m->metadata_name = "TFLITE_METADATA";
	m->metadata_buffer = 2;
	struct bytes_writer file = fake_model_write(m);
	append_zip(&file, "labels.txt", "cat\ndog\n");
	return file;
}

static void assert_text(struct text text, const char *wanted)
{
	assert_int_equal(text.length, strlen(wanted));
	assert_memory_equal(text.data, wanted, text.length);
}

static void metadata_tells_names_normalisation_and_labels(void **state)
{
	(void)state;
	struct bytes_writer metadata = write_metadata(), file = write_model(&metadata);
	struct model *model = NULL;
	assert_int_equal(model_open_bytes(file.data, file.size, NULL, &model, NULL), 0);
	const struct model_metadata *m = model_get_metadata(model);
	assert_text(m->name, "Looker");
	assert_int_equal(m->description.length, 0);
	assert_int_equal(m->n_inputs, 1);
	assert_int_equal(m->n_outputs, 1);
	assert_text(m->inputs[0].name, "image");
	assert_true(m->inputs[0].has_content);
	assert_int_equal(m->inputs[0].content, CONTENT_IMAGE);
	assert_int_equal(m->inputs[0].colour_space, 2);
	assert_int_equal(m->inputs[0].n_mean, 1);
	assert_true(m->inputs[0].mean[0] == 127.5f);
	assert_true(m->inputs[0].std[0] == 2);
	assert_true(isnan(m->inputs[0].score_threshold));
	assert_text(m->outputs[0].labels, "cat\ndog\n");
	assert_false(m->outputs[0].has_content);
	model_free(model);
	bytes_writer_deinit(&file);
	bytes_writer_deinit(&metadata);
}

static bool lies_in(const struct bytes_writer *file, const void *data)
{
	return (const uint8_t *)data >= file->data &&
		(const uint8_t *)data < file->data + file->size;
}

static void what_callers_are_told_is_no_part_of_the_file(void **state)
{
	(void)state;
	struct bytes_writer metadata = write_metadata(), file = write_model(&metadata);
	struct model *model = NULL;
	assert_int_equal(model_open_bytes(file.data, file.size, NULL, &model, NULL), 0);
	const struct model_metadata *m = model_get_metadata(model);
	const struct subgraph *s = &model_graph(model)->subgraphs[0];
	assert_false(lies_in(&file, m->name.data));
	assert_false(lies_in(&file, m->inputs[0].name.data));
	assert_false(lies_in(&file, m->inputs[0].mean));
	assert_false(lies_in(&file, m->outputs[0].labels.data));
	assert_false(lies_in(&file, s->tensors[s->inputs[0]].name.data));
	assert_false(lies_in(&file, s->tensors[s->outputs[0]].name.data));
	model_free(model);
	bytes_writer_deinit(&file);
	bytes_writer_deinit(&metadata);
}

static void metadata_that_is_broken_is_no_metadata(void **state)
{
	(void)state;
	struct bytes_writer metadata = write_metadata();
	uint32_t accepted = 0;
	for (size_t i = 0; i < metadata.size; i++) {
		metadata.data[i] ^= 0x80;
		struct bytes_writer file = write_model(&metadata);
		struct model *model = NULL;
		struct error err = {0};
		if (model_open_bytes(file.data, file.size, NULL, &model, &err) < 0) {
			fail_msg("byte %zu: %s", i, err.text);
		}
		accepted += model_get_metadata(model)->n_inputs != 0;
		model_free(model);
		bytes_writer_deinit(&file);
		metadata.data[i] ^= 0x80;
	}
	assert_in_range(accepted, 1, metadata.size - 1);
	bytes_writer_deinit(&metadata);
}

static void metadata_is_empty_without_a_buffer(void **state)
{
	(void)state;
	owned_mem struct fake_model *fake = fake_model_new();
	struct bytes_writer file = fake_model_write(fake);
	struct model *model = NULL;
	assert_int_equal(model_open_bytes(file.data, file.size, NULL, &model, NULL), 0);
	assert_int_equal(model_get_metadata(model)->n_inputs, 0);
	assert_int_equal(model_get_metadata(model)->name.length, 0);
	model_free(model);
	bytes_writer_deinit(&file);
}

static struct text text_of(const char *s)
{
	return (struct text){s, (uint32_t)strlen(s)};
}

static void zip_finds_an_archive_behind_other_bytes(void **state)
{
	(void)state;
	struct bytes_writer out = {0};
	struct zip zip;
	bytes_reserve(&out, 100);
	assert_int_equal(zip_open(out.data, (uint32_t)out.size, &zip), -ENOENT);
	append_zip(&out, "a.txt", "hello");
	assert_int_equal(zip_open(out.data, (uint32_t)out.size, &zip), 0);
	assert_int_equal(zip.n_entries, 1);
	assert_non_null(zip_find(&zip, text_of("a.txt")));
	assert_text(zip_find(&zip, text_of("a.txt"))->content, "hello");
	assert_null(zip_find(&zip, text_of("b.txt")));
	/* Offsets from the archive's own start are understood too. */
	assert_int_equal(zip_open(out.data + 100, (uint32_t)out.size - 100, &zip), -EBADMSG);
	struct bytes_writer own = {0}, moved = {0};
	append_zip(&own, "a.txt", "hello");
	bytes_reserve(&moved, 64);
	bytes_write(&moved, own.data, own.size);
	assert_int_equal(zip_open(moved.data, (uint32_t)moved.size, &zip), 0);
	assert_text(zip_find(&zip, text_of("a.txt"))->content, "hello");
	bytes_writer_deinit(&own);
	bytes_writer_deinit(&moved);
	bytes_writer_deinit(&out);
}

static void zip_hides_what_is_compressed(void **state)
{
	(void)state;
	struct bytes_writer out = {0};
	struct zip zip;
	append_zip(&out, "a.txt", "hello");
	out.data[30 + 5 + 5 + 10] = 8; /* method of the central entry: deflated */
	assert_int_equal(zip_open(out.data, (uint32_t)out.size, &zip), 0);
	assert_null(zip_find(&zip, text_of("a.txt"))->content.data);
	bytes_writer_deinit(&out);
}

/* One byte more than was stored would be the first byte of the directory. */
static void zip_refuses_contents_that_reach_into_the_directory(void **state)
{
	(void)state;
	struct bytes_writer out = {0};
	struct zip zip = {0};
	append_zip(&out, "a.txt", "hello");
	uint8_t *central = out.data + 30 + strlen("a.txt") + strlen("hello");
	central[20]++;
	central[24]++;
	assert_int_equal(zip_open(out.data, (uint32_t)out.size, &zip), -EBADMSG);
	bytes_writer_deinit(&out);
}

/* Any byte may be anything: all that an entry points at stays in the file, which the sanitizer and
 * the reads below see to. */
static void zip_stays_in_bounds_whatever_it_says(void **state)
{
	(void)state;
	struct bytes_writer out = {0};
	append_zip(&out, "a.txt", "hello");
	for (size_t i = 0; i < out.size; i++) {
		for (int value = 0; value < 256; value += 51) {
			struct zip zip = {0};
			uint8_t *copy = malloc(out.size);
			assert_non_null(copy);
			memcpy(copy, out.data, out.size);
			copy[i] = (uint8_t)value;
			if (zip_open(copy, (uint32_t)out.size, &zip) == 0 && zip.n_entries) {
				const struct text *t = &zip.entries[0].content;
				assert_true(!t->data ||
					((const uint8_t *)t->data >= copy &&
						(const uint8_t *)t->data + t->length <=
							copy + out.size));
			}
			free(copy);
		}
	}
	bytes_writer_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_tells_names_normalisation_and_labels),
		cmocka_unit_test(what_callers_are_told_is_no_part_of_the_file),
		cmocka_unit_test(metadata_that_is_broken_is_no_metadata),
		cmocka_unit_test(metadata_is_empty_without_a_buffer),
		cmocka_unit_test(zip_finds_an_archive_behind_other_bytes),
		cmocka_unit_test(zip_hides_what_is_compressed),
		cmocka_unit_test(zip_refuses_contents_that_reach_into_the_directory),
		cmocka_unit_test(zip_stays_in_bounds_whatever_it_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
