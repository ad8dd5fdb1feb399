/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckopened.c - may the job open what its image says it has open? */
#include "config.h"

#include "device/ckopened.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "cleanup.h"

/* 0, or errno; with capabilities as any user's, which setfsuid(2) drops. */
static int ask(const struct vol_ckopened *f)
{
	const int access = (int)(f->flags & O_ACCMODE);
	int mode = access == O_WRONLY ? W_OK : R_OK;

	if (access == O_RDWR)
		mode |= W_OK;
	if (f->flags & O_PATH)
		mode = F_OK;
	return faccessat(AT_FDCWD, f->path, mode, AT_EACCESS) == 0 ? 0 : errno;
}

static int ask_all(const struct vol_ckseen *seen, struct vol_error *err)
{
	for (size_t i = 0; i < seen->n_opened; i++) {
		const struct vol_ckopened *f = &seen->opened[i];
		int errnum = ask(f);

		if (errnum != 0 && errnum != ENOENT)
			return vol_errorf_errno(
				err, EPERM, "%s: not the job's to %s: %s",
				f->path,
				(f->flags & O_ACCMODE) == O_RDONLY ? "read"
								   : "write",
				strerror(errnum));
	}
	return 0;
}

int vol_ckopened_check(const struct vol_ckseen *seen, uint32_t uid,
		       uint32_t gid, struct vol_error *err)
{
	int n = getgroups(0, NULL), rc, saved;
	cleanup_free gid_t *groups =
		calloc((size_t)(n > 0 ? n : 0) + 1, sizeof(*groups));

	if (!groups || n < 0 || getgroups(n, groups) != n ||
	    setgroups(0, NULL) < 0)
		return vol_errorf(err, "groups: %s", strerror(errno));
	setfsgid(gid);
	setfsuid(uid);
	/* They tell what was before. */
	rc = setfsuid(uid) == (int)uid && setfsgid(gid) == (int)gid
		     ? ask_all(seen, err)
		     : vol_errorf_errno(err, EPERM, "can not be user %u",
					(unsigned)uid);
	saved = errno;
	setfsuid(geteuid());
	setfsgid(getegid());
	if (setgroups((size_t)n, groups) < 0)
		rc = vol_errorf(err, "groups: %s", strerror(saved = errno));
	errno = saved;
	return rc;
}
