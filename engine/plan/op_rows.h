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
ROW(CONCATENATION, 5, 1, ANY, 1, 1, 0, 0, CONCATENATION, NEEDS_OPTIONS, rule_concatenation)
ROW(CONV_2D, 8, 3, 3, 1, 1, 0, 0, CONV_2D, NEEDS_OPTIONS, rule_conv)
ROW(DEPTHWISE_CONV_2D, 7, 2, 3, 1, 1, BIT(2), 0, DEPTHWISE_CONV_2D, NEEDS_OPTIONS, rule_depthwise)
ROW(DEQUANTIZE, 8, 1, 1, 1, 1, 0, 0, NONE, 0, rule_dequantize)
ROW(EXPAND_DIMS, 1, 2, 2, 1, 1, 0, BIT(1), NONE, 0, rule_expand_dims)
ROW(FULLY_CONNECTED, 14, 2, 3, 1, 1, BIT(2), 0, FULLY_CONNECTED, 0, rule_fully_connected)
ROW(LOGISTIC, 3, 1, 1, 1, 1, 0, 0, NONE, 0, rule_logistic)
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
ROW(SIGNAL_WINDOW, 1, 2, 2, 1, 1, 0, 0, SIGNAL_WINDOW, NEEDS_OPTIONS, rule_signal_window)
ROW(SIGNAL_FFT_AUTO_SCALE, 1, 1, 1, 2, 2, 0, 0, NONE, 0, rule_signal_auto_scale)
ROW(SIGNAL_RFFT, 1, 1, 1, 1, 1, 0, 0, SIGNAL_RFFT, NEEDS_OPTIONS, rule_signal_rfft)
ROW(SIGNAL_IRFFT, 1, 1, 1, 1, 1, 0, 0, SIGNAL_IRFFT, NEEDS_OPTIONS, rule_signal_irfft)
ROW(SIGNAL_ENERGY, 1, 1, 1, 1, 1, 0, 0, SIGNAL_ENERGY, NEEDS_OPTIONS, rule_signal_energy)
ROW(SIGNAL_FILTER_BANK, 1, 6, 6, 1, 1, 0, 0, SIGNAL_FILTER_BANK, NEEDS_OPTIONS, rule_signal_filter_bank)
ROW(SIGNAL_FILTER_BANK_SQUARE_ROOT, 1, 2, 2, 1, 1, 0, 0, NONE, 0, rule_signal_square_root)
ROW(SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION, 1, 1, 1, 2, 2, 0, 0, SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION, NEEDS_OPTIONS | STATE, rule_signal_subtraction)
ROW(SIGNAL_FILTER_BANK_LOG, 1, 1, 1, 1, 1, 0, 0, SIGNAL_FILTER_BANK_LOG, NEEDS_OPTIONS, rule_signal_log)
ROW(SIGNAL_PCAN, 1, 3, 3, 1, 1, 0, 0, SIGNAL_PCAN, NEEDS_OPTIONS, rule_signal_pcan)
ROW(SIGNAL_FRAMER, 1, 1, 1, 2, 2, 0, 0, SIGNAL_FRAMER, NEEDS_OPTIONS | STATE, rule_signal_framer)
ROW(SIGNAL_STACKER, 1, 1, 1, 2, 2, 0, 0, SIGNAL_STACKER, NEEDS_OPTIONS | STATE, rule_signal_stacker)
ROW(SIGNAL_DELAY, 1, 1, 1, 1, 1, 0, 0, SIGNAL_DELAY, NEEDS_OPTIONS | STATE, rule_signal_delay)
ROW(SIGNAL_OVERLAP_ADD, 1, 1, 1, 1, 1, 0, 0, SIGNAL_OVERLAP_ADD, NEEDS_OPTIONS | STATE, rule_signal_overlap_add)
/* clang-format on */
