/* SPDX-License-Identifier: Apache-2.0 */
/* sparse - constants of a few stored elements as the dense tensors that they stand for */
#ifndef BACKENDS_CPU_OPERAND_SPARSE_H
#define BACKENDS_CPU_OPERAND_SPARSE_H

#include "engine/graph.h"

/*
 * Writes all elements of @tensor, which has sparsity: the stored ones (@stored: its bytes) at the
 * places that the levels of its sparsity give them, zero elsewhere. @ret_dense: as many bytes as
 * shape and type ask for. Any order of dimensions, any blocks, any mix of dense and compressed
 * levels.
 * Source: comments on SparsityParameters in the schema (schema.fbs).
 */
void sparse_densify(const struct tensor *tensor, const void *stored, void *ret_dense);

#endif
