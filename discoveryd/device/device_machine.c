/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_machine.c - the controller hears what this machine is to saved jobs */
#include "config.h"

#include "device/device.h"
#include "sandbox/checkpoint.h"

#define MACHINE VOL_LIBEXEC_DIR "/slurm-volunteer-machine"

void vol_device_tell_machine(struct vol_device_role *d)
{
	struct vol_link_msg msg;

	if (d->uplink && vol_machine_fill(d->machine, &msg))
		(void)vol_uplink_send(d->uplink, &msg);
}

static void on_known(void *arg)
{
	vol_device_tell_machine(arg);
}

int vol_device_machine_start(struct vol_device_role *d, struct vol_error *err)
{
	d->machine = vol_machine_create(d->loop, MACHINE, VOL_CHECKPOINT_CRIU,
					on_known, d, err);
	if (!d->machine)
		return -1;
	vol_machine_runtime(d->machine, vol_warden_runtime(d->warden));
	/* One that was running before us. */
	if (vol_slurmd_state(d->slurmd) == VOL_SLURMD_UP)
		vol_machine_look(d->machine);
	return 0;
}
