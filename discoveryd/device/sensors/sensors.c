/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sensors.c - all sensors together */
#include "config.h"

#include "device/sensors/sensors.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device/sensors/bus.h"
#include "refusals.h"
#include "text.h"

static const struct vol_sensor_ops *const table[] = {
	&vol_sensor_input,      &vol_sensor_sessions, &vol_sensor_terminals,
	&vol_sensor_inhibitors, &vol_sensor_load,     &vol_sensor_pressure,
	&vol_sensor_power,      &vol_sensor_heat,     &vol_sensor_sleep,
};

#define N_TABLE (sizeof(table) / sizeof(*table))

struct vol_sensors {
	struct vol_sensor_host host;
	struct vol_sensor_bus *bus;
	sd_event_source *told;
	void (*changed)(void *arg);
	void *arg;
	void *selves[VOL_SENSORS];
	struct vol_reading readings[VOL_SENSORS];
	struct vol_refusals reasons;
	char jobs_cgroup[PATH_MAX];
};

uint64_t vol_sensor_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* What the report leaves open: see sensor.h. */
static void complete(struct vol_reading *new, const struct vol_reading *old)
{
	if (new->since_ms != 0)
		return;
	new->since_ms = vol_sensor_now_ms();
	if (old->says == new->says) {
		new->since_ms = old->since_ms;
		new->never = old->never;
	} else if (new->says == VOL_SAYS_AWAY) {
		new->never = old->says == VOL_SAYS_UNKNOWN;
	}
}

void vol_sensor_report(struct vol_sensors *s, enum vol_sensor id,
		       enum vol_says says, uint64_t since_ms, const char *fmt,
		       ...)
{
	struct vol_reading *old = &s->readings[id];
	struct vol_reading new = {.says = says, .since_ms = since_ms};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(new.detail, sizeof(new.detail), fmt, ap);
	va_end(ap);
	for (char *p = new.detail; *p; p++)
		if (!vol_char_printable((unsigned char)*p))
			*p = '?';
	complete(&new, old);
	if (says == VOL_SAYS_UNKNOWN)
		vol_refusals_log(&s->reasons, "can not tell by sensor",
				 vol_sensor_name(id), new.detail);
	if (old->says == says && old->since_ms == new.since_ms &&
	    old->never == new.never && !strcmp(old->detail, new.detail))
		return;
	*old = new;
	/* Not from here: a sensor may be in the middle of something. */
	sd_event_source_set_enabled(s->told, SD_EVENT_ONESHOT);
}

static int on_told(sd_event_source *source, void *arg)
{
	struct vol_sensors *s = arg;

	(void)source;
	s->changed(s->arg);
	return 0;
}

static int start(struct vol_sensors *s, const struct vol_sensor_ops *ops,
		 struct vol_error *err)
{
	s->selves[ops->id] = ops->create(&s->host, err);
	if (s->selves[ops->id])
		return 0;
	return vol_error_prefix(err, "sensor %s", vol_sensor_name(ops->id));
}

static void stop(struct vol_sensors *s, const struct vol_sensor_ops *ops)
{
	ops->destroy(s->selves[ops->id]);
	s->selves[ops->id] = NULL;
}

static void on_bus(sd_bus *bus, void *arg)
{
	struct vol_sensors *s = arg;

	s->host.bus = bus;
	for (size_t i = 0; i < N_TABLE; i++) {
		struct vol_error err;

		if (!table[i]->needs_bus)
			continue;
		stop(s, table[i]);
		if (!bus)
			vol_sensor_report(s, table[i]->id, VOL_SAYS_UNKNOWN, 0,
					  "no system bus");
		else if (start(s, table[i], &err) < 0)
			vol_sensor_report(s, table[i]->id, VOL_SAYS_UNKNOWN, 0,
					  "%s", err.text);
	}
}

struct vol_sensors *vol_sensors_create(sd_event *loop,
				       struct vol_reflex *reflex,
				       const struct vol_policy *policy,
				       const char *input_devices,
				       void (*changed)(void *arg), void *arg,
				       struct vol_error *err)
{
	struct vol_sensors *s = calloc(1, sizeof(*s));
	uint64_t now = vol_sensor_now_ms();
	int r;

