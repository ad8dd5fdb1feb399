/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sessions.c - sensor: what people do with their sessions, by logind
 *
 * Two kinds of claims.  Moments: a session at the machine starts or comes to
 * the front, is left, is unlocked, or its desktop says that it is used again.
 * And a lasting one: a desktop that has once said that it idles is believed
 * when it says that it does not.  Others never say either, so that "not idle"
 * of a desktop alone means nothing; and "idle" is never taken as proof that
 * nobody is there.
 */
#include "config.h"

#include "device/sensors/logind.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/sensors/sensor.h"
#include "log.h"

#define SESSION_PATHS "/org/freedesktop/login1/session"

/* What logind says of it; the members that the tables below name. */
struct state {
	int active, remote, idle, locked;
	char class[24], type[16], name[33], seat[33];
	uint32_t uid;
};

struct session {
	struct session *next;
	struct sessions *sessions;
	sd_bus_slot *question;
	struct state state;
	bool known;  /* state was read */
	bool fresh;  /* it was not there before: its start is a claim */
	bool listed; /* by the latest list */
	bool idles;  /* its desktop has once said so */
	char id[32];
	char path[]; /* of the object */
};

struct sessions {
	struct vol_sensor_host *host;
	struct vol_logind logind;
	sd_bus_slot *added, *removed, *properties, *question;
	bool there;
	struct session *list;
	uint64_t last_ms; /* the last moment of a claim, 0 = none */
	char last[VOL_DETAIL_SIZE];
};

static bool is_graphical(const struct state *s)
{
	return !strcmp(s->type, "x11") || !strcmp(s->type, "wayland") ||
	       !strcmp(s->type, "mir");
}

/* Greeters, managers and background jobs are nobody; what comes from outside
 * counts if it has a screen.  Keys typed over ssh are another sensor's. */
static bool counts(const struct state *s)
{
	return s->active && !strncmp(s->class, "user", 4) &&
	       (is_graphical(s) || (!s->remote && !strcmp(s->type, "tty")));
}

static bool in_use(const struct session *s)
{
	return s->known && counts(&s->state) && is_graphical(&s->state) &&
	       s->idles && !s->state.idle && !s->state.locked;
}

static void tell(struct sessions *ss)
{
	struct vol_sensors *sensors = ss->host->sensors;

	for (const struct session *s = ss->list; s; s = s->next)
		if (in_use(s)) {
			vol_sensor_report(sensors, VOL_SENSOR_SESSIONS,
					  VOL_SAYS_PRESENT, 0,
					  "session %s of %s is in use", s->id,
					  s->state.name);
			return;
		}
	vol_sensor_report(sensors, VOL_SENSOR_SESSIONS, VOL_SAYS_AWAY,
			  ss->last_ms, "%s",
			  ss->last_ms ? ss->last : "no session was touched");
}

static void note_moment(struct session *s, const char *name, const char *what)
{
	struct sessions *ss = s->sessions;

	ss->last_ms = vol_sensor_now_ms();
	snprintf(ss->last, sizeof(ss->last), "session %s of %s %s", s->id, name,
		 what);
}

/* What a person did, or NULL. */
static const char *moment(const struct session *old, const struct session *new)
{
	bool before = old->known && counts(&old->state);

	if (!old->known && !new->fresh)
		return NULL;
	if (!counts(&new->state))
		return before ? "was left" : NULL;
	if (!before)
		return new->fresh && !old->known ? "started" : "came up";
	if (old->state.locked && !new->state.locked)
		return "was unlocked";
	/* A text console's hint is logind's own guess. */
	if (is_graphical(&new->state) && old->state.idle && !new->state.idle)
		return "was used again";
	return in_use(old) && !in_use(new) ? "was in use" : NULL;
}

static int read_bool(sd_bus_message *m, void *member, size_t size)
{
	(void)size;
	return sd_bus_message_read(m, "b", member);
}

static int read_text(sd_bus_message *m, void *member, size_t size)
{
	const char *text;
	int r = sd_bus_message_read(m, "s", &text);

	if (r >= 0)
		snprintf(member, size, "%s", text);
	return r;
}

static int read_seat(sd_bus_message *m, void *member, size_t size)
{
	const char *id, *path;
	int r = sd_bus_message_read(m, "(so)", &id, &path);

	if (r >= 0)
		snprintf(member, size, "%s", id);
	return r;
}

