/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_logind.h - a logind in the test's own loop, on a bus of its own */
#ifndef VOL_FAKE_LOGIND_H
#define VOL_FAKE_LOGIND_H

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define LOGIND  "org.freedesktop.login1"
#define MANAGER LOGIND ".Manager"
#define SESSION LOGIND ".Session"
#define PATH    "/org/freedesktop/login1"

struct session {
	const char *id, *path, *user, *seat, *class, *type;
	uint32_t uid;
	int active, remote, idle, locked;
	sd_bus_slot *slot;
};

struct inhibitor {
	const char *what, *who, *why, *mode;
};

/* What it knows, and its side of the bus. */
struct logind {
	sd_bus *bus; /* NULL = it does not run */
	struct session sessions[8];
	struct inhibitor inhibitors[4];
	size_t n_sessions, n_inhibitors;
	int lock; /* our end of the last delay lock's pipe, -1 = none */
	unsigned locks;
	const char *refuse; /* ListInhibitors, with this reason */
};

extern struct logind logind;

/* socket: of the bus; must be there. */
void start_logind(sd_event *loop, const char *socket);
void stop_logind(void);

/* A session that is there from now on; unset members are ann's at the seat. */
struct session *add_session(struct session s);

/* Change a member and tell. */
void set(struct session *s, const char *property, int *member, int value);

/* Say that the list of inhibitors is another one. */
void inhibitors_changed(void);

/* PrepareForSleep, PrepareForShutdown */
void prepare(const char *signal, int begin);

#endif
