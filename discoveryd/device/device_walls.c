/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_walls.c - the device role: the walls around jobs, and who hears of
 * them
 */
#include "config.h"

#include "device/device.h"
#include "device/runtimes.h"

#define TRIAL   VOL_LIBEXEC_DIR "/slurm-volunteer-trial"
#define RUNTIME VOL_LIBEXEC_DIR "/slurm-volunteer-runtime"

static void on_walls(void *arg)
{
	struct vol_device_role *d = arg;

	/* Before the owner's side may open. */
	if (d->machine)
		vol_machine_runtime(d->machine, vol_warden_runtime(d->warden));
	if (d->owner)
		vol_owner_walls(d->owner, vol_warden_trouble(d->warden));
	/* What it can reach may be another system now. */
	if (d->slurmd && d->slurmkey)
		vol_device_want_slurmd(d);
}

void vol_device_walls_apply(struct vol_device_role *d)
{
	vol_warden_apply(d->warden, &d->conf.sandbox, d->conf.owners);
	on_walls(d);
}

int vol_device_walls_start(struct vol_device_role *d, struct vol_error *err)
{
	d->warden = vol_warden_create(d->loop, VOL_RUN_DIR, TRIAL, RUNTIME,
				      on_walls, d, err);
	if (!d->warden)
		return -1;
	vol_device_walls_apply(d);
	return 0;
}

void vol_device_walls_stop(struct vol_device_role *d)
{
	vol_warden_destroy(d->warden);
	/* Nothing begins here any more.  To the next they are left by one that
	 * was killed, and with jobs that outlive us, which are told by them. */
	if (d->stopping && !vol_steps_busy_now(d->steps))
		vol_runtimes_clear(RUNTIME);
}
