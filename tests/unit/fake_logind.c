/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_logind.c - a logind in the test's own loop, on a bus of its own */
#include "config.h"

#include "fake_logind.h"

#include <fcntl.h>
#include <unistd.h>

#include "vtest.h"

struct logind logind;

static int list_sessions(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	sd_bus_message *reply;

	(void)arg;
	(void)error;
	assert_true(sd_bus_message_new_method_return(m, &reply) >= 0);
	sd_bus_message_open_container(reply, 'a', "(susso)");
	for (size_t i = 0; i < logind.n_sessions; i++) {
		const struct session *s = &logind.sessions[i];

		sd_bus_message_append(reply, "(susso)", s->id, s->uid, s->user,
				      s->seat, s->path);
	}
	sd_bus_message_close_container(reply);
	assert_true(sd_bus_send(NULL, reply, NULL) >= 0);
	sd_bus_message_unref(reply);
	return 1;
}

static int list_inhibitors(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	sd_bus_message *reply;

	(void)arg;
	if (logind.refuse)
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
					logind.refuse);
	assert_true(sd_bus_message_new_method_return(m, &reply) >= 0);
	sd_bus_message_open_container(reply, 'a', "(ssssuu)");
	for (size_t i = 0; i < logind.n_inhibitors; i++) {
		const struct inhibitor *in = &logind.inhibitors[i];

		sd_bus_message_append(reply, "(ssssuu)", in->what, in->who,
				      in->why, in->mode, 1000, 1);
	}
	sd_bus_message_close_container(reply);
	assert_true(sd_bus_send(NULL, reply, NULL) >= 0);
	sd_bus_message_unref(reply);
	return 1;
}

static int inhibit(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *what, *who, *why, *mode;
	int pipes[2], r;

	(void)arg;
	(void)error;
	assert_true(sd_bus_message_read(m, "ssss", &what, &who, &why, &mode) >=
		    0);
	assert_string_equal(what, "sleep:shutdown");
	assert_string_equal(mode, "delay");
	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	if (logind.lock >= 0)
		close(logind.lock);
	logind.lock = pipes[0];
	logind.locks++;
	r = sd_bus_reply_method_return(m, "h", pipes[1]);
	close(pipes[1]);
	return r;
}

static int get_seat(sd_bus *bus, const char *path, const char *interface,
		    const char *property, sd_bus_message *reply, void *arg,
		    sd_bus_error *error)
{
	const struct session *s = arg;

	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	return sd_bus_message_append(reply, "(so)", s->seat, "/");
}

static int get_user(sd_bus *bus, const char *path, const char *interface,
		    const char *property, sd_bus_message *reply, void *arg,
		    sd_bus_error *error)
{
	const struct session *s = arg;

	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	return sd_bus_message_append(reply, "(uo)", s->uid, "/");
}

static int get_blocked(sd_bus *bus, const char *path, const char *interface,
		       const char *property, sd_bus_message *reply, void *arg,
		       sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)arg;
	(void)error;
	return sd_bus_message_append(reply, "s", "idle");
}

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("ListSessions", "", "a(susso)", list_sessions,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ListInhibitors", "", "a(ssssuu)", list_inhibitors,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Inhibit", "ssss", "h", inhibit,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("BlockInhibited", "s", get_blocked, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_VTABLE_END,
};

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define AT(m)   offsetof(struct session, m)

static const sd_bus_vtable session_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Active", "b", NULL, AT(active), CHANGES),
	SD_BUS_PROPERTY("Remote", "b", NULL, AT(remote), 0),
	SD_BUS_PROPERTY("IdleHint", "b", NULL, AT(idle), CHANGES),
	SD_BUS_PROPERTY("LockedHint", "b", NULL, AT(locked), CHANGES),
	SD_BUS_PROPERTY("Class", "s", NULL, AT(class), 0),
	SD_BUS_PROPERTY("Type", "s", NULL, AT(type), CHANGES),
	SD_BUS_PROPERTY("Name", "s", NULL, AT(user), 0),
	SD_BUS_PROPERTY("VTNr", "u", NULL, AT(uid), 0),
	SD_BUS_PROPERTY("Seat", "(so)", get_seat, 0, 0),
	SD_BUS_PROPERTY("User", "(uo)", get_user, 0, 0),
	SD_BUS_VTABLE_END,
};

void start_logind(sd_event *loop, const char *socket)
{
	char address[512];

	snprintf(address, sizeof(address), "unix:path=%s", socket);
	assert_true(sd_bus_new(&logind.bus) >= 0);
	assert_true(sd_bus_set_address(logind.bus, address) >= 0);
	assert_true(sd_bus_set_bus_client(logind.bus, 1) >= 0);
	assert_true(sd_bus_start(logind.bus) >= 0);
	assert_true(sd_bus_attach_event(logind.bus, loop, 0) >= 0);
	assert_true(sd_bus_add_object_vtable(logind.bus, NULL, PATH, MANAGER,
					     manager_vtable, NULL) >= 0);
	for (size_t i = 0; i < logind.n_sessions; i++) {
		struct session *s = &logind.sessions[i];

		assert_true(sd_bus_add_object_vtable(logind.bus, &s->slot,
						     s->path, SESSION,
						     session_vtable, s) >= 0);
	}
	assert_true(sd_bus_request_name(logind.bus, LOGIND, 0) >= 0);
}

void stop_logind(void)
{
	for (size_t i = 0; i < logind.n_sessions; i++)
		logind.sessions[i].slot =
			sd_bus_slot_unref(logind.sessions[i].slot);
	logind.bus = sd_bus_flush_close_unref(logind.bus);
}

struct session *add_session(struct session s)
{
	struct session *new = &logind.sessions[logind.n_sessions++];

	*new = s;
	new->user = s.user ? s.user : "ann";
	new->seat = s.seat ? s.seat : "seat0";
	new->class = s.class ? s.class : "user";
	new->uid = s.uid ? s.uid : 1000;
	if (!logind.bus)
		return new;
	assert_true(sd_bus_add_object_vtable(logind.bus, &new->slot, new->path,
					     SESSION, session_vtable,
					     new) >= 0);
	assert_true(sd_bus_emit_signal(logind.bus, PATH, MANAGER, "SessionNew",
				       "so", new->id, new->path) >= 0);
	return new;
}

void set(struct session *s, const char *property, int *member, int value)
{
	*member = value;
	assert_true(sd_bus_emit_properties_changed(logind.bus, s->path, SESSION,
						   property, NULL) >= 0);
}

void inhibitors_changed(void)
{
	assert_true(sd_bus_emit_properties_changed(logind.bus, PATH, MANAGER,
						   "BlockInhibited",
						   NULL) >= 0);
}

void prepare(const char *signal, int begin)
{
	assert_true(sd_bus_emit_signal(logind.bus, PATH, MANAGER, signal, "b",
				       begin) >= 0);
}
