/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slurmd_unit.c - start slurmd as a transient unit of systemd
 *
 * The bus is used for the start only: StartTransientUnit, its JobRemoved, the
 * unit's MainPID.  Settings follow Slurm's own slurmd.service, but for the
 * slice (see slice.h).
 */
#include "config.h"

#include "device/slurmd_start.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include "device/slice.h"

#define UNIT         "slurm-volunteer-slurmd.service"
#define SYSTEMD      "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define MANAGER      "org.freedesktop.systemd1.Manager"
#define START_US     (30 * 1000 * 1000ULL)

struct vol_slurmd_unit {
	sd_bus *bus;
	sd_event_source *timer;
	char *job; /* object path of the start job */
	vol_slurmd_unit_f done;
	void *arg;
};

bool vol_slurmd_have_systemd(void)
{
	return sd_booted() > 0;
}

static void finish(struct vol_slurmd_unit *u, pid_t pid, const char *reason)
{
	u->timer = sd_event_source_disable_unref(u->timer);
	u->done(pid, reason, u->arg);
}

static int on_pid(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	uint32_t pid = 0;

	(void)error;
	if (!e)
		sd_bus_message_read(m, "v", "u", &pid);
	if (pid == 0)
		finish(arg, 0,
		       e && e->message ? e->message : "slurmd ended at once");
	else
		finish(arg, (pid_t)pid, NULL);
	return 0;
}

static void ask_pid(struct vol_slurmd_unit *u)
{
	char *path = NULL;
	int r = sd_bus_path_encode(SYSTEMD_PATH "/unit", UNIT, &path);

	if (r >= 0)
		r = sd_bus_call_method_async(u->bus, NULL, SYSTEMD, path,
					     "org.freedesktop.DBus.Properties",
					     "Get", on_pid, u, "ss",
					     SYSTEMD ".Service", "MainPID");
	free(path);
	if (r < 0)
		finish(u, 0, strerror(-r));
}

static int on_job_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct vol_slurmd_unit *u = arg;
	const char *job, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) < 0 ||
	    !u->job || strcmp(job, u->job) != 0)
		return 0;
	if (strcmp(result, "done") != 0)
		finish(u, 0, result);
	else
		ask_pid(u);
	return 0;
}

static int on_started(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct vol_slurmd_unit *u = arg;
	const char *job;

	(void)error;
	if (e) {
		finish(u, 0, e->message ? e->message : e->name);
		return 0;
	}
	if (sd_bus_message_read(m, "o", &job) < 0 || !(u->job = strdup(job)))
		finish(u, 0, "no answer that makes sense");
	return 0;
}

static int add_exec(sd_bus_message *m, const struct vol_slurmd_paths *paths,
		    const struct vol_slurmd_spec *spec)
{
	const char *argv[VOL_SLURMD_ARGS];
	int r;

	vol_slurmd_args(paths, spec, argv);
	if ((r = sd_bus_message_open_container(m, 'r', "sv")) < 0 ||
	    (r = sd_bus_message_append(m, "s", "ExecStart")) < 0 ||
	    (r = sd_bus_message_open_container(m, 'v', "a(sasb)")) < 0 ||
	    (r = sd_bus_message_open_container(m, 'a', "(sasb)")) < 0 ||
	    (r = sd_bus_message_open_container(m, 'r', "sasb")) < 0 ||
	    (r = sd_bus_message_append(m, "s", argv[0])) < 0 ||
	    (r = sd_bus_message_append_strv(m, (char **)argv)) < 0 ||
	    (r = sd_bus_message_append(m, "b", 0)) < 0)
		return r;
	for (int i = 0; i < 4; i++)
		if ((r = sd_bus_message_close_container(m)) < 0)
			return r;
	return 0;
}

static int add_properties(sd_bus_message *m,
			  const struct vol_slurmd_paths *paths,
			  const struct vol_slurmd_spec *spec)
{
	char marker[VOL_MARKER_SIZE], view[VOL_VIEW_SIZE];
	int r;

	vol_procs_marker(spec->node, marker);
	vol_procs_view(spec->view, view);
	r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r < 0)
		return r;
	r = sd_bus_message_append(
		m, "(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)",
		"Description", "s",
		"Slurm node daemon of this volunteer device", "Type", "s",
		"exec", "Environment", "as", 2, marker, view, "Slice", "s",
		VOL_SLICE, "Delegate", "b", 1, "KillMode", "s", "process",
		"LimitNOFILE", "t", (uint64_t)VOL_SLURMD_NOFILE, "LimitMEMLOCK",
		"t", UINT64_MAX, "LimitSTACK", "t", UINT64_MAX, "TasksMax", "t",
		UINT64_MAX,
		/* So that the name is free again after a failure.  For
		 * that the unit must be empty, too: see slice_enter.c. */
		"CollectMode", "s", "inactive-or-failed");
	if (r >= 0)
		r = add_exec(m, paths, spec);
	if (r < 0)
		return r;
	return sd_bus_message_close_container(m);
}

static int call_start(struct vol_slurmd_unit *u,
		      const struct vol_slurmd_paths *paths,
		      const struct vol_slurmd_spec *spec)
{
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(u->bus, &m, SYSTEMD,
					       SYSTEMD_PATH, MANAGER,
					       "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", UNIT, "replace");
	if (r >= 0)
		r = add_properties(m, paths, spec);
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call_async(u->bus, NULL, m, on_started, u, 0);
	sd_bus_message_unref(m);
	return r;
}

static int on_late(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	finish(arg, 0, "systemd does not answer");
	return 0;
}

static int connect_bus(struct vol_slurmd_unit *u, sd_event *loop)
{
	int r = sd_bus_open_system(&u->bus);

	if (r >= 0)
		r = sd_bus_attach_event(u->bus, loop, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_bus_match_signal_async(u->bus, NULL, SYSTEMD,
					      SYSTEMD_PATH, MANAGER,
					      "JobRemoved", on_job_removed,
					      NULL, u);
	/* Without it systemd sends no signals. */
	if (r >= 0)
		r = sd_bus_call_method_async(u->bus, NULL, SYSTEMD,
					     SYSTEMD_PATH, MANAGER, "Subscribe",
					     NULL, NULL, NULL);
	return r;
}

struct vol_slurmd_unit *vol_slurmd_start_unit(
	sd_event *loop, const struct vol_slurmd_paths *paths,
	const struct vol_slurmd_spec *spec, vol_slurmd_unit_f done, void *arg,
	struct vol_error *err)
{
	struct vol_slurmd_unit *u = calloc(1, sizeof(*u));
	int r;

	if (!u) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	u->done = done;
	u->arg = arg;
	r = connect_bus(u, loop);
	if (r >= 0)
		r = call_start(u, paths, spec);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &u->timer, CLOCK_MONOTONIC,
					       START_US, 0, on_late, u);
	if (r < 0) {
		vol_errorf_errno(err, -r, "systemd: %s", strerror(-r));
		vol_slurmd_unit_destroy(u);
		return NULL;
	}
	return u;
}

void vol_slurmd_unit_destroy(struct vol_slurmd_unit *u)
{
	int saved = errno;

	if (!u)
		return;
	sd_event_source_disable_unref(u->timer);
	if (u->bus) {
		sd_bus_detach_event(u->bus);
		sd_bus_close_unref(u->bus);
	}
	free(u->job);
	free(u);
	errno = saved;
}