	if (!s) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	s->host = (struct vol_sensor_host){
		.loop = loop,
		.reflex = reflex,
		.policy = policy,
		.input_devices = input_devices,
		.jobs_cgroup = s->jobs_cgroup,
		.root = "",
		.sensors = s,
	};
	s->changed = changed;
	s->arg = arg;
	vol_refusals_init(&s->reasons, now);
	for (int i = 0; i < VOL_SENSORS; i++)
		s->readings[i] = (struct vol_reading){
			.says = VOL_SAYS_UNKNOWN,
			.since_ms = now,
			.detail = "has only just begun to look"};
	r = sd_event_add_defer(loop, &s->told, on_told, s);
	if (r < 0) {
		vol_errorf_errno(err, -r, "sensors: %s", strerror(-r));
		goto error;
	}
	for (size_t i = 0; i < N_TABLE; i++)
		if (!table[i]->needs_bus && start(s, table[i], err) < 0)
			goto error;
	s->bus = vol_sensor_bus_create(loop, on_bus, s, err);
	if (!s->bus)
		goto error;
	return s;
error:
	vol_sensors_destroy(s);
	return NULL;
}

void vol_sensors_destroy(struct vol_sensors *s)
{
	int saved = errno;

	if (!s)
		return;
	for (size_t i = 0; i < N_TABLE; i++)
		stop(s, table[i]);
	vol_sensor_bus_destroy(s->bus);
	sd_event_source_disable_unref(s->told);
	free(s);
	errno = saved;
}

static void reload(struct vol_sensors *s)
{
	for (size_t i = 0; i < N_TABLE; i++)
		if (table[i]->reload && s->selves[table[i]->id])
			table[i]->reload(s->selves[table[i]->id]);
}

void vol_sensors_reload(struct vol_sensors *s, const struct vol_policy *policy,
			const char *input_devices)
{
	s->host.policy = policy;
	s->host.input_devices = input_devices;
	reload(s);
}

void vol_sensors_jobs(struct vol_sensors *s, const char *cgroup)
{
	snprintf(s->jobs_cgroup, sizeof(s->jobs_cgroup), "%s", cgroup);
}

void vol_sensors_watch(struct vol_sensors *s, bool watching)
{
	if (s->host.watching == watching)
		return;
	s->host.watching = watching;
	reload(s);
}

void vol_sensors_input(struct vol_sensors *s)
{
	for (size_t i = 0; i < N_TABLE; i++)
		if (table[i]->input && s->selves[table[i]->id])
			table[i]->input(s->selves[table[i]->id]);
}

void vol_sensors_settled(struct vol_sensors *s)
{
	for (size_t i = 0; i < N_TABLE; i++)
		if (table[i]->settled && s->selves[table[i]->id])
			table[i]->settled(s->selves[table[i]->id]);
}

const struct vol_reading *vol_sensors_readings(const struct vol_sensors *s)
{
	return s->readings;
}

double vol_sensors_memory_pressure(const struct vol_sensors *s)
{
	return vol_pressure_of_memory(s->host.root);
}

bool vol_sensors_on_battery(const struct vol_sensors *s)
{
	return vol_power_on_battery(s->selves[VOL_SENSOR_POWER]);
}

bool vol_sensors_at_seat(const struct vol_sensors *s, uid_t uid)
{
	return vol_sessions_at_seat(s->selves[VOL_SENSOR_SESSIONS], uid);
}

json_t *vol_sensors_json(const struct vol_sensors *s)
{
	uint64_t now = vol_sensor_now_ms();
	json_t *list = json_array();

	for (int i = 0; list && i < VOL_SENSORS; i++) {
		const struct vol_reading *r = &s->readings[i];
		json_t *one =
			json_pack("{s:s, s:s, s:I, s:s}", "sensor",
				  vol_sensor_name((enum vol_sensor)i), "says",
				  vol_says_name(r->says), "for_ms",
				  (json_int_t)(now - r->since_ms), "detail",
				  r->detail);

		if (!one || json_array_append_new(list, one) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}