static int read_user(sd_bus_message *m, void *member, size_t size)
{
	const char *path;

	(void)size;
	return sd_bus_message_read(m, "(uo)", member, &path);
}

static const struct {
	const char *name, *type;
	int (*read)(sd_bus_message *m, void *member, size_t size);
	size_t offset, size;
} properties[] = {
#define MEMBER(m) offsetof(struct state, m), sizeof(((struct state *)0)->m)
	{"Active", "b", read_bool, MEMBER(active)},
	{"Remote", "b", read_bool, MEMBER(remote)},
	{"IdleHint", "b", read_bool, MEMBER(idle)},
	{"LockedHint", "b", read_bool, MEMBER(locked)},
	{"Class", "s", read_text, MEMBER(class)},
	{"Type", "s", read_text, MEMBER(type)},
	{"Name", "s", read_text, MEMBER(name)},
	{"Seat", "(so)", read_seat, MEMBER(seat)},
	{"User", "(uo)", read_user, MEMBER(uid)},
#undef MEMBER
};

static int read_property(sd_bus_message *m, struct state *state)
{
	const char *name, *type;
	int r = sd_bus_message_read(m, "s", &name);

	if (r < 0 || (r = sd_bus_message_peek_type(m, NULL, &type)) < 0)
		return r;
	for (size_t i = 0; i < sizeof(properties) / sizeof(*properties); i++) {
		if (strcmp(properties[i].name, name) != 0 ||
		    strcmp(properties[i].type, type) != 0)
			continue;
		r = sd_bus_message_enter_container(m, 'v', type);
		if (r >= 0)
			r = properties[i].read(
				m, (char *)state + properties[i].offset,
				properties[i].size);
		return r < 0 ? r : sd_bus_message_exit_container(m);
	}
	return sd_bus_message_skip(m, "v");
}

/* a{sv} */
static int read_properties(sd_bus_message *m, struct state *state)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (r >= 0 &&
	       (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_property(m, state);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static void take(struct session *s, sd_bus_message *m)
{
	struct session old = *s;
	const char *what;

	if (read_properties(m, &s->state) < 0) {
		vol_debug("session %s: logind's answer can not be read", s->id);
		s->state = old.state;
		return;
	}
	s->known = true;
	s->idles |= is_graphical(&s->state) && s->state.idle;
	what = moment(&old, s);
	if (what)
		note_moment(s, s->state.name, what);
	tell(s->sessions);
}

static int on_properties_read(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct session *s = arg;

	(void)error;
	s->question = sd_bus_slot_unref(s->question);
	/* An error: it has gone, and a signal follows. */
	if (!sd_bus_message_is_method_error(m, NULL))
		take(s, m);
	return 0;
}

static void ask_properties(struct session *s)
{
	s->question = sd_bus_slot_unref(s->question);
	(void)sd_bus_call_method_async(s->sessions->logind.bus, &s->question,
				       LOGIND, s->path, DBUS_PROPERTIES,
				       "GetAll", on_properties_read, s, "s",
				       LOGIND_SESSION);
}

static struct session **find(struct sessions *ss, const char *path)
{
	struct session **link = &ss->list;

	while (*link && strcmp((*link)->path, path) != 0)
		link = &(*link)->next;
	return link;
}

static void add(struct sessions *ss, const char *id, const char *path,
		bool fresh)
{
	struct session *s = *find(ss, path);

	if (!s) {
		s = calloc(1, sizeof(*s) + strlen(path) + 1);
		if (!s)
			return;
		snprintf(s->id, sizeof(s->id), "%s", id);
		strcpy(s->path, path);
		s->sessions = ss;
		s->fresh = fresh;
		s->next = ss->list;
		ss->list = s;
	}
	s->listed = true;
	ask_properties(s);
}

static void drop(struct session **link)
{
	struct session *s = *link;

	*link = s->next;
	sd_bus_slot_unref(s->question);
	free(s);
}

static void leave(struct session **link)
{
	struct session *s = *link;

	if (s->known && counts(&s->state))
		note_moment(s, s->state.name, "ended");
	drop(link);
}

static int on_added(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct sessions *ss = arg;
	const char *id, *path;

	(void)error;
	if (sd_bus_message_read(m, "so", &id, &path) >= 0)
		add(ss, id, path, true);
	return 0;
}

static int on_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct sessions *ss = arg;
	const char *id, *path;
	struct session **link;

	(void)error;
	if (sd_bus_message_read(m, "so", &id, &path) < 0)
		return 0;
	link = find(ss, path);
	if (*link) {
		leave(link);
		tell(ss);
	}
	return 0;
}

static int on_properties(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct session *s = *find(arg, sd_bus_message_get_path(m));
	const char *interface;

	(void)error;
	if (!s || sd_bus_message_read(m, "s", &interface) < 0 ||
	    strcmp(interface, LOGIND_SESSION) != 0)
		return 0;
	/* Part of the truth is no use before the whole of it. */
	if (s->known)
		take(s, m);
	return 0;
}

static int on_list(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *id, *user, *seat, *path;
	struct sessions *ss = arg;
	struct session **link;
	uint32_t uid;
	int r;

	(void)error;
	ss->question = sd_bus_slot_unref(ss->question);
	if (sd_bus_message_is_method_error(m, NULL)) {
		vol_sensor_report(ss->host->sensors, VOL_SENSOR_SESSIONS,
				  VOL_SAYS_UNKNOWN, 0, "%s",
				  sd_bus_message_get_error(m)->message);
		return 0;
	}
	for (struct session *s = ss->list; s; s = s->next)
		s->listed = false;
	r = sd_bus_message_enter_container(m, 'a', "(susso)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(susso)", &id, &uid,
						  &user, &seat, &path)) > 0)
		add(ss, id, path, false);
	for (link = &ss->list; *link;)
		if ((*link)->listed)
			link = &(*link)->next;
		else
			leave(link);
	tell(ss);
	return 0;
}

