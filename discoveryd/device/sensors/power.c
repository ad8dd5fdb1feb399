/* SPDX-License-Identifier: GPL-2.0-or-later */
/* power.c - sensor: the machine runs on its battery
 *
 * Told by udev; looked at now and then as well, since not all firmware tells.
 * With the lid closed as well it may be in a bag: that is a claim even if the
 * owner allows jobs on battery.
 */
#include "config.h"

#include "device/sensors/sensor.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-device.h>

#include "device/sensors/polling.h"
#include "device/sensors/sysfile.h"
#include "log.h"

#define SUPPLIES "/sys/class/power_supply"
#define LIDS     "/proc/acpi/button/lid"
/* Some firmware needs many milliseconds for an answer. */
#define LOOK_S 30

struct power {
	struct vol_sensor_host *host;
	struct vol_polling polling;
	sd_device_monitor *monitor;
	bool on_battery;
};

struct supplies {
	bool mains, online, battery, discharging;
};

static bool is_supply(const char *root, const char *name)
{
	char scope[16];

	/* Of a mouse, say. */
	vol_sysfile_read(root, scope, sizeof(scope), SUPPLIES "/%s/scope",
			 name);
	return name[0] != '.' && strcmp(scope, "Device") != 0;
}

static void add_supply(const char *root, const char *name, struct supplies *s)
{
	char text[32];
	int64_t n;

	if (!is_supply(root, name) ||
	    vol_sysfile_read(root, text, sizeof(text), SUPPLIES "/%s/type",
			     name) < 0)
		return;
	if (strcmp(text, "Battery") != 0 && strcmp(text, "UPS") != 0) {
		/* Mains, USB and its kinds, Wireless */
		s->mains = true;
		if (vol_sysfile_number(root, &n, SUPPLIES "/%s/online", name) ==
		    0)
			s->online |= n > 0;
		return;
	}
	if (vol_sysfile_number(root, &n, SUPPLIES "/%s/present", name) == 0 &&
	    n == 0)
		return;
	s->battery = true;
	vol_sysfile_read(root, text, sizeof(text), SUPPLIES "/%s/status", name);
	s->discharging |= !strcmp(text, "Discharging");
}

static struct supplies read_supplies(const char *root)
{
	struct supplies s = {0};
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s" SUPPLIES, root);
	dir = opendir(path);
	while (dir && (e = readdir(dir)) != NULL)
		add_supply(root, e->d_name, &s);
	if (dir)
		closedir(dir);
	return s;
}

static bool lid_closed(const char *root)
{
	char path[PATH_MAX], text[64];
	bool closed = false;
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s" LIDS, root);
	dir = opendir(path);
	while (dir && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' &&
		    vol_sysfile_read(root, text, sizeof(text), LIDS "/%s/state",
				     e->d_name) > 0)
			closed |= strstr(text, "closed") != NULL;
	if (dir)
		closedir(dir);
	return closed;
}

static void tell(struct power *p, bool claims, const char *detail)
{
	vol_sensor_report(p->host->sensors, VOL_SENSOR_POWER,
			  claims ? VOL_SAYS_PRESENT : VOL_SAYS_AWAY, 0, "%s",
			  detail);
	vol_polling_next(&p->polling, p->host->watching, claims);
}

static void look(void *self)
{
	struct power *p = self;
	struct supplies s = read_supplies(p->host->root);

	/* A desktop may have a port that could supply it, and a laptop on a
	 * weak charger both: what is online wins. */
	p->on_battery = !s.online && s.battery && (s.discharging || s.mains);
	if (!s.mains && !s.battery)
		tell(p, false, "no battery");
	else if (!p->on_battery)
		tell(p, false, "on mains");
	else if (lid_closed(p->host->root))
		tell(p, true, "on battery with the lid closed");
	else
		tell(p, !p->host->policy->on_battery, "on battery");
}

static int on_device(sd_device_monitor *monitor, sd_device *device, void *self)
{
	(void)monitor;
	(void)device;
	look(self);
	return 0;
}

static int watch_devices(struct power *p)
{
	int r;

	if ((r = sd_device_monitor_new(&p->monitor)) < 0 ||
	    (r = sd_device_monitor_filter_add_match_subsystem_devtype(
		     p->monitor, "power_supply", NULL)) < 0 ||
	    (r = sd_device_monitor_attach_event(p->monitor, p->host->loop)) <
		    0 ||
	    (r = sd_device_monitor_start(p->monitor, on_device, p)) < 0)
		return r;
	return 0;
}

bool vol_power_on_battery(const void *self)
{
	const struct power *p = self;

	return p && p->on_battery;
}

static void power_destroy(void *self)
{
	struct power *p = self;

	if (!p)
		return;
	sd_device_monitor_unref(p->monitor);
	vol_polling_fini(&p->polling);
	free(p);
}

static void *power_create(struct vol_sensor_host *host, struct vol_error *err)
{
	struct power *p = calloc(1, sizeof(*p));
	int r;

	if (!p) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	p->host = host;
	if (vol_polling_init(&p->polling, host->loop, LOOK_S, look, p, err) <
	    0) {
		power_destroy(p);
		return NULL;
	}
	r = watch_devices(p);
	if (r < 0)
		vol_debug("no news of power supplies from udev: %s",
			  strerror(-r));
	look(p);
	return p;
}

const struct vol_sensor_ops vol_sensor_power = {
	.id = VOL_SENSOR_POWER,
	.create = power_create,
	.destroy = power_destroy,
	.reload = look,
};
