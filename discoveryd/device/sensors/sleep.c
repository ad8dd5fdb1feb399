/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sleep.c - sensor: the machine is about to sleep or to shut down
 *
 * A delay lock of logind's gives us the time to stop or move jobs.  It is held
 * until all has been done for the claim, or for most of what logind grants.
 */
#include "config.h"

#include "device/sensors/logind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device/sensors/sensor.h"
#include "log.h"

struct sleeper {
	struct vol_sensor_host *host;
	struct vol_logind logind;
	sd_bus_slot *sleep, *shutdown, *question;
	sd_event_source *timer;
	int lock;
	bool claims;
};

static void away(struct sleeper *s)
{
	s->claims = false;
	vol_sensor_report(s->host->sensors, VOL_SENSOR_SLEEP, VOL_SAYS_AWAY, 0,
			  "%s", "");
}

static void release(struct sleeper *s)
{
	sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
}

static int on_lock(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct sleeper *s = arg;
	int fd;

	(void)error;
	s->question = sd_bus_slot_unref(s->question);
	if (sd_bus_message_is_method_error(m, NULL))
		vol_warn("can not delay sleep and shutdown: %s",
			 sd_bus_message_get_error(m)->message);
	else if (sd_bus_message_read(m, "h", &fd) >= 0)
		s->lock = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return 0;
}

static void take_lock(struct sleeper *s)
{
	int r;

	release(s);
	s->question = sd_bus_slot_unref(s->question);
	r = sd_bus_call_method_async(s->logind.bus, &s->question, LOGIND,
				     LOGIND_PATH, LOGIND_MANAGER, "Inhibit",
				     on_lock, s, "ssss", "sleep:shutdown",
				     "slurm-volunteer",
				     "volunteer jobs are stopped", "delay");
	if (r < 0)
		vol_warn("can not delay sleep and shutdown: %s", strerror(-r));
}

static int prepare(struct sleeper *s, sd_bus_message *m, const char *what)
{
	int start;

	if (sd_bus_message_read(m, "b", &start) < 0)
		return 0;
	if (!start) {
		/* It has slept, or will not. */
		away(s);
		take_lock(s);
		return 0;
	}
	s->claims = true;
	sd_event_source_set_time_relative(s->timer,
					  VOL_SLEEP_HOLD_MS * UINT64_C(1000));
	sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
	vol_sensor_report(s->host->sensors, VOL_SENSOR_SLEEP, VOL_SAYS_PRESENT,
			  0, "about to %s", what);
	return 0;
}

static int on_sleep(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)error;
	return prepare(arg, m, "sleep");
}

static int on_shutdown(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)error;
	return prepare(arg, m, "shut down");
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	vol_warn("sleep or shutdown goes on, though not all is done");
	release(arg);
	return 0;
}

static void sleep_settled(void *self)
{
	struct sleeper *s = self;

	if (s->claims)
		release(s);
}

static void on_logind(bool there, void *arg)
{
	struct sleeper *s = arg;

	if (there) {
		/* It may have died while it prepared: the claim is over. */
		away(s);
		take_lock(s);
		return;
	}
	vol_sensor_report(s->host->sensors, VOL_SENSOR_SLEEP, VOL_SAYS_UNKNOWN,
			  0, LOGIND_NONE);
}

static void sleep_destroy(void *self)
{
	struct sleeper *s = self;

	if (!s)
		return;
	release(s);
	vol_logind_unwatch(&s->logind);
	sd_bus_slot_unref(s->sleep);
	sd_bus_slot_unref(s->shutdown);
	sd_bus_slot_unref(s->question);
	sd_event_source_disable_unref(s->timer);
	free(s);
}

static void *sleep_create(struct vol_sensor_host *host, struct vol_error *err)
{
	struct sleeper *s = calloc(1, sizeof(*s));

	if (!s) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	s->lock = -1;
	s->host = host;
	if (sd_event_add_time(host->loop, &s->timer, CLOCK_MONOTONIC, 0, 0,
			      on_timer, s) < 0) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		sleep_destroy(s);
		return NULL;
	}
	sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	if (vol_logind_watch(&s->logind, host->bus, on_logind, s, err) < 0 ||
	    vol_logind_signal(&s->logind, &s->sleep, "PrepareForSleep",
			      on_sleep, s, err) < 0 ||
	    vol_logind_signal(&s->logind, &s->shutdown, "PrepareForShutdown",
			      on_shutdown, s, err) < 0) {
		sleep_destroy(s);
		return NULL;
	}
	return s;
}

const struct vol_sensor_ops vol_sensor_sleep = {
	.id = VOL_SENSOR_SLEEP,
	.needs_bus = true,
	.create = sleep_create,
	.destroy = sleep_destroy,
	.settled = sleep_settled,
};
