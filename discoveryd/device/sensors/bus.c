/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bus.c - a connection to the system bus that comes back */
#include "config.h"

#include "device/sensors/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "backoff.h"
#include "log.h"

#define ADDRESS    "unix:path=/run/dbus/system_bus_socket"
#define LOCAL      "org.freedesktop.DBus.Local"
#define LOCAL_PATH "/org/freedesktop/DBus/Local"
/* A bus that is there answers within milliseconds; so long "none" is not said
 * at the start. */
#define PATIENCE_MS 3000

struct vol_sensor_bus {
	sd_event *loop;
	sd_bus *bus;
	sd_event_source *timer;
	struct vol_backoff backoff;
	void (*changed)(sd_bus *bus, void *arg);
	void *arg;
};

static void try_again(struct vol_sensor_bus *b)
{
	sd_event_source_set_time_relative(b->timer,
					  vol_backoff_next(&b->backoff) * 1000);
	sd_event_source_set_enabled(b->timer, SD_EVENT_ONESHOT);
}

static int on_connected(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct vol_sensor_bus *b = arg;

	(void)m;
	(void)error;
	sd_event_source_set_enabled(b->timer, SD_EVENT_OFF);
	vol_backoff_reset(&b->backoff);
	b->changed(b->bus, b->arg);
	return 0;
}

static int on_disconnected(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct vol_sensor_bus *b = arg;

	(void)m;
	(void)error;
	vol_debug("lost the system bus");
	b->changed(NULL, b->arg);
	try_again(b);
	return 0;
}

static int open_bus(struct vol_sensor_bus *b)
{
	const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	int r;

	/* As sd_bus_open_system, which would not wait for the socket. */
	if ((r = sd_bus_new(&b->bus)) < 0 ||
	    (r = sd_bus_set_address(b->bus, address ? address : ADDRESS)) < 0 ||
	    (r = sd_bus_set_bus_client(b->bus, 1)) < 0 ||
	    (r = sd_bus_set_watch_bind(b->bus, 1)) < 0 ||
	    (r = sd_bus_set_connected_signal(b->bus, 1)) < 0 ||
	    (r = sd_bus_match_signal_async(b->bus, NULL, LOCAL, LOCAL_PATH,
					   LOCAL, "Connected", on_connected,
					   NULL, b)) < 0 ||
	    (r = sd_bus_match_signal_async(b->bus, NULL, LOCAL, LOCAL_PATH,
					   LOCAL, "Disconnected",
					   on_disconnected, NULL, b)) < 0 ||
	    (r = sd_bus_start(b->bus)) < 0 ||
	    (r = sd_bus_attach_event(b->bus, b->loop,
				     SD_EVENT_PRIORITY_NORMAL)) < 0)
		vol_debug("system bus: %s", strerror(-r));
	return r;
}

static void drop_bus(struct vol_sensor_bus *b)
{
	if (b->bus)
		sd_bus_detach_event(b->bus);
	b->bus = sd_bus_close_unref(b->bus);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_sensor_bus *b = arg;

	(void)source;
	(void)usec;
	if (b->bus && sd_bus_is_open(b->bus) > 0) {
		/* It waits for its socket by itself. */
		b->changed(NULL, b->arg);
		return 0;
	}
	drop_bus(b);
	if (open_bus(b) < 0) {
		b->changed(NULL, b->arg);
		try_again(b);
	}
	return 0;
}

struct vol_sensor_bus *vol_sensor_bus_create(sd_event *loop,
					     void (*changed)(sd_bus *bus,
							     void *arg),
					     void *arg, struct vol_error *err)
{
	struct vol_sensor_bus *b = calloc(1, sizeof(*b));
	uint64_t seed = 0;
	int r;

	if (!b) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	b->loop = loop;
	b->changed = changed;
	b->arg = arg;
	(void)!getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
	vol_backoff_init(&b->backoff, 1000, 60000, seed);
	r = sd_event_add_time_relative(loop, &b->timer, CLOCK_MONOTONIC,
				       PATIENCE_MS * 1000, 0, on_timer, b);
	if (r < 0) {
		vol_errorf_errno(err, -r, "timer: %s", strerror(-r));
		vol_sensor_bus_destroy(b);
		return NULL;
	}
	(void)open_bus(b); /* on_timer looks whether that worked */
	return b;
}

void vol_sensor_bus_destroy(struct vol_sensor_bus *b)
{
	int saved = errno;

	if (!b)
		return;
	drop_bus(b);
	sd_event_source_disable_unref(b->timer);
	free(b);
	errno = saved;
}
