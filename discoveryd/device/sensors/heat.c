/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heat.c - sensor: the machine is hotter than its owner likes
 *
 * The hottest of the processor's sensors and the thermal zones counts.  A claim
 * ends a few degrees below the ceiling.
 */
#include "config.h"

#include "device/sensors/sensor.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/sensors/polling.h"
#include "device/sensors/sysfile.h"

#define ZONES        "/sys/class/thermal"
#define HWMONS       "/sys/class/hwmon"
#define COOLER_MILLI 5000
/* Broken sensors say 0, -128 or 255 and the like. */
#define BELIEVED_MILLI 150000

struct heat {
	struct vol_sensor_host *host;
	struct vol_polling polling;
	bool claims;
};

static void hotter(int64_t *max, int64_t milli)
{
	if (milli > *max && milli < BELIEVED_MILLI)
		*max = milli;
}

static void look_zone(const char *root, const char *zone, int64_t *max)
{
	char type[32];
	int64_t milli;

	if (strncmp(zone, "thermal_zone", strlen("thermal_zone")) != 0)
		return;
	/* A radio's temperature is not the machine's. */
	vol_sysfile_read(root, type, sizeof(type), ZONES "/%s/type", zone);
	if (strncmp(type, "iwlwifi", strlen("iwlwifi")) != 0 &&
	    vol_sysfile_number(root, &milli, ZONES "/%s/temp", zone) == 0)
		hotter(max, milli);
}

static bool is_processor(const char *name)
{
	static const char *const names[] = {"coretemp", "k10temp", "k8temp",
					    "zenpower", "cpu_thermal"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static void look_hwmon(const char *root, const char *hwmon, int64_t *max)
{
	char path[PATH_MAX], name[32];
	struct dirent *e;
	int64_t milli;
	DIR *dir;

	vol_sysfile_read(root, name, sizeof(name), HWMONS "/%s/name", hwmon);
	if (!is_processor(name))
		return;
	snprintf(path, sizeof(path), "%s" HWMONS "/%s", root, hwmon);
	dir = opendir(path);
	while (dir && (e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name);

		/* temp1_input ... */
		if (!strncmp(e->d_name, "temp", 4) && len > 6 &&
		    !strcmp(e->d_name + len - 6, "_input") &&
		    vol_sysfile_number(root, &milli, HWMONS "/%s/%s", hwmon,
				       e->d_name) == 0)
			hotter(max, milli);
	}
	if (dir)
		closedir(dir);
}

static void each(const char *root, const char *folder,
		 void (*f)(const char *root, const char *name, int64_t *max),
		 int64_t *max)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s%s", root, folder);
	dir = opendir(path);
	while (dir && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			f(root, e->d_name, max);
	if (dir)
		closedir(dir);
}

static void tell(struct heat *h, bool claims, const char *detail)
{
	h->claims = claims;
	vol_sensor_report(h->host->sensors, VOL_SENSOR_HEAT,
			  claims ? VOL_SAYS_PRESENT : VOL_SAYS_AWAY, 0, "%s",
			  detail);
}

static void look(void *self)
{
	int64_t ceiling, milli = 0;
	struct heat *h = self;

	ceiling = (int64_t)h->host->policy->max_celsius * 1000;
	if (ceiling > 0) {
		each(h->host->root, ZONES, look_zone, &milli);
		each(h->host->root, HWMONS, look_hwmon, &milli);
	}
	if (ceiling == 0)
		tell(h, false, "no ceiling is set");
	else if (milli == 0)
		tell(h, false, "no temperature sensor");
	else if (milli >= ceiling ||
		 (h->claims && milli > ceiling - COOLER_MILLI))
		tell(h, true, "too hot");
	else
		tell(h, false, "cool enough");
	vol_polling_next(&h->polling, h->host->watching && ceiling > 0,
			 h->claims);
}

static void heat_destroy(void *self)
{
	struct heat *h = self;

	if (!h)
		return;
	vol_polling_fini(&h->polling);
	free(h);
}

static void *heat_create(struct vol_sensor_host *host, struct vol_error *err)
{
	struct heat *h = calloc(1, sizeof(*h));

	if (!h) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	h->host = host;
	if (vol_polling_init(&h->polling, host->loop, VOL_POLL_S, look, h,
			     err) < 0) {
		heat_destroy(h);
		return NULL;
	}
	look(h);
	return h;
}

const struct vol_sensor_ops vol_sensor_heat = {
	.id = VOL_SENSOR_HEAT,
	.create = heat_create,
	.destroy = heat_destroy,
	.reload = look,
};
