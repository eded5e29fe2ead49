/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count_insns - a plugin of qemu-user that counts the instructions of a program for Arm
 *
 * tests/kernels/count compiles and loads it. Between every two marks (kernel_check.c has the instruction) it
 * counts what was executed and writes "marks N"; at the end "function N NAME" for all of them.
 *
 * Debian ships no qemu-plugin.h: what is used of version 1 of the interface is declared here.
 * Source: https://www.qemu.org/docs/master/devel/tcg-plugins.html
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define FUNCTIONS 16384

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
enum {
	INLINE_ADD_U64 = 0,
	NO_REGISTERS = 0
};

void qemu_plugin_register_vcpu_tb_trans_cb(
	qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_atexit_cb(
	qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, void *), void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(
	struct qemu_plugin_insn *insn, int op, void *counter, uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(
	struct qemu_plugin_insn *insn, void (*cb)(unsigned int, void *), int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *insn);
void qemu_plugin_outs(const char *text);

EXPORT int qemu_plugin_version = 1;

/* orr x27, x27, x27; and orr.w r10, r10, r10 in Thumb. */
static const uint8_t marks[][4] = {{0x7b, 0x03, 0x1b, 0xaa}, {0x4a, 0xea, 0x0a, 0x0a}};

static struct function {
	char name[80];
	uint64_t count;
} functions[FUNCTIONS];
static size_t n_functions;
static uint64_t all, at_mark;
static bool inside;

static void say(const char *what, uint64_t n, const char *name)
{
	char line[160];
	snprintf(line, sizeof(line), "%s %" PRIu64 " %.80s\n", what, n, name);
	qemu_plugin_outs(line);
}

static void on_mark(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (inside) {
		say("marks", all - at_mark, "");
	}
	inside = !inside;
	at_mark = all;
}

static bool is_mark(const struct qemu_plugin_insn *insn)
{
	const void *data = qemu_plugin_insn_data(insn);
	return qemu_plugin_insn_size(insn) == 4 &&
		(memcmp(data, marks[0], 4) == 0 || memcmp(data, marks[1], 4) == 0);
}

/* The last one is all that found no room. */
static struct function *function_of(const struct qemu_plugin_insn *insn)
{
	const char *symbol = qemu_plugin_insn_symbol(insn);
	const char *name = symbol ? symbol : "?";
	size_t i = 0;
	while (i < n_functions && strncmp(functions[i].name, name, sizeof(functions[i].name) - 1)) {
		i++;
	}
	if (i == n_functions && n_functions < FUNCTIONS - 1) {
		snprintf(functions[i].name, sizeof(functions[i].name), "%s", name);
		n_functions++;
	}
	return &functions[i];
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t *count = &function_of(insn)->count;
		if (is_mark(insn)) {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, NO_REGISTERS, NULL);
			continue;
		}
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, count, 1);
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &all, 1);
	}
}

static void on_end(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	for (size_t i = 0; i <= n_functions; i++) {
		if (functions[i].count) {
			say("function", functions[i].count, functions[i].name);
		}
	}
}

EXPORT int qemu_plugin_install(
	qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	(void)argc;
	(void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_end, NULL);
	return 0;
}
