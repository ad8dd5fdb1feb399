/* SPDX-License-Identifier: GPL-2.0-or-later */
/* waits.c - nothing of the job has run yet: said as long as it is true
 *
 * A job that is evicted while its image is still on its way has not used it.
 * Who ends it takes the mark, and the image is as good for its next run.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "log.h"
#include "plugin.h"
#include "stepfile.h"

static struct {
	char folder[PATH_MAX]; /* the step's */
	bool marked;           /* and whoever takes the mark decides */
} self;

int vol_waits_clear(const char *cgroup, struct vol_error *err)
{
	self.marked = false;
	if (vol_spank_path(self.folder, sizeof(self.folder), err,
			   VOL_SPANK_CGROUPS "%s/user", cgroup))
		return -1;
	return removexattr(self.folder, VOL_STEP_WAITS) == 0 ||
			       errno == ENODATA || errno == ENOTSUP
		       ? 0
		       : vol_errorf(err, "%s: %s", self.folder,
				    strerror(errno));
}

void vol_waits_begin(void)
{
	self.marked = setxattr(self.folder, VOL_STEP_WAITS, "1", 1, 0) == 0;
	if (!self.marked)
		vol_info("%s: no " VOL_STEP_WAITS ": %s", self.folder,
			 strerror(errno));
}

void vol_waits_end(void)
{
	if (self.marked && removexattr(self.folder, VOL_STEP_WAITS) < 0) {
		vol_wall_say("volunteer: the job was sent on before it began "
			     "(%s)\n",
			     strerror(errno));
		_exit(VOL_EXIT_REQUEUE);
	}
	self.marked = false;
}
