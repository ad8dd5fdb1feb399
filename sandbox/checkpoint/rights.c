/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rights.c - look at a job's files, and change them, with the job's rights only
 *
 * A name in a working folder is the job's to make: whatever it leads to, root
 * must not do there what the job could not.
 */
#include "config.h"

#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

struct caps {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

/* Effective ones only: permitted ones bring them back. */
static int drop(struct vol_rights *r)
{
	struct caps caps = {.head = {_LINUX_CAPABILITY_VERSION_3, 0}};

	if (syscall(SYS_capget, &caps.head, caps.data) != 0)
		return -1;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		r->effective[i] = caps.data[i].effective;
		caps.data[i].effective = 0;
	}
	r->dropped = true;
	return (int)syscall(SYS_capset, &caps.head, caps.data);
}

static int raise_again(const struct vol_rights *r)
{
	struct caps caps = {.head = {_LINUX_CAPABILITY_VERSION_3, 0}};

	if (!r->dropped)
		return 0;
	if (syscall(SYS_capget, &caps.head, caps.data) != 0)
		return -1;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		caps.data[i].effective = r->effective[i];
	return (int)syscall(SYS_capset, &caps.head, caps.data);
}

int vol_rights_take(struct vol_rights *r, uid_t uid, gid_t gid,
		    struct vol_error *err)
{
	int n = getgroups(0, NULL);

	*r = (struct vol_rights){.groups = calloc((size_t)(n > 0 ? n : 0) + 1,
						  sizeof(*r->groups))};
	if (!r->groups || n < 0 || getgroups(n, r->groups) != n ||
	    setgroups(0, NULL) != 0) {
		vol_errorf(err, "groups: %s", strerror(errno));
		free(r->groups);
		return -1;
	}
	r->n = (size_t)n;
	setfsgid(gid);
	setfsuid(uid);
	/* They tell what was before. */
	if (setfsuid(uid) == (int)uid && setfsgid(gid) == (int)gid &&
	    drop(r) == 0)
		return 0;
	vol_errorf_errno(err, EPERM, "can not be user %u", (unsigned)uid);
	vol_rights_back(r, NULL);
	errno = EPERM;
	return -1;
}

int vol_rights_back(struct vol_rights *r, struct vol_error *err)
{
	int saved = errno, rc = raise_again(r);

	setfsuid(geteuid());
	setfsgid(getegid());
	if (setgroups(r->n, r->groups) != 0)
		rc = -1;
	free(r->groups);
	r->groups = NULL;
	if (rc != 0)
		return vol_errorf(err, "can not be root again: %s",
				  strerror(errno));
	errno = saved;
	return 0;
}

int vol_open_in(int root, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT |
					  RESOLVE_NO_MAGICLINKS |
					  RESOLVE_NO_SYMLINKS};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}