static void on_logind(bool there, void *arg)
{
	struct sessions *ss = arg;

	ss->there = there;
	ss->question = sd_bus_slot_unref(ss->question);
	/* The sessions outlive a restart of logind; what they were is kept. */
	if (!there) {
		vol_sensor_report(ss->host->sensors, VOL_SENSOR_SESSIONS,
				  VOL_SAYS_UNKNOWN, 0, LOGIND_NONE);
		return;
	}
	(void)sd_bus_call_method_async(ss->logind.bus, &ss->question, LOGIND,
				       LOGIND_PATH, LOGIND_MANAGER,
				       "ListSessions", on_list, ss, "");
}

bool vol_sessions_at_seat(const void *self, uid_t uid)
{
	const struct sessions *ss = self;

	for (const struct session *s = ss && ss->there ? ss->list : NULL; s;
	     s = s->next)
		if (s->known && s->state.active && !s->state.remote &&
		    s->state.seat[0] && s->state.uid == uid &&
		    !strncmp(s->state.class, "user", 4))
			return true;
	return false;
}

static void sessions_destroy(void *self)
{
	struct sessions *ss = self;

	if (!ss)
		return;
	vol_logind_unwatch(&ss->logind);
	sd_bus_slot_unref(ss->added);
	sd_bus_slot_unref(ss->removed);
	sd_bus_slot_unref(ss->properties);
	sd_bus_slot_unref(ss->question);
	while (ss->list)
		drop(&ss->list);
	free(ss);
}

static void *sessions_create(struct vol_sensor_host *host,
			     struct vol_error *err)
{
	struct sessions *ss = calloc(1, sizeof(*ss));
	int r;

	if (!ss) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	ss->host = host;
	if (vol_logind_watch(&ss->logind, host->bus, on_logind, ss, err) < 0 ||
	    vol_logind_signal(&ss->logind, &ss->added, "SessionNew", on_added,
			      ss, err) < 0 ||
	    vol_logind_signal(&ss->logind, &ss->removed, "SessionRemoved",
			      on_removed, ss, err) < 0)
		goto error;
	r = sd_bus_add_match_async(host->bus, &ss->properties,
				   "type='signal',sender='" LOGIND "',"
				   "interface='" DBUS_PROPERTIES
				   "',member='PropertiesChanged',"
				   "path_namespace='" SESSION_PATHS "'",
				   on_properties, NULL, ss);
	if (r < 0) {
		vol_errorf_errno(err, -r, "system bus: %s", strerror(-r));
		goto error;
	}
	return ss;
error:
	sessions_destroy(ss);
	return NULL;
}

const struct vol_sensor_ops vol_sensor_sessions = {
	.id = VOL_SENSOR_SESSIONS,
	.needs_bus = true,
	.create = sessions_create,
	.destroy = sessions_destroy,
};
