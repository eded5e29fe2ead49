/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operators_page - prints docs/operators.md from the operator table
 *
 *   operators_page HEAD
 *
 * HEAD is the page's beginning (docs/operators.head.md). Fails where tests/lint/op_notes.h lacks a
 * row of the table, or has one that the table has not.
 */
#include <stdio.h>
#include <string.h>

#include "engine/operators.h"
#include "engine/plan/cost.h"
#include "engine/plan/opinfo.h"

struct note {
	uint16_t op;
	const char *types, *text;
};

static const struct note notes[] = {
#define NOTE(name, types, text) {OP_##name, types, text},
#include "tests/lint/op_notes.h"
#undef NOTE
};

#define N_NOTES (sizeof(notes) / sizeof(notes[0]))

static const struct note *find_note(unsigned int op)
{
	for (size_t i = 0; i < N_NOTES; i++) {
		if (notes[i].op == op) {
			return &notes[i];
		}
	}
	return NULL;
}

static int print_head(const char *path)
{
	char line[4096];
	FILE *head = fopen(path, "re");
	if (!head) {
		perror(path);
		return -1;
	}
	while (fgets(line, sizeof(line), head)) {
		fputs(line, stdout);
	}
	return fclose(head);
}

static void print_count(unsigned int min, unsigned int max)
{
	if (max == OPINFO_ANY_NUMBER) {
		printf("%u or more", min);
	} else if (min == max) {
		printf("%u", min);
	} else {
		printf("%u to %u", min, max);
	}
}

static int print_row(const struct op_row *row)
{
	const struct note *note = find_note(row->op);
	if (!note) {
		fprintf(stderr, "tests/lint/op_notes.h has no NOTE for %s\n",
			operators_name(row->op));
		return -1;
	}
	printf("| %s | 1", operators_name(row->op));
	if (row->max_version > 1) {
		printf(" to %u", row->max_version);
	}
	printf(" | ");
	print_count(row->min_inputs, row->max_inputs);
	printf(" | ");
	print_count(row->min_outputs, row->max_outputs);
	printf(" | %s | %s | %s |\n", note->types,
		row->flags & OPINFO_SESSION ? "session" : cost_class_name(row->op), note->text);
	return 0;
}

/* Notes of operators that are not there would promise what edged refuses. */
static int check_notes(void)
{
	for (size_t i = 0; i < N_NOTES; i++) {
		const struct node node = {.op = notes[i].op};
		if (!opinfo_find(&node)) {
			fprintf(stderr, "engine/plan/op_rows.h has no ROW for %s\n",
				operators_name(notes[i].op));
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t n = 0;
	const struct op_row *rows = opinfo_rows(&n);
	if (argc != 2 || print_head(argv[1]) < 0 || check_notes() < 0) {
		return 1;
	}
	printf("| operator | versions | inputs | outputs | types | cost | notes |\n"
	       "| --- | --- | --- | --- | --- | --- | --- |\n");
	for (uint32_t i = 0; i < n; i++) {
		if (print_row(&rows[i]) < 0) {
			return 1;
		}
	}
	printf("\n%u operators.\n", n);
	return fflush(stdout) == 0 ? 0 : 1;
}
