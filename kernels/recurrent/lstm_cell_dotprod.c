/* SPDX-License-Identifier: Apache-2.0 */
#define ROW(name) name##__dotprod

#include "kernels/recurrent/lstm_cell_body.h"
