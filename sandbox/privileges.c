/* SPDX-License-Identifier: GPL-2.0-or-later */
/* privileges.c - keep root's over slurmstepd's change of user, and end them */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int vol_sandbox_keep(struct vol_error *err)
{
	int bits = prctl(PR_GET_SECUREBITS);

	if (bits < 0 ||
	    prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP) != 0)
		return vol_errorf(err, "cannot keep capabilities: %s",
				  strerror(errno));
	return 0;
}

int vol_privileges_root(struct vol_error *err)
{
	if (setresuid(0, 0, 0) != 0 || setresgid(0, 0, 0) != 0)
		return vol_errorf(err, "cannot become root again: %s",
				  strerror(errno));
	return 0;
}

/* Else a program with file capabilities or setuid root could get them. */
static int empty_bounding_set(struct vol_error *err)
{
	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) {
			/* The first that this kernel does not know. */
			if (errno == EINVAL && cap > 0)
				return 0;
			return vol_errorf(err, "capability %lu: %s", cap,
					  strerror(errno));
		}
	return 0;
}

static int empty_sets(struct vol_error *err)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0}};

	if (syscall(SYS_capset, &head, none) != 0)
		return vol_errorf(err, "cannot drop capabilities: %s",
				  strerror(errno));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return vol_errorf(err, "ambient capabilities: %s",
				  strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return vol_errorf(err, "no_new_privs: %s", strerror(errno));
	return 0;
}

/* slurmstepd's session keyring came from slurmd's, if it has one. */
static int leave_keyring(struct vol_error *err)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 &&
	    errno != ENOSYS)
		return vol_errorf(err, "session keyring: %s", strerror(errno));
	return 0;
}

/* Supplementary groups go: the device's video, docker and sudo are numbers
 * that mean something else to the cluster. */
int vol_privileges_drop(uid_t uid, gid_t gid, struct vol_error *err)
{
	if (leave_keyring(err) != 0 || empty_bounding_set(err) != 0)
		return -1;
	if (prctl(PR_SET_SECUREBITS, 0) != 0)
		return vol_errorf(err, "securebits: %s", strerror(errno));
	if (setgroups(0, NULL) != 0)
		return vol_errorf(err, "supplementary groups: %s",
				  strerror(errno));
	if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return vol_errorf(err, "cannot become user %u: %s",
				  (unsigned int)uid, strerror(errno));
	return empty_sets(err);
}
