/* SPDX-License-Identifier: Apache-2.0 */
/* lstm_arm - rows of the list of kernels/recurrent/lstm.h for Arm */
#ifndef KERNELS_RECURRENT_LSTM_ARM_H
#define KERNELS_RECURRENT_LSTM_ARM_H

#include "kernels/recurrent/lstm.h"

#define EK_LSTM_ARM(isa)                                                                           \
	void ek_lstm_gate_s8__##isa(const struct ek_lstm_q *a, enum ek_lstm_gate which,            \
		const struct ek_lstm_q_sight *sight, uint32_t first, uint32_t end, int16_t *s);    \
	void ek_lstm_project_s8__##isa(const struct ek_lstm_q *a, const int8_t *hidden, int8_t *h);

EK_LSTM_ARM(neon)
void ek_lstm_logistic_s16__neon(int16_t *s, size_t n);
void ek_lstm_tanh_s16__neon(const int16_t *x, int32_t integer_bits, size_t n, int16_t *ret);
#if defined(__aarch64__)
EK_LSTM_ARM(dotprod)
#endif

#endif
