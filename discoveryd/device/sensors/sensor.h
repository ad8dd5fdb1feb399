/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sensor.h - the small interface behind which each sensor lives
 *
 * One file a sensor, one row in sensors.c.  A sensor reports when what it says
 * changes, and once from create or soon after.  One that can not work reports
 * UNKNOWN with the reason in detail and goes on trying where that makes sense;
 * sensors.c logs each new reason once.  Sensors are event-driven; those that
 * must poll do it at most once in five seconds while the machine is open or
 * jobs are parked here, and not at all while nothing depends on the answer
 * (watching false), except now and then while they claim the machine, so that
 * the claim ends.  None of them blocks.
 */
#ifndef VOL_SENSOR_H
#define VOL_SENSOR_H

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "device/reflex.h"
#include "error.h"
#include "policy.h"
#include "presence.h"

/* For so long sleep and shutdown are delayed: logind goes on after
 * InhibitDelayMaxSec, 5 s by default. */
#define VOL_SLEEP_HOLD_MS 4000

struct vol_sensors;

/* What a sensor works with; borrowed until its destroy. */
struct vol_sensor_host {
	sd_event *loop;
	sd_bus *bus; /* the system bus; only for a sensor with needs_bus */
	struct vol_reflex *reflex;
	const struct vol_policy *policy; /* may change: ops->reload is called */
	const char *input_devices;       /* of device.conf; may be NULL */
	const char *jobs_cgroup; /* folder below which all jobs are, "" while
				  * unknown; absolute, with the mount point */
	const char *root;        /* "" or a folder that stands for / (tests) */
	struct vol_sensors *sensors;
	bool watching;
};

struct vol_sensor_ops {
	enum vol_sensor id;
	/* It is created when the system bus is there and destroyed when that
	 * breaks. */
	bool needs_bus;
	/* NULL with *err filled when out of memory or descriptors. */
	void *(*create)(struct vol_sensor_host *host, struct vol_error *err);
	void (*destroy)(void *self); /* NULL-safe */
	/* Optional: policy or watching has changed. */
	void (*reload)(void *self);
	/* Optional: all that had to happen for the current claim is done;
	 * sensor sleep lets the machine go to sleep. */
	void (*settled)(void *self);
	/* Optional: vol_reflex_state has changed. */
	void (*input)(void *self);
};

/* From a sensor to sensors.c.  detail as for printf, at most VOL_DETAIL_SIZE,
 * made printable; without figures that move, since any change is news.
 * since_ms 0 = as before while it says the same; else now, and AWAY after
 * UNKNOWN is "never". */
void vol_sensor_report(struct vol_sensors *s, enum vol_sensor id,
		       enum vol_says says, uint64_t since_ms, const char *fmt,
		       ...) __attribute__((format(printf, 5, 6)));

uint64_t vol_sensor_now_ms(void); /* CLOCK_BOOTTIME */

extern const struct vol_sensor_ops vol_sensor_input, vol_sensor_sessions,
	vol_sensor_terminals, vol_sensor_inhibitors, vol_sensor_load,
	vol_sensor_pressure, vol_sensor_power, vol_sensor_heat,
	vol_sensor_sleep;

/* What sensors.c asks some of them.  self of create. */
bool vol_sessions_at_seat(const void *self, uid_t uid);
double vol_pressure_of_memory(const char *root); /* -1 = unknown */
/* Whatever policy says of it. */
bool vol_power_on_battery(const void *self);

#endif
