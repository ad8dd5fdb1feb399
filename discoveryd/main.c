/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - discoveryd: one foreground process, one event loop, one role */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "log.h"
#include "options.h"
#include "role.h"
#include "secret_json.h"

/* Leaving waits for job steps and slurmd; TimeoutStopSec of the unit is
 * longer. */
#define LEAVE_US (30 * 1000 * 1000ULL)

static const struct vol_role *const roles[] = {
	&vol_role_controller,
	&vol_role_device,
	NULL,
};

struct daemon {
	sd_event *loop;
	const struct vol_role *role;
	void *self;
	sd_event_source *forced; /* end of the wait, once we leave */
};

static int on_forced(sd_event_source *s, uint64_t usec, void *arg)
{
	struct daemon *d = arg;

	(void)s;
	(void)usec;
	vol_warn("not done leaving in time, ending now");
	return sd_event_exit(d->loop, EXIT_FAILURE);
}

static int on_leave(sd_event_source *s, const struct signalfd_siginfo *si,
		    void *arg)
{
	struct daemon *d = arg;

	(void)s;
	if (d->forced) {
		vol_info("%s again", strsignal((int)si->ssi_signo));
		return 0;
	}
	vol_info("%s: leaving", strsignal((int)si->ssi_signo));
	sd_notify(0, "STOPPING=1\nSTATUS=Leaving");
	if (sd_event_add_time_relative(d->loop, &d->forced, CLOCK_MONOTONIC,
				       LEAVE_US, 0, on_forced, d) < 0)
		return sd_event_exit(d->loop, EXIT_FAILURE);
	d->role->leave(d->self);
	return 0;
}

static int on_reload(sd_event_source *s, const struct signalfd_siginfo *si,
		     void *arg)
{
	struct daemon *d = arg;
	struct vol_error err;

	(void)s;
	(void)si;
	/* Leaving: nothing is to be started any more. */
	if (d->forced)
		return 0;
	sd_notify(0, "RELOADING=1");
	if (d->role->reload(d->self, &err) < 0)
		vol_err("configuration not changed: %s", err.text);
	else
		vol_info("configuration reloaded");
	sd_notify(0, "READY=1");
	return 0;
}

/* Before any thread starts: all of them inherit the mask. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int watch_signals(struct daemon *d)
{
	int r = sd_event_add_signal(d->loop, NULL, SIGTERM, on_leave, d);

	if (r >= 0)
		r = sd_event_add_signal(d->loop, NULL, SIGINT, on_leave, d);
	if (r >= 0)
		r = sd_event_add_signal(d->loop, NULL, SIGHUP, on_reload, d);
	if (r >= 0)
		r = sd_event_set_watchdog(d->loop, true);
	return r;
}

/* A wrong configuration stays wrong: systemd need not try again. */
static int why_not_started(struct daemon *d, const struct vol_options *options)
{
	void *checked = d->role->start(d->loop, options->conf_path, true, NULL);

	if (!checked)
		return EX_CONFIG;
	d->role->stop(checked);
	return EXIT_FAILURE;
}

static int run(struct daemon *d, const struct vol_options *options)
{
	struct vol_error err = {"no reason given"};
	int r = sd_event_default(&d->loop);

	if (r >= 0)
		r = watch_signals(d);
	if (r < 0) {
		vol_err("can not make an event loop: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	d->role = options->role;
	d->self = d->role->start(d->loop, options->conf_path, options->check,
				 &err);
	if (!d->self) {
		vol_err("%s", err.text);
		return why_not_started(d, options);
	}
	if (options->check) {
		printf("%s: right\n", options->conf_path);
		r = EXIT_SUCCESS;
	} else {
		sd_notify(0, "READY=1");
		r = sd_event_loop(d->loop);
	}
	d->role->stop(d->self);
	sd_event_source_unref(d->forced);
	return r < 0 ? EXIT_FAILURE : r;
}

int main(int argc, char **argv)
{
	struct vol_options options;
	struct daemon d = {0};
	int status;

	vol_secret_json();
	switch (vol_options_parse(argc, argv, roles, &options)) {
	case VOL_OPTIONS_DONE:
		return EXIT_SUCCESS;
	case VOL_OPTIONS_WRONG:
		return 2;
	case VOL_OPTIONS_RUN:
		break;
	}
	vol_log_set(vol_log_sink_daemon, NULL,
		    options.verbose ? VOL_LOG_DEBUG : VOL_LOG_INFO);
	block_signals();
	status = run(&d, &options);
	sd_event_unref(d.loop);
	return status;
}
