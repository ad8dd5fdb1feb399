/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stepwaits.c - has anything of a job's script run in this run of it? */
#include "config.h"

#include "stepwaits.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

static bool remove_one(const char *user, const char *name)
{
	return removexattr(user, name) == 0 || errno == ENODATA ||
	       errno == ENOTSUP;
}

int vol_step_waits_clear(const char *user, struct vol_error *err)
{
	return remove_one(user, VOL_STEP_WAITS) &&
			       remove_one(user, VOL_STEP_BEGUN)
		       ? 0
		       : vol_errorf(err, "%s: %s", user, strerror(errno));
}

int vol_step_waits_begin(const char *user, struct vol_error *err)
{
	return setxattr(user, VOL_STEP_WAITS, "1", 1, 0) == 0
		       ? 0
		       : vol_errorf(err, "%s: no " VOL_STEP_WAITS ": %s", user,
				    strerror(errno));
}

int vol_step_waits_end(const char *user, struct vol_error *err)
{
	/* Who is killed between the two has begun nothing, and nobody does. */
	if (removexattr(user, VOL_STEP_WAITS) == 0)
		return setxattr(user, VOL_STEP_BEGUN, "1", 1, 0) == 0
			       ? 0
			       : vol_errorf(err,
					    "%s: no " VOL_STEP_BEGUN ": %s",
					    user, strerror(errno));
	if (errno != ENODATA)
		return vol_errorf(err, "%s: %s", user, strerror(errno));
	if (getxattr(user, VOL_STEP_BEGUN, NULL, 0) >= 0)
		return 0;
	if (errno != ENODATA)
		return vol_errorf(err, "%s: %s", user, strerror(errno));
	return vol_errorf(err, "the job was sent on before it began");
}

bool vol_step_waits_ended(const char *user)
{
	return getxattr(user, VOL_STEP_WAITS, NULL, 0) < 0;
}

bool vol_step_waits_take(int user)
{
	return fremovexattr(user, VOL_STEP_WAITS) == 0;
}
