/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sensors.c - all sensors together, on a bus with a logind of our own */
#include "config.h"

#include "device/sensors/sensors.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_logind.h"
#include "sensor_bed.h"

#define LOGIND  "org.freedesktop.login1"
#define MANAGER LOGIND ".Manager"
#define SESSION LOGIND ".Session"
#define PATH    "/org/freedesktop/login1"

/* No devices: the reflex is another test's. */
int vol_reflex_add(struct vol_reflex *r, int fd, const char *name,
		   struct vol_error *err)
{
	(void)r;
	(void)name;
	close(fd);
	return vol_errorf_errno(err, ENOTSUP, "none here");
}

void vol_reflex_remove(struct vol_reflex *r, const char *name)
{
	(void)r;
	(void)name;
}

void vol_reflex_state(struct vol_reflex *r, struct vol_reflex_state *state)
{
	(void)r;
	*state = (struct vol_reflex_state){0};
}

/* The bed. */
static char folder[256];
static pid_t daemon_pid;
static sd_event *loop;
static struct vol_sensors *sensors;
static struct vol_policy policy = {.max_load_pct = 100};
static unsigned changes;

static void write_config(void)
{
	char text[PATH_MAX + 512];

	snprintf(text, sizeof(text),
		 "<busconfig><type>session</type>"
		 "<listen>unix:path=%s/socket</listen>"
		 "<policy context=\"default\">"
		 "<allow send_destination=\"*\" eavesdrop=\"true\"/>"
		 "<allow eavesdrop=\"true\"/><allow own=\"*\"/>"
		 "</policy></busconfig>",
		 folder);
	bed_put(folder, "bus.conf", text);
}

static void start_bus(void)
{
	char config[PATH_MAX], path[PATH_MAX];

	snprintf(config, sizeof(config), "--config-file=%s/bus.conf", folder);
	snprintf(path, sizeof(path), "%s/socket", folder);
	unlink(path);
	daemon_pid = fork();
	assert_true(daemon_pid >= 0);
	if (daemon_pid == 0) {
		/* It complains about limits of root's sessions. */
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		execlp("dbus-daemon", "dbus-daemon", config, "--nofork",
		       "--nopidfile", (char *)NULL);
		_exit(127);
	}
}

static void stop_bus(void)
{
	if (daemon_pid > 0) {
		kill(daemon_pid, SIGKILL);
		waitpid(daemon_pid, NULL, 0);
	}
	daemon_pid = 0;
}

static void run_logind(void)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/socket", folder);
	UNTIL(loop, access(path, F_OK) == 0);
	start_logind(loop, path);
}

static const struct vol_reading *reading(enum vol_sensor id)
{
	return &vol_sensors_readings(sensors)[id];
}

static enum vol_says says(enum vol_sensor id)
{
	return reading(id)->says;
}

static bool tells(enum vol_sensor id, const char *part)
{
	return strstr(reading(id)->detail, part) != NULL;
}

static void on_change(void *arg)
{
	(void)arg;
	changes++;
}

static void start_sensors(void)
{
	struct vol_error err;

	changes = 0;
	sensors = vol_sensors_create(loop, NULL, &policy, NULL, on_change, NULL,
				     &err);
	assert_non_null(sensors);
}

static int setup(void **state)
{
	char address[PATH_MAX + 16];

	if (vtest_folder_setup(state) < 0)
		return -1;
	snprintf(folder, sizeof(folder), "%s", (char *)*state);
	snprintf(address, sizeof(address), "unix:path=%s/socket", folder);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
	write_config();
	memset(&logind, 0, sizeof(logind));
	logind.lock = -1;
	return sd_event_new(&loop) < 0;
}

static int teardown(void **state)
{
	vol_sensors_destroy(sensors);
	sensors = NULL;
	stop_logind();
	stop_bus();
	if (logind.lock >= 0)
		close(logind.lock);
	loop = sd_event_unref(loop);
	return vtest_folder_teardown(state);
}

static void start_all(void)
{
	start_bus();
	run_logind();
	start_sensors();
	UNTIL(loop, says(VOL_SENSOR_SESSIONS) == VOL_SAYS_AWAY &&
			    says(VOL_SENSOR_INHIBITORS) != VOL_SAYS_UNKNOWN &&
			    says(VOL_SENSOR_SLEEP) == VOL_SAYS_AWAY &&
			    logind.lock >= 0);
}

