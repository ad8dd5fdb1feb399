/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pressure.c - sensor: the owner's programs wait for memory or the disk
 *
 * Told by the kernel's triggers (PSI) on user.slice, where systemd keeps
 * people's programs.  The figures of the whole machine would not do: a job
 * that runs into its own limits, or only reads files, would park itself
 * without end.
 */
#include "config.h"

#include "device/sensors/sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "device/sensors/sysfile.h"
#include "log.h"

/* A claim lasts so long after the last trigger. */
#define HOLD_US UINT64_C(10000000)
#define SLICE   "user.slice"

enum { MEMORY, IO, RESOURCES };

/* Stall and window in microseconds; without CAP_SYS_RESOURCE windows must be
 * multiples of 2 s.  For the disk only what stops all of the
 * owner's programs counts, since one that reads a file waits most of its time.
 */
static const struct {
	const char *file, *trigger, *what;
} resources[RESOURCES] = {
	[MEMORY] = {"memory.pressure", "some 300000 2000000", "memory"},
	[IO] = {"io.pressure", "full 600000 2000000", "the disk"},
};

struct trigger {
	struct pressure *pressure;
	sd_event_source *io;
	int resource;
};

struct pressure {
	struct vol_sensor_host *host;
	sd_event_source *watch, *timer;
	struct trigger triggers[RESOURCES];
	char mount[PATH_MAX]; /* of cgroup2, with root in front */
};

double vol_pressure_of_memory(const char *root)
{
	char text[256];
	double avg10;

	if (vol_sysfile_read(root, text, sizeof(text),
			     "/proc/pressure/memory") < 0 ||
	    sscanf(text, "some avg10=%lf", &avg10) != 1)
		return -1;
	return avg10;
}

static void report(struct pressure *p, enum vol_says says, const char *detail)
{
	vol_sensor_report(p->host->sensors, VOL_SENSOR_PRESSURE, says, 0, "%s",
			  detail);
}

static void disarm(struct pressure *p)
{
	for (int i = 0; i < RESOURCES; i++)
		p->triggers[i].io =
			sd_event_source_disable_unref(p->triggers[i].io);
}

static void look(struct pressure *p);

static int on_trigger(sd_event_source *source, int fd, uint32_t events,
		      void *arg)
{
	struct trigger *t = arg;
	struct pressure *p = t->pressure;
	char detail[VOL_DETAIL_SIZE];

	(void)source;
	(void)fd;
	if (events & (EPOLLERR | EPOLLHUP)) {
		/* The slice went with its last session. */
		disarm(p);
		look(p);
		return 0;
	}
	snprintf(detail, sizeof(detail), "the owner's programs wait for %s",
		 resources[t->resource].what);
	report(p, VOL_SAYS_PRESENT, detail);
	sd_event_source_set_time_relative(p->timer, HOLD_US);
	sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	report(arg, VOL_SAYS_AWAY, "no program of the owner waits");
	return 0;
}

static int arm(struct pressure *p, int resource)
{
	struct trigger *t = &p->triggers[resource];
	const char *trigger = resources[resource].trigger;
	char path[PATH_MAX + 64];
	cleanup_fd int fd = -1;
	int r;

	snprintf(path, sizeof(path), "%s/" SLICE "/%s", p->mount,
		 resources[resource].file);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	/* The kernel cuts off the last byte, whatever it is. */
	if (fd < 0 || write(fd, trigger, strlen(trigger) + 1) < 0)
		return -1;
	t->pressure = p;
	t->resource = resource;
	r = sd_event_add_io(p->host->loop, &t->io, fd, EPOLLPRI, on_trigger, t);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	sd_event_source_set_io_fd_own(t->io, 1);
	(void)steal_fd(&fd);
	return 0;
}

static bool exists(const char *root, const char *path)
{
	char whole[PATH_MAX];

	return snprintf(whole, sizeof(whole), "%s%s", root, path) <
		       (int)sizeof(whole) &&
	       access(whole, F_OK) == 0;
}

static void look(struct pressure *p)
{
	const char *root = p->host->root;
	bool armed = p->triggers[MEMORY].io != NULL;

	if (vol_pressure_of_memory(root) < 0) {
		report(p, VOL_SAYS_UNKNOWN,
		       "this kernel does not measure pressure (psi=1)");
	} else if (!exists(root, "/run/systemd/system") || !p->watch) {
		report(p, VOL_SAYS_UNKNOWN,
		       "no " SLICE " tells the owner's programs apart");
	} else if (armed || arm(p, MEMORY) == 0) {
		if (!armed && arm(p, IO) < 0)
			vol_info("no trigger for " SLICE "/io.pressure: %s",
				 strerror(errno));
		if (!armed)
			report(p, VOL_SAYS_AWAY,
			       "no program of the owner waits");
	} else if (errno == ENOENT || errno == ENODEV) {
		report(p, VOL_SAYS_AWAY, "the owner runs no programs");
	} else {
		vol_sensor_report(p->host->sensors, VOL_SENSOR_PRESSURE,
				  VOL_SAYS_UNKNOWN, 0,
				  SLICE "/memory.pressure: %s",
				  strerror(errno));
	}
}

static int on_folder(sd_event_source *source, const struct inotify_event *event,
		     void *arg)
{
	struct pressure *p = arg;

	(void)source;
	if (event->len == 0 || strcmp(event->name, SLICE) != 0)
		return 0;
	if (event->mask & IN_DELETE)
		disarm(p);
	look(p);
	return 0;
}

static void pressure_destroy(void *self)
{
	struct pressure *p = self;

	if (!p)
		return;
	disarm(p);
	sd_event_source_disable_unref(p->watch);
	sd_event_source_disable_unref(p->timer);
	free(p);
}

static void *pressure_create(struct vol_sensor_host *host,
			     struct vol_error *err)
{
	struct pressure *p = calloc(1, sizeof(*p));
	bool hybrid;

	if (!p || sd_event_add_time(host->loop, &p->timer, CLOCK_MONOTONIC, 0,
				    0, on_timer, p) < 0) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		pressure_destroy(p);
		return NULL;
	}
	sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
	p->host = host;
	hybrid = !exists(host->root, "/sys/fs/cgroup/cgroup.controllers");
	snprintf(p->mount, sizeof(p->mount), "%s/sys/fs/cgroup%s", host->root,
		 hybrid ? "/unified" : "");
	/* Without it there is no cgroup2. */
	(void)sd_event_add_inotify(host->loop, &p->watch, p->mount,
				   IN_CREATE | IN_DELETE | IN_ONLYDIR,
				   on_folder, p);
	look(p);
	return p;
}

const struct vol_sensor_ops vol_sensor_pressure = {
	.id = VOL_SENSOR_PRESSURE,
	.create = pressure_create,
	.destroy = pressure_destroy,
};
