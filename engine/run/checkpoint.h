/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint - FlexSave and FlexRestore: tensors by name in files of one folder
 *
 * The two operators are TensorFlow's Save and Restore, which the on-device training guide of
 * TensorFlow Lite builds its save and restore signatures from. Files have a format of their own:
 *
 *   8 bytes "EDGEDCK1", u32 count, then per tensor
 *   u32 length and bytes of its name, u8 type, u8 rank, i32 per dimension, u64 bytes, the bytes
 *
 * all little endian. A file's name is what the model is given as its path, and must be a plain
 * name: nothing outside of the folder can be named. What a run saves is in a hidden file until the
 * run ends well; one that a crash has left behind is removed by a later save.
 */
#ifndef ENGINE_RUN_CHECKPOINT_H
#define ENGINE_RUN_CHECKPOINT_H

#include "engine/run/call_frame.h"

#define CHECKPOINT_MAX_FILES 64
#define CHECKPOINT_MAX_NAME 64
#define CHECKPOINT_MAX_TENSOR_NAME 1000
#define CHECKPOINT_MAX_PENDING 8 /* files that one run saves */

struct checkpoints {
	int folder; /* borrowed; -1: there is none */
	uint64_t max_bytes; /* of all files of the folder together */
	uint32_t n_pending;
	char pending[CHECKPOINT_MAX_PENDING][CHECKPOINT_MAX_NAME + 1];
};

/* -EACCES without a folder, -EINVAL for a name that is not plain or a tensor that is not there,
 * -EFBIG for what is beyond the limits, -EBADMSG for a file that is not whole, or what the system
 * gave. */
int must_check checkpoint_save(struct checkpoints *checkpoints, const struct call_frame *frame,
	const struct node *node, struct error *err);
int must_check checkpoint_restore(struct checkpoints *checkpoints, struct call_frame *frame,
	const struct node *node, struct error *err);

/* Gives what a run has saved its names, one file after the other. Where the system refuses one, its
 * error, and those before it stay. */
int must_check checkpoint_commit(struct checkpoints *checkpoints, struct error *err);

/* Removes what a run has saved and that has no name yet. */
void checkpoint_drop(struct checkpoints *checkpoints);

#endif
