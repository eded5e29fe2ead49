/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_rows - the rows of the operator table, sorted
 *
 * ROW(operator, newest version, inputs from, to, outputs from, to, optional inputs, parameter
 * inputs, options table, flags, rule): the fields of struct op_row (engine/plan/opinfo.h). Included
 * by rule.h, for the rules' declarations, and by opinfo.c. Versions: LiteRT
 * tflite/core/kernels/register.cc. Custom operators stand at the end.
 */
/* clang-format off */
ROW(ADD, 5, 2, 2, 1, 1, 0, 0, ADD, 0, rule_add)
ROW(ARG_MAX, 3, 2, 2, 1, 1, 0, BIT(1), ARG_MAX, NEEDS_OPTIONS, rule_arg)
ROW(ARG_MIN, 3, 2, 2, 1, 1, 0, BIT(1), ARG_MIN, NEEDS_OPTIONS, rule_arg)
ROW(AVERAGE_POOL_2D, 3, 1, 1, 1, 1, 0, 0, POOL_2D, NEEDS_OPTIONS, rule_pool)
ROW(BIDIRECTIONAL_SEQUENCE_LSTM, 3, 48, 48, 1, 2, OPTIONAL_LSTM_TWO_WAYS, 0, BIDIRECTIONAL_SEQUENCE_LSTM, NEEDS_OPTIONS, rule_bidirectional_lstm)
ROW(BIDIRECTIONAL_SEQUENCE_RNN, 3, 12, 12, 1, 2, OPTIONAL_RNN_TWO_WAYS, 0, BIDIRECTIONAL_SEQUENCE_RNN, NEEDS_OPTIONS, rule_bidirectional_rnn)
ROW(CONCATENATION, 5, 1, ANY, 1, 1, 0, 0, CONCATENATION, NEEDS_OPTIONS, rule_concatenation)
ROW(CONV_2D, 8, 3, 3, 1, 1, 0, 0, CONV_2D, NEEDS_OPTIONS, rule_conv)
ROW(DEPTHWISE_CONV_2D, 7, 2, 3, 1, 1, BIT(2), 0, DEPTHWISE_CONV_2D, NEEDS_OPTIONS, rule_depthwise)
ROW(DEQUANTIZE, 8, 1, 1, 1, 1, 0, 0, NONE, 0, rule_dequantize)
ROW(EXPAND_DIMS, 1, 2, 2, 1, 1, 0, BIT(1), NONE, 0, rule_expand_dims)
ROW(FULLY_CONNECTED, 14, 2, 3, 1, 1, BIT(2), 0, FULLY_CONNECTED, 0, rule_fully_connected)
ROW(LOGISTIC, 3, 1, 1, 1, 1, 0, 0, NONE, 0, rule_logistic)
ROW(LSTM, 4, 5, 24, 1, 4, OPTIONAL_LSTM, 0, LSTM, NEEDS_OPTIONS, rule_lstm)
ROW(MAX_POOL_2D, 3, 1, 1, 1, 1, 0, 0, POOL_2D, NEEDS_OPTIONS, rule_pool)
ROW(MEAN, 3, 2, 2, 1, 1, 0, BIT(1), REDUCER, 0, rule_reduce)
ROW(MUL, 7, 2, 2, 1, 1, 0, 0, MUL, 0, rule_mul)
ROW(PAD, 5, 2, 2, 1, 1, 0, BIT(1), NONE, 0, rule_pad)
ROW(PADV2, 5, 3, 3, 1, 1, 0, BIT(1), NONE, 0, rule_pad)
ROW(QUANTIZE, 5, 1, 1, 1, 1, 0, 0, NONE, 0, rule_quantize)
ROW(RELU, 3, 1, 1, 1, 1, 0, 0, NONE, 0, rule_relu)
ROW(RELU6, 3, 1, 1, 1, 1, 0, 0, NONE, 0, rule_relu)
ROW(RELU_0_TO_1, 1, 1, 1, 1, 1, 0, 0, NONE, 0, rule_relu)
ROW(RELU_N1_TO_1, 1, 1, 1, 1, 1, 0, 0, NONE, 0, rule_relu)
ROW(RESHAPE, 1, 1, 2, 1, 1, BIT(1), BIT(1), RESHAPE, 0, rule_reshape)
ROW(RESIZE_BILINEAR, 4, 2, 2, 1, 1, 0, BIT(1), RESIZE_BILINEAR, 0, rule_resize)
ROW(RNN, 3, 5, 5, 1, 1, 0, 0, RNN, NEEDS_OPTIONS, rule_rnn)
ROW(SOFTMAX, 3, 1, 1, 1, 1, 0, 0, SOFTMAX, NEEDS_OPTIONS, rule_softmax)
ROW(SPLIT, 4, 2, 2, 1, ANY, 0, BIT(0), SPLIT, NEEDS_OPTIONS, rule_split)
ROW(SPLIT_V, 2, 3, 3, 1, ANY, 0, BIT(1) | BIT(2), SPLIT_V, NEEDS_OPTIONS, rule_split_v)
ROW(SQUEEZE, 2, 1, 1, 1, 1, 0, 0, SQUEEZE, 0, rule_squeeze)
ROW(SUB, 5, 2, 2, 1, 1, 0, 0, SUB, 0, rule_add)
ROW(SUM, 2, 2, 2, 1, 1, 0, BIT(1), REDUCER, 0, rule_reduce)
ROW(SVDF, 4, 5, 5, 1, 1, BIT(3), 0, SVDF, NEEDS_OPTIONS, rule_svdf)
ROW(TANH, 3, 1, 1, 1, 1, 0, 0, NONE, 0, rule_tanh)
ROW(TRANSPOSE, 7, 2, 2, 1, 1, 0, BIT(1), NONE, 0, rule_transpose)
ROW(UNIDIRECTIONAL_SEQUENCE_LSTM, 4, 20, 24, 1, 1, OPTIONAL_LSTM, 0, UNIDIRECTIONAL_SEQUENCE_LSTM, NEEDS_OPTIONS, rule_sequence_lstm)
ROW(UNIDIRECTIONAL_SEQUENCE_RNN, 3, 5, 5, 1, 1, 0, 0, SEQUENCE_RNN, NEEDS_OPTIONS, rule_rnn)
/* clang-format on */
