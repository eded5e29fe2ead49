/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/model/checkpoints.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/system/atomic_write.h"

/* Unfinished files have a dot first, which checkpoint names never have. */
static int unfinished_remove(void *context, const char *name, unsigned char type)
{
	const int *folder = context;
	(void)type;
	if (name[0] == '.') {
		unlinkat(*folder, name, 0);
	}
	return 0;
}

int checkpoints_open(const char *state, const char *name, int *ret_folder, struct error *err)
{
	owned_fd int top = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	owned_fd int all = -1;
	int folder = -1;
	int code = top < 0 ? -errno : atomic_write_folder(top, "checkpoints", &all);
	if (code == 0) {
		code = atomic_write_folder(all, name, &folder);
	}
	if (code < 0) {
		return error_set(err, code, "the checkpoints' folder: %s", strerror(-code));
	}
	code = file_each_entry(folder, unfinished_remove, &folder);
	(void)code; /* the next opening removes the rest */
	*ret_folder = folder;
	return 0;
}
