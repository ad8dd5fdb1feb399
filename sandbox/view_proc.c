/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_proc.c - the /proc of slurmd and slurmstepd (hide.c)
 *
 * /proc/PID/root, cwd and fd of a process of the same user lead past every
 * cover, into the mounts that the process has.
 */
#include "config.h"

#include "view.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

/* landlock(7); the headers of many a distribution do not have the last field
 * yet. */
struct ruleset {
	uint64_t files, network, scoped;
};
#define CREATE_VERSION    1u
#define SCOPED_ABSTRACT   UINT64_C(1) /* unix sockets without a path */
#define SCOPED_SIGNAL     UINT64_C(2)
#define VERSION_OF_SCOPED 6 /* Linux 6.12 */

/* One that begins after this has a number that the job would have had to guess
 * when it was submitted. */
int vol_view_cover_processes(uid_t uid, const char *empty,
			     struct vol_error *err)
{
	char path[NAME_MAX + 8];
	DIR *dir = opendir("/proc");
	struct dirent *e;
	struct stat st;
	int rc = 0;

	if (!dir)
		return vol_errorf(err, "/proc: %s", strerror(errno));
	while (rc == 0 && (e = readdir(dir))) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s", e->d_name);
		/* Hundreds of them: the shorter way. */
		if (fstatat(dirfd(dir), e->d_name, &st, 0) != 0
			    ? errno != ENOENT && errno != ESRCH
			    : st.st_uid == uid &&
				      mount(empty, path, NULL, MS_BIND, NULL) !=
					      0 &&
				      errno != ENOENT)
			rc = vol_errorf(err, "hide %s: %s", path,
					strerror(errno));
	}
	closedir(dir);
	return rc;
}

/* A user namespace may mount a /proc only where it sees a whole one; container
 * engines and systemd cover parts of theirs. */
int vol_view_show_proc(const char *path, struct vol_error *err)
{
	if (mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) != 0)
		return vol_errorf(err, "%s: cannot mount proc: %s", path,
				  strerror(errno));
	return 0;
}

/* A Landlock domain with no rule for files still is one: what is outside can
 * not be traced, and it is that right which /proc asks for.  It must have some
 * rule.  slurmd's is one that its users' programs need, in the machine's
 * network namespace; all steps inherit it.  A step's own is another one: a task
 * whose domain has the first can only be saved by a CRIU that is in that
 * domain, to which it connects, and so by one of slurmd's children. */
int vol_view_apart(bool for_slurmd, bool *apart, struct vol_error *err)
{
	struct ruleset rules = {.scoped = for_slurmd ? SCOPED_ABSTRACT
						     : SCOPED_SIGNAL};
	cleanup_fd int fd = -1;

	*apart = false;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION) <
	    VERSION_OF_SCOPED)
		return 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules),
			  0);
	if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		return vol_errorf(err, "Landlock: %s", strerror(errno));
	*apart = true;
	return 0;
}

/* slurmd could not do without /proc/self; slurmstepd only logs that its
 * processes keep their oom_score_adj, which limits.c sets for tasks. */
int vol_view_cut_links(struct vol_error *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSYMFOLLOW};

	if (mount_setattr(-1, "/proc", 0, &attr, sizeof(attr)) != 0)
		return vol_errorf(err, "hide links of /proc: %s",
				  strerror(errno));
	return 0;
}
