/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_reports.c - the device role: between who reports, the disk and the
 * link
 */
#include "config.h"

#include "device/device.h"

uint64_t vol_device_report(const struct vol_link_msg *msg, void *arg)
{
	struct vol_device_role *d = arg;

	return vol_reporter_add(d->reporter, msg);
}

bool vol_device_report_waits(uint64_t report, void *arg)
{
	struct vol_device_role *d = arg;

	return vol_reporter_waits(d->reporter, report);
}

static int send_report(const struct vol_link_msg *msg, void *arg)
{
	struct vol_device_role *d = arg;

	return d->uplink ? vol_uplink_send(d->uplink, msg) : -1;
}

static void redial(const char *reason, void *arg)
{
	struct vol_device_role *d = arg;

	vol_uplink_redial(d->uplink, reason);
}

int vol_device_reports_start(struct vol_device_role *d, struct vol_error *err)
{
	static const struct vol_reporter_ops ops = {send_report, redial};

	d->reporter =
		vol_reporter_create(d->loop, d->conf.state_dir, &ops, d, err);
	return d->reporter ? 0 : -1;
}
