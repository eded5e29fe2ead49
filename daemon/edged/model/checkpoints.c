/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/model/checkpoints.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"

/* Unfinished files have a dot first, which checkpoint names never have. */
static void sweep(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		own_close_fd(&fd);
		return;
	}
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		const char *name = entry->d_name;
		if (name[0] == '.' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			unlinkat(folder, name, 0);
		}
	}
	closedir(dir);
}

static int folder_open(int parent, const char *name, int *ret_folder)
{
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	*ret_folder = folder;
	return folder < 0 ? -errno : 0;
}

int checkpoints_open(const char *state, const char *name, int *ret_folder, struct error *err)
{
	owned_fd int top = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	owned_fd int all = -1;
	int folder = -1;
	int code = top < 0 ? -errno : folder_open(top, "checkpoints", &all);
	if (code == 0) {
		code = folder_open(all, name, &folder);
	}
	if (code < 0) {
		return error_set(err, code, "the checkpoints' folder: %s", strerror(-code));
	}
	sweep(folder);
	*ret_folder = folder;
	return 0;
}
