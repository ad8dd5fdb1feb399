/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ids.c - root for a while, in a task's process */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "plugin.h"

int vol_spank_become_root(struct vol_spank_ids *ids, struct vol_error *err)
{
	if (getresuid(&ids->ruid, &ids->euid, &ids->suid) != 0 ||
	    getresgid(&ids->rgid, &ids->egid, &ids->sgid) != 0 ||
	    setresuid(0, 0, 0) != 0)
		return vol_errorf(err, "cannot become root again: %s",
				  strerror(errno));
	if (setresgid(0, 0, 0) == 0)
		return 0;
	vol_errorf(err, "cannot become root again: %s", strerror(errno));
	vol_spank_step_back(ids, NULL);
	return -1;
}

int vol_spank_step_back(const struct vol_spank_ids *ids, struct vol_error *err)
{
	if (setresgid(ids->rgid, ids->egid, ids->sgid) != 0 ||
	    setresuid(ids->ruid, ids->euid, ids->suid) != 0)
		return vol_errorf(err, "cannot become the job's user again: %s",
				  strerror(errno));
	return 0;
}
