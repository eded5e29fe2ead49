/* SPDX-License-Identifier: Apache-2.0 */
/* op_table - the rows of cpu.c's table: OP_ROW(name) declares op_<name>, which stands in the
 * op_*.c file of its operator. Sorted; included twice, by cpu.c only. */
OP_ROW(average_pool_2d)
OP_ROW(conv_2d)
OP_ROW(depthwise_conv_2d)
OP_ROW(fully_connected)
OP_ROW(max_pool_2d)
OP_ROW(svdf)
OP_ROW(unidirectional_sequence_lstm)