static void without_bus(void **state)
{
	(void)state;
	start_sensors();
	UNTIL(loop, tells(VOL_SENSOR_SESSIONS, "no system bus"));
	assert_int_equal(says(VOL_SENSOR_SLEEP), VOL_SAYS_UNKNOWN);
	assert_false(vol_sensors_at_seat(sensors, 0));
	/* It appears, without a logind, then with one. */
	start_bus();
	UNTIL(loop, tells(VOL_SENSOR_SESSIONS, "no logind"));
	run_logind();
	UNTIL(loop, says(VOL_SENSOR_SESSIONS) == VOL_SAYS_AWAY);
	UNTIL(loop, says(VOL_SENSOR_SLEEP) == VOL_SAYS_AWAY);
	/* It breaks and comes back. */
	stop_logind();
	stop_bus();
	UNTIL(loop, tells(VOL_SENSOR_INHIBITORS, "no system bus"));
	start_bus();
	run_logind();
	UNTIL(loop, says(VOL_SENSOR_SESSIONS) == VOL_SAYS_AWAY);
}

static void readings(void **state)
{
	struct vol_sensors *s;
	json_t *json;
	unsigned before;
	uint64_t since;

	(void)state;
	start_sensors();
	s = sensors;
	UNTIL(loop, changes > 0);
	bed_settle(loop);
	assert_int_equal(says(VOL_SENSOR_INPUT), VOL_SAYS_UNKNOWN);

	/* Once for several, from the loop; not when nothing is new. */
	before = changes;
	vol_sensor_report(s, VOL_SENSOR_HEAT, VOL_SAYS_UNKNOWN, 0, "blind");
	vol_sensor_report(s, VOL_SENSOR_HEAT, VOL_SAYS_AWAY, 0, "a\x1b\n%d", 1);
	assert_int_equal(changes, before);
	bed_settle(loop);
	assert_int_equal(changes, before + 1);
	assert_string_equal(reading(VOL_SENSOR_HEAT)->detail, "a??1");
	assert_true(reading(VOL_SENSOR_HEAT)->never);
	since = reading(VOL_SENSOR_HEAT)->since_ms;
	vol_sensor_report(s, VOL_SENSOR_HEAT, VOL_SAYS_AWAY, 0, "a\x1b\n1");
	bed_settle(loop);
	assert_int_equal(changes, before + 1);
	assert_int_equal(reading(VOL_SENSOR_HEAT)->since_ms, since);

	/* A claim, and its end. */
	vol_sensor_report(s, VOL_SENSOR_HEAT, VOL_SAYS_PRESENT, 0, "hot");
	since = reading(VOL_SENSOR_HEAT)->since_ms;
	assert_true(since + 1000 > bed_now_ms());
	bed_settle(loop);
	vol_sensor_report(s, VOL_SENSOR_HEAT, VOL_SAYS_PRESENT, 0, "hotter");
	assert_int_equal(reading(VOL_SENSOR_HEAT)->since_ms, since);
	vol_sensor_report(s, VOL_SENSOR_HEAT, VOL_SAYS_AWAY, 0, "cool");
	assert_true(reading(VOL_SENSOR_HEAT)->since_ms > since);
	assert_false(reading(VOL_SENSOR_HEAT)->never);
	vol_sensor_report(s, VOL_SENSOR_HEAT, VOL_SAYS_AWAY, 77, "cool");
	assert_int_equal(reading(VOL_SENSOR_HEAT)->since_ms, 77);

	json = vol_sensors_json(s);
	assert_int_equal(json_array_size(json), VOL_SENSORS);
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(json, VOL_SENSOR_HEAT), "detail")),
		"cool");
	json_decref(json);
}

