/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/opinfo.h"

#include "engine/plan/rules/rule.h"

#define ANY OPINFO_ANY_NUMBER
#define BIT(i) (UINT64_C(1) << (i))
#define NEEDS_OPTIONS OPINFO_NEEDS_OPTIONS
#define STATE OPINFO_STATE
#define SESSION OPINFO_SESSION
#define STRINGS OPINFO_STRINGS
#define RESOURCES OPINFO_RESOURCES
#define SPARSE OPINFO_SPARSE

#define OPTIONAL_LSTM                                                                              \
	(BIT(1) | BIT(5) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(16) | BIT(17) | BIT(20) |    \
		BIT(21) | BIT(22) | BIT(23))

/* As OPTIONAL_LSTM up to 17 for one direction, 17 further on for the other; the second input and its
 * weights. */
#define OPTIONAL_LSTM_TWO_WAYS                                                                     \
	((OPTIONAL_LSTM & (BIT(18) - 1)) | (OPTIONAL_LSTM & (BIT(18) - 1)) << 17 |                 \
		(BIT(48) - BIT(39)))
#define OPTIONAL_RNN_TWO_WAYS (BIT(9) | BIT(10) | BIT(11))

static const struct op_row rows[] = {
#define ROW(name, version, min_in, max_in, min_out, max_out, optional, params, options, flags,     \
	cost, rule)                                                                                \
	{OP_##name, version, min_in, max_in, min_out, max_out, optional, params,                   \
		OPTIONS_##options, flags, COST_##cost, rule},
#include "engine/plan/op_rows.h"
#undef ROW
};

const struct op_row *opinfo_rows(uint32_t *ret_count)
{
	*ret_count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

const struct op_row *opinfo_find(const struct node *node)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].op == node->op) {
			return &rows[i];
		}
	}
	return NULL;
}
