/* SPDX-License-Identifier: GPL-2.0-or-later */
/* climb.c - climb out of the working folder with ".."
 *
 * Wall: pivot_root
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *home = victim("home");
	int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int secret;

	/* No folder of a job lies deeper. */
	for (int i = 0; i < 32 && fd >= 0; i++)
		fd = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		blocked("climb");
	secret = openat(fd, path_of(home + 1, "secret"), O_RDONLY | O_CLOEXEC);
	if (secret < 0)
		blocked("open the owner's file from the top");
	judge_fd(secret, "the owner's file, from the top");
}
