/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logind.h - is logind there?  For the sensors that ask it */
#ifndef VOL_LOGIND_H
#define VOL_LOGIND_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "error.h"

#define LOGIND          "org.freedesktop.login1"
#define LOGIND_PATH     "/org/freedesktop/login1"
#define LOGIND_MANAGER  "org.freedesktop.login1.Manager"
#define LOGIND_SESSION  "org.freedesktop.login1.Session"
#define DBUS_PROPERTIES "org.freedesktop.DBus.Properties"

#define LOGIND_NONE "no logind on the system bus"

struct vol_logind {
	sd_bus *bus; /* borrowed */
	sd_bus_slot *owner, *question;
	void (*changed)(bool there, void *arg);
	void *arg;
};

/* changed is called soon, and whenever logind comes (also in place of another
 * one: all that was asked of that is void) or goes. */
int vol_logind_watch(struct vol_logind *l, sd_bus *bus,
		     void (*changed)(bool there, void *arg), void *arg,
		     struct vol_error *err);
void vol_logind_unwatch(struct vol_logind *l);

/* f(arg) for a signal of logind's manager. */
int vol_logind_signal(struct vol_logind *l, sd_bus_slot **slot,
		      const char *member, sd_bus_message_handler_t f, void *arg,
		      struct vol_error *err);

#endif