static void moments(void **state)
{
	struct session *ann, *other;
	uint64_t since;

	(void)state;
	ann = add_session((struct session){.id = "3",
					   .path = PATH "/session/_33",
					   .type = "wayland",
					   .active = 1});
	add_session((struct session){.id = "c1",
				     .path = PATH "/session/c1",
				     .user = "gdm",
				     .uid = 120,
				     .class = "greeter",
				     .type = "wayland"});
	start_all();
	/* What was there before is no news. */
	UNTIL(loop, vol_sensors_at_seat(sensors, 1000));
	assert_true(reading(VOL_SENSOR_SESSIONS)->never);
	assert_false(vol_sensors_at_seat(sensors, 120));
	assert_false(vol_sensors_at_seat(sensors, 0));

	set(ann, "LockedHint", &ann->locked, 1);
	bed_settle(loop);
	assert_true(reading(VOL_SENSOR_SESSIONS)->never);
	set(ann, "LockedHint", &ann->locked, 0);
	UNTIL(loop,
	      tells(VOL_SENSOR_SESSIONS, "session 3 of ann was unlocked"));
	assert_int_equal(says(VOL_SENSOR_SESSIONS), VOL_SAYS_AWAY);
	since = reading(VOL_SENSOR_SESSIONS)->since_ms;
	assert_true(since + DEADLINE_MS > bed_now_ms());

	/* Another console. */
	set(ann, "Active", &ann->active, 0);
	UNTIL(loop, tells(VOL_SENSOR_SESSIONS, "session 3 of ann was left"));
	assert_false(vol_sensors_at_seat(sensors, 1000));
	other = add_session((struct session){.id = "4",
					     .path = PATH "/session/_34",
					     .user = "b\x1b",
					     .uid = 1001,
					     .type = "tty",
					     .active = 1});
	UNTIL(loop, tells(VOL_SENSOR_SESSIONS, "session 4 of b? started"));
	assert_true(vol_sensors_at_seat(sensors, 1001));
	/* A text console's idle hint means nothing. */
	set(other, "IdleHint", &other->idle, 1);
	set(other, "IdleHint", &other->idle, 0);
	bed_settle(loop);
	assert_true(tells(VOL_SENSOR_SESSIONS, "started"));
	set(other, "Active", &other->active, 0);
	set(ann, "Active", &ann->active, 1);
	UNTIL(loop, tells(VOL_SENSOR_SESSIONS, "session 3 of ann came up"));
	since = reading(VOL_SENSOR_SESSIONS)->since_ms;
	bed_settle(loop);

	/* Nobody: a manager, ssh, a background job. */
	add_session((struct session){.id = "5",
				     .path = PATH "/session/_35",
				     .class = "manager",
				     .type = "unspecified",
				     .active = 1});
	add_session((struct session){.id = "6",
				     .path = PATH "/session/_36",
				     .seat = "",
				     .type = "tty",
				     .remote = 1,
				     .uid = 1006,
				     .active = 1});
	add_session((struct session){.id = "7",
				     .path = PATH "/session/_37",
				     .seat = "",
				     .type = "unspecified",
				     .uid = 1007,
				     .active = 1});
	bed_settle(loop);
	assert_int_equal(reading(VOL_SENSOR_SESSIONS)->since_ms, since);
	assert_false(vol_sensors_at_seat(sensors, 1006));
	assert_false(vol_sensors_at_seat(sensors, 1007));
	/* A remote desktop is somebody, but not at the machine. */
	other = add_session((struct session){.id = "8",
					     .path = PATH "/session/_38",
					     .seat = "",
					     .type = "x11",
					     .remote = 1,
					     .uid = 1008,
					     .active = 1});
	UNTIL(loop, tells(VOL_SENSOR_SESSIONS, "session 8 of ann started"));
	assert_false(vol_sensors_at_seat(sensors, 1008));
	sd_bus_emit_signal(logind.bus, PATH, MANAGER, "SessionRemoved", "so",
			   other->id, other->path);
	UNTIL(loop, tells(VOL_SENSOR_SESSIONS, "session 8 of ann ended"));
}

static void lasting_claims(void **state)
{
	struct session *ann;

	(void)state;
	ann = add_session((struct session){.id = "3",
					   .path = PATH "/session/_33",
					   .type = "x11",
					   .active = 1});
	start_all();
	UNTIL(loop, vol_sensors_at_seat(sensors, 1000));
	/* Not idle, but it has never said that it is. */
	assert_int_equal(says(VOL_SENSOR_SESSIONS), VOL_SAYS_AWAY);
	set(ann, "IdleHint", &ann->idle, 1);
	bed_settle(loop);
	assert_true(reading(VOL_SENSOR_SESSIONS)->never);
	set(ann, "IdleHint", &ann->idle, 0);
	UNTIL(loop, says(VOL_SENSOR_SESSIONS) == VOL_SAYS_PRESENT);
	assert_true(tells(VOL_SENSOR_SESSIONS, "session 3 of ann is in use"));
	set(ann, "LockedHint", &ann->locked, 1);
	UNTIL(loop, says(VOL_SENSOR_SESSIONS) == VOL_SAYS_AWAY);
	assert_false(reading(VOL_SENSOR_SESSIONS)->never);
	set(ann, "LockedHint", &ann->locked, 0);
	UNTIL(loop, says(VOL_SENSOR_SESSIONS) == VOL_SAYS_PRESENT);

	/* A new logind knows the same sessions, and so do we. */
	stop_logind();
	UNTIL(loop, tells(VOL_SENSOR_SESSIONS, "no logind"));
	assert_int_equal(says(VOL_SENSOR_SESSIONS), VOL_SAYS_UNKNOWN);
	assert_int_equal(says(VOL_SENSOR_INHIBITORS), VOL_SAYS_UNKNOWN);
	assert_int_equal(says(VOL_SENSOR_SLEEP), VOL_SAYS_UNKNOWN);
	assert_false(vol_sensors_at_seat(sensors, 1000));
	run_logind();
	UNTIL(loop, says(VOL_SENSOR_SESSIONS) == VOL_SAYS_PRESENT);
	assert_true(vol_sensors_at_seat(sensors, 1000));
	/* And it may have lost them. */
	stop_logind();
	UNTIL(loop, tells(VOL_SENSOR_SESSIONS, "no logind"));
	logind.n_sessions = 0;
	run_logind();
	UNTIL(loop, tells(VOL_SENSOR_SESSIONS, "ended"));
	assert_false(vol_sensors_at_seat(sensors, 1000));
}

