/* SPDX-License-Identifier: GPL-2.0-or-later */
/* role.h - what main() knows about the two roles */
#ifndef VOL_ROLE_H
#define VOL_ROLE_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "error.h"

struct vol_role {
	const char *name;         /* "controller" */
	const char *default_conf; /* absolute path */
	/* Read the configuration and start; NULL with *err on failure.  With
	 * check_only nothing is started and the result is a token to stop. */
	void *(*start)(sd_event *loop, const char *conf_path, bool check_only,
		       struct vol_error *err);
	/* SIGHUP: validate the whole new file, then swap; on error keep the
	 * old one. */
	int (*reload)(void *self, struct vol_error *err);
	/* SIGTERM/SIGINT: begin to leave; calls sd_event_exit when done
	 * (main forces it after 30 s). */
	void (*leave)(void *self);
	void (*stop)(void *self);
};

extern const struct vol_role vol_role_controller;
extern const struct vol_role vol_role_device;

#endif
