/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open_by_handle.c - open a file by its number on the disk
 *
 * Wall: no capabilities, seccomp
 * Bare: capable
 * Needs: a file system below /campaign that has handles
 */
#include "../attempt.h"

int main(void)
{
	union {
		struct file_handle head;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} handle = {.head.handle_bytes = MAX_HANDLE_SZ};
	int mount_id, fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		cannot("open the working folder");
	if (name_to_handle_at(AT_FDCWD, ".", &handle.head, &mount_id, 0))
		blocked("name the working folder");
	if (open_by_handle_at(fd, &handle.head, O_RDONLY | O_CLOEXEC) < 0)
		blocked("open_by_handle_at");
	reached("any file of the disk");
}
