/* SPDX-License-Identifier: GPL-2.0-or-later */
/* waits.c - nothing of the job has run yet: said as long as it is true
 *
 * A job that is evicted while its image is still on its way has not used it.
 * Who ends it can see that, and the image is as good for its next run.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/xattr.h>

#include "log.h"
#include "plugin.h"
#include "stepfile.h"

static char folder[PATH_MAX]; /* the step's; "" when nothing is said */

void vol_waits_begin(const char *cgroup)
{
	struct vol_error err;

	if (vol_spank_path(folder, sizeof(folder), &err,
			   VOL_SPANK_CGROUPS "%s/user", cgroup) == 0 &&
	    setxattr(folder, VOL_STEP_WAITS, "1", 1, 0) == 0)
		return;
	vol_info("%s: no " VOL_STEP_WAITS ": %s", folder, strerror(errno));
	folder[0] = '\0';
}

int vol_waits_over(struct vol_error *err)
{
	return !folder[0] || removexattr(folder, VOL_STEP_WAITS) == 0 ||
			       errno == ENODATA
		       ? 0
		       : vol_errorf(err, "%s: %s", folder, strerror(errno));
}
