/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sensors.h - all sensors together
 *
 * Owns the connection to the system bus (asynchronous, tried again when it
 * breaks; never blocks the loop) and the latest reading of each sensor.
 */
#ifndef VOL_SENSORS_H
#define VOL_SENSORS_H

#include <jansson.h>

#include "device/sensors/sensor.h"

/* changed is called from the loop when a reading has become another one.
 * policy, reflex and input_devices are borrowed until destroy. */
struct vol_sensors *vol_sensors_create(sd_event *loop,
				       struct vol_reflex *reflex,
				       const struct vol_policy *policy,
				       const char *input_devices,
				       void (*changed)(void *arg), void *arg,
				       struct vol_error *err);
void vol_sensors_destroy(struct vol_sensors *s);

/* policy or input_devices has changed. */
void vol_sensors_reload(struct vol_sensors *s, const struct vol_policy *policy,
			const char *input_devices);

/* Where jobs are (absolute folder), as soon as it is known. */
void vol_sensors_jobs(struct vol_sensors *s, const char *cgroup);

/* Does anything depend on the slow sensors now? */
void vol_sensors_watch(struct vol_sensors *s, bool watching);

/* The reflex said that its state has changed. */
void vol_sensors_input(struct vol_sensors *s);

/* The claim of sensor sleep has been answered: nothing runs any more. */
void vol_sensors_settled(struct vol_sensors *s);

/* VOL_SENSORS readings, borrowed, always current. */
const struct vol_reading *vol_sensors_readings(const struct vol_sensors *s);

/* Memory PSI "some avg10" of the whole machine in per cent, -1 = unknown. */
double vol_sensors_memory_pressure(const struct vol_sensors *s);

/* Does the machine run on its battery?  A change calls changed, too. */
bool vol_sensors_on_battery(const struct vol_sensors *s);

/* Does uid have an active local session right now (logind)? */
bool vol_sensors_at_seat(const struct vol_sensors *s, uid_t uid);

/* [{"sensor": "input", "says": "away", "for_ms": 1200, "detail": "..."}] */
json_t *vol_sensors_json(const struct vol_sensors *s);

#endif