static void inhibitors(void **state)
{
	static const struct {
		struct inhibitor inhibitor;
		bool claims;
	} rows[] = {
		{{"idle", "mpv", "Playing", "block"}, true},
		{{"sleep:idle:shutdown", "a", "b", "block"}, true},
		{{"idle", "a", "b", "block-weak"}, true},
		{{"idle", "a", "b", "delay"}, false},
		{{"sleep", "a", "b", "block"}, false},
		{{"handle-idle-key", "a", "b", "block"}, false},
		{{"", "a", "b", "block"}, false},
	};

	(void)state;
	start_all();
	assert_int_equal(says(VOL_SENSOR_INHIBITORS), VOL_SAYS_AWAY);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		logind.inhibitors[0] = rows[i].inhibitor;
		logind.n_inhibitors = 1;
		inhibitors_changed();
		bed_settle(loop);
		if (rows[i].claims)
			UNTIL(loop,
			      says(VOL_SENSOR_INHIBITORS) == VOL_SAYS_PRESENT);
		else
			assert_int_equal(says(VOL_SENSOR_INHIBITORS),
					 VOL_SAYS_AWAY);
		logind.n_inhibitors = 0;
		inhibitors_changed();
		UNTIL(loop, says(VOL_SENSOR_INHIBITORS) == VOL_SAYS_AWAY);
	}
	logind.inhibitors[0] =
		(struct inhibitor){"sleep", "upower", "polling", "delay"};
	logind.inhibitors[1] =
		(struct inhibitor){"idle", "zoom\n", "a call", "block"};
	logind.n_inhibitors = 2;
	inhibitors_changed();
	UNTIL(loop, tells(VOL_SENSOR_INHIBITORS, "zoom?: a call"));
	logind.refuse = "not for you";
	inhibitors_changed();
	UNTIL(loop, tells(VOL_SENSOR_INHIBITORS, "not for you"));
	assert_int_equal(says(VOL_SENSOR_INHIBITORS), VOL_SAYS_UNKNOWN);
}

/* Has the last lock been let go? */
static bool released(void)
{
	char c;

	return read(logind.lock, &c, 1) == 0;
}

static void sleeping(void **state)
{
	(void)state;
	start_all();
	assert_false(released());
	vol_sensors_settled(sensors); /* of something else */
	assert_false(released());
	prepare("PrepareForSleep", 1);
	UNTIL(loop, says(VOL_SENSOR_SLEEP) == VOL_SAYS_PRESENT);
	assert_string_equal(reading(VOL_SENSOR_SLEEP)->detail,
			    "about to sleep");
	assert_false(released());
	vol_sensors_settled(sensors);
	UNTIL(loop, released());
	assert_int_equal(says(VOL_SENSOR_SLEEP), VOL_SAYS_PRESENT);
	prepare("PrepareForSleep", 0);
	UNTIL(loop,
	      says(VOL_SENSOR_SLEEP) == VOL_SAYS_AWAY && logind.locks == 2);
	assert_false(reading(VOL_SENSOR_SLEEP)->never);
	assert_false(released());

	/* Nobody settles: it is let go all the same, and taken again when
	 * the shutdown is called off. */
	prepare("PrepareForShutdown", 1);
	UNTIL(loop, tells(VOL_SENSOR_SLEEP, "about to shut down"));
	bed_settle(loop);
	assert_false(released());
	UNTIL(loop, released());
	prepare("PrepareForShutdown", 0);
	UNTIL(loop, logind.locks == 3 && !released());

	/* A new logind has no lock of ours. */
	stop_logind();
	UNTIL(loop, says(VOL_SENSOR_SLEEP) == VOL_SAYS_UNKNOWN);
	run_logind();
	UNTIL(loop,
	      logind.locks == 4 && says(VOL_SENSOR_SLEEP) == VOL_SAYS_AWAY);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(readings),       TEST(without_bus), TEST(moments),
		TEST(lasting_claims), TEST(inhibitors),  TEST(sleeping),
	};

	if (access("/usr/bin/dbus-daemon", X_OK) < 0) {
		print_message("skipped: no /usr/bin/dbus-daemon\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
