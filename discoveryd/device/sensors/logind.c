/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logind.c - is logind there?  For the sensors that ask it */
#include "config.h"

#include "device/sensors/logind.h"

#include <string.h>

#define DBUS      "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"

static int on_owner_changed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct vol_logind *l = arg;
	const char *name, *old, *new;

	(void)error;
	if (sd_bus_message_read(m, "sss", &name, &old, &new) >= 0)
		l->changed(new[0] != '\0', l->arg);
	return 0;
}

static int on_answer(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct vol_logind *l = arg;

	(void)error;
	l->changed(!sd_bus_message_is_method_error(m, NULL), l->arg);
	return 0;
}

int vol_logind_watch(struct vol_logind *l, sd_bus *bus,
		     void (*changed)(bool there, void *arg), void *arg,
		     struct vol_error *err)
{
	int r;

	*l = (struct vol_logind){.bus = bus, .changed = changed, .arg = arg};
	r = sd_bus_add_match_async(
		bus, &l->owner,
		"type='signal',sender='" DBUS "',interface='" DBUS "',"
		"member='NameOwnerChanged',arg0='" LOGIND "'",
		on_owner_changed, NULL, l);
	if (r >= 0)
		r = sd_bus_call_method_async(bus, &l->question, DBUS, DBUS_PATH,
					     DBUS, "GetNameOwner", on_answer, l,
					     "s", LOGIND);
	if (r < 0)
		return vol_errorf_errno(err, -r, "system bus: %s",
					strerror(-r));
	return 0;
}

void vol_logind_unwatch(struct vol_logind *l)
{
	l->owner = sd_bus_slot_unref(l->owner);
	l->question = sd_bus_slot_unref(l->question);
}

int vol_logind_signal(struct vol_logind *l, sd_bus_slot **slot,
		      const char *member, sd_bus_message_handler_t f, void *arg,
		      struct vol_error *err)
{
	int r = sd_bus_match_signal_async(l->bus, slot, LOGIND, LOGIND_PATH,
					  LOGIND_MANAGER, member, f, NULL, arg);

	if (r < 0)
		return vol_errorf_errno(err, -r, "signal %s of logind: %s",
					member, strerror(-r));
	return 0;
}
