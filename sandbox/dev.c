/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dev.c - a /dev of the job's own; its device nodes are places (places.c) */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name, *to;
} links[] = {
	{"/dev/fd", "/proc/self/fd"},       {"/dev/ptmx", "pts/ptmx"},
	{"/dev/stdin", "/proc/self/fd/0"},  {"/dev/stdout", "/proc/self/fd/1"},
	{"/dev/stderr", "/proc/self/fd/2"},
};

/* slurmstepd opened the terminal of srun --pty in a /dev/pts of this step alone
 * (view_dev.c): with that one here the terminal has its name inside, too.
 * Other steps get one of the job's own, since a checkpoint can not save what
 * was mounted outside. */
static int build_terminals(const struct vol_sandbox *s, struct vol_error *err)
{
	int rc;

	if (s->hidden && access(VOL_OLD_ROOT "/dev/pts/0", F_OK) == 0)
		rc = mount(VOL_OLD_ROOT "/dev/pts", "/dev/pts", NULL, MS_BIND,
			   NULL);
	else
		rc = mount("devpts", "/dev/pts", "devpts",
			   MS_NOSUID | MS_NOEXEC,
			   "newinstance,ptmxmode=0666,mode=620");
	if (rc != 0)
		return vol_errorf(err, "/dev/pts: %s", strerror(errno));
	return 0;
}

int vol_dev_build(const struct vol_sandbox *s, struct vol_error *err)
{
	if (mount("dev", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC,
		  "mode=755,size=64k,nr_inodes=512") != 0 ||
	    mkdir("/dev/pts", 0755) != 0 || mkdir("/dev/shm", 0755) != 0)
		return vol_errorf(err, "/dev: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i].to, links[i].name) != 0)
			return vol_errorf(err, "%s: %s", links[i].name,
					  strerror(errno));
	return build_terminals(s, err);
}
