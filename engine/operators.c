/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/operators.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char *const names[OP_COUNT] = {
#define OPERATOR(name, number, options) [number] = #name,
#define CUSTOM_OPERATOR(name, text)
#include "engine/operators_list.h"
};

static const char *const custom_names[OP_CUSTOM_END - OP_CUSTOM_FIRST] = {
#define OPERATOR(name, number, options)
#define CUSTOM_OPERATOR(name, text) text,
#include "engine/operators_list.h"
};

/* Other names of the same operators. */
static const struct {
	const char *name;
	uint16_t op;
} aliases[] = {
	{"LiteRtMaxUnpooling2D", OP_MAX_UNPOOLING_2D},
	{"MaxPoolWithArgmax", OP_MAX_POOLING_WITH_ARGMAX_2D},
};

/* Custom operators that no CPU runs, as the tools that write them call them: Google's Edge TPU
 * compiler, Arm's Vela, NXP's Neutron converter, VeriSilicon's TIM-VX delegate, LiteRT's compiler
 * plugins. */
static const struct {
	const char *name, *need;
} foreign[] = {
	{"edgetpu-custom-op", "compiled for an Edge TPU; needs the edgetpu delegate"},
	{"ethos-u", "compiled for an Arm Ethos-U NPU; needs that NPU and its driver"},
	{"NeutronGraph", "compiled for an NXP Neutron NPU; needs the Neutron delegate"},
	{"vsi-npu", "compiled for a VeriSilicon NPU; needs the VX delegate"},
	{"DISPATCH_OP", "compiled for an NPU by LiteRT; needs the NPU vendor's dispatch library"},
};

#define FLEX "Flex"

static bool name_is(const char *known, const char *name, size_t length)
{
	return strlen(known) == length && memcmp(known, name, length) == 0;
}

const char *operators_name(unsigned int op)
{
	if (op >= OP_CUSTOM_FIRST && op < OP_CUSTOM_END) {
		return custom_names[op - OP_CUSTOM_FIRST];
	}
	return op < OP_COUNT && names[op] ? names[op] : "UNKNOWN";
}

unsigned int operators_find_custom(const char *name, size_t length)
{
	for (unsigned int i = 0; i < OP_CUSTOM_END - OP_CUSTOM_FIRST; i++) {
		if (name_is(custom_names[i], name, length)) {
			return OP_CUSTOM_FIRST + i;
		}
	}
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (name_is(aliases[i].name, name, length)) {
			return aliases[i].op;
		}
	}
	return OP_CUSTOM;
}

const char *operators_custom_need(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (name_is(foreign[i].name, name, length)) {
			return foreign[i].need;
		}
	}
	return length > strlen(FLEX) && memcmp(name, FLEX, strlen(FLEX)) == 0
		? "an operator of TensorFlow itself; convert the model without Select TF ops"
		: NULL;
}

/* Newest version that the reference resolver has where the default one has more; 0: none at all. */
static const struct {
	uint8_t op, version;
} newest_in_reference[] = {
	{OP_ADD, 5},
	{OP_DEPTHWISE_CONV_2D, 6},
	{OP_DEPTH_TO_SPACE, 1},
	{OP_MUL, 7},
	{OP_SOFTMAX, 3},
	{OP_TRANSPOSE, 8},
	{OP_SQUEEZE, 1},
	{OP_UNIDIRECTIONAL_SEQUENCE_LSTM, 3},
	{OP_STRIDED_SLICE, 4},
	{OP_ARG_MAX, 2},
	{OP_SIN, 1},
	{OP_TILE, 2},
	{OP_ARG_MIN, 2},
	{OP_RANGE, 1},
	{OP_ABS, 3},
	{OP_CEIL, 0},
	{OP_COS, 1},
	{OP_ELU, 0},
	{OP_ROUND, 0},
	{OP_SEGMENT_SUM, 0},
	{OP_HASHTABLE, 0},
	{OP_HASHTABLE_FIND, 0},
	{OP_HASHTABLE_IMPORT, 0},
	{OP_HASHTABLE_SIZE, 0},
	{OP_GELU, 2},
	{OP_STABLEHLO_AND, 0},
	{OP_STABLEHLO_SHIFT_LEFT, 0},
};

bool operators_in_reference(unsigned int op, unsigned int version)
{
	const size_t n = sizeof(newest_in_reference) / sizeof(newest_in_reference[0]);
	for (size_t i = 0; i < n; i++) {
		if (newest_in_reference[i].op == op) {
			return version <= newest_in_reference[i].version;
		}
	}
	return true;
}
