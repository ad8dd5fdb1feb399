/* SPDX-License-Identifier: GPL-2.0-or-later */
/* waits.c - nothing of the job has run yet: said as long as it is true
 *
 * A job that is evicted while its image is still on its way, or is being put
 * back, has not used it.  Who ends it takes the mark, and the image is as good
 * for its next run.
 */
#include "config.h"

#include <limits.h>
#include <unistd.h>

#include "log.h"
#include "plugin.h"
#include "stepwaits.h"

static struct {
	char folder[PATH_MAX]; /* the step's */
	bool marked;           /* it was, and who takes the mark decides */
} self;

int vol_waits_clear(const char *cgroup, struct vol_error *err)
{
	self.marked = false;
	if (vol_spank_path(self.folder, sizeof(self.folder), err,
			   VOL_SPANK_CGROUPS "%s/user", cgroup))
		return -1;
	return vol_step_waits_clear(self.folder, err);
}

void vol_waits_begin(void)
{
	struct vol_error err;

	self.marked = vol_step_waits_begin(self.folder, &err) == 0;
	if (!self.marked)
		vol_info("%s", err.text);
}

const char *vol_waits_folder(void)
{
	return self.marked ? self.folder : NULL;
}

bool vol_waits_ended(void)
{
	return !self.marked || vol_step_waits_ended(self.folder);
}

void vol_waits_check(void)
{
	if (vol_waits_ended())
		vol_waits_end();
}

void vol_waits_end(void)
{
	struct vol_error err;

	if (!self.marked || vol_step_waits_end(self.folder, &err) == 0)
		return;
	vol_wall_say("volunteer: %s\n", err.text);
	_exit(VOL_EXIT_REQUEUE);
}
