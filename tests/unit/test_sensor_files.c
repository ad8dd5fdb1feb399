/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sensor_files.c - the sensors that read the kernel's files */
#include "config.h"

#include "device/sensors/load.h"
#include "device/sensors/sensor.h"
#include "device/sensors/sysfile.h"

#include <errno.h>
#include <fcntl.h>

#include "sensor_alone.h"

static void sysfiles(void **state)
{
	const char *root = *state;
	char buf[8];
	int64_t n = 7;
	uint64_t u = 7;

	assert_int_equal(vol_sysfile_read(root, buf, sizeof(buf), "/none"), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(buf, "");
	bed_put(root, "a/b", "0123456789\n");
	assert_int_equal(vol_sysfile_read(root, buf, sizeof(buf), "/%s/b", "a"),
			 7);
	assert_string_equal(buf, "0123456");
	assert_int_equal(vol_sysfile_number(root, &n, "/a/b"), 0);
	assert_int_equal(n, 123456789);
	bed_put(root, "a/b", "-5\n");
	assert_int_equal(vol_sysfile_number(root, &n, "/a/b"), 0);
	assert_int_equal(n, -5);
	bed_put(root, "a/b", "5 x\n");
	assert_int_equal(vol_sysfile_number(root, &n, "/a/b"), -1);
	bed_put(root, "a/b", "");
	assert_int_equal(vol_sysfile_number(root, &n, "/a/b"), -1);
	assert_int_equal(n, -5);

	assert_int_equal(vol_sysfile_key("", "a", &u), -1);
	assert_int_equal(vol_sysfile_key("ab 1\na 2\n", "a", &u), 0);
	assert_int_equal(u, 2);
	assert_int_equal(vol_sysfile_key("a x", "a", &u), -1);
	assert_int_equal(vol_sysfile_key("b a 1", "a", &u), -1);
}

#define SUPPLY "sys/class/power_supply/"
#define LID    "proc/acpi/button/lid/LID0/state"

static const struct {
	const char *what;
	const char *files[16]; /* path, text, ... */
	bool on_battery;
	enum vol_says says;
	const char *detail;
} machines[] = {
	{"desktop", {NULL}, false, VOL_SAYS_AWAY, "no battery"},
	{"desktop with a wireless mouse",
	 {SUPPLY "hidpp/type", "Battery", SUPPLY "hidpp/scope", "Device",
	  SUPPLY "hidpp/status", "Discharging"},
	 false,
	 VOL_SAYS_AWAY,
	 "no battery"},
	{"desktop with a port that could supply it",
	 {SUPPLY "ucsi/type", "USB", SUPPLY "ucsi/online", "0"},
	 false,
	 VOL_SAYS_AWAY,
	 "on mains"},
	{"laptop on mains",
	 {SUPPLY "AC/type", "Mains", SUPPLY "AC/online", "1",
	  SUPPLY "BAT0/type", "Battery", SUPPLY "BAT0/status", "Charging"},
	 false,
	 VOL_SAYS_AWAY,
	 "on mains"},
	{"weak charger",
	 {SUPPLY "AC/type", "USB", SUPPLY "AC/online", "1", SUPPLY "BAT0/type",
	  "Battery", SUPPLY "BAT0/status", "Discharging"},
	 false,
	 VOL_SAYS_AWAY,
	 "on mains"},
	{"unplugged",
	 {SUPPLY "AC/type", "Mains", SUPPLY "AC/online", "0",
	  SUPPLY "BAT0/type", "Battery", SUPPLY "BAT0/status", "Discharging"},
	 false,
	 VOL_SAYS_PRESENT,
	 "on battery"},
	{"unplugged, the battery does not know yet",
	 {SUPPLY "AC/type", "Mains", SUPPLY "AC/online", "0",
	  SUPPLY "BAT0/type", "Battery", SUPPLY "BAT0/status", "Unknown"},
	 false,
	 VOL_SAYS_PRESENT,
	 "on battery"},
	{"unplugged, and the owner allows it",
	 {SUPPLY "AC/type", "Mains", SUPPLY "AC/online", "0",
	  SUPPLY "BAT0/type", "Battery", SUPPLY "BAT0/status", "Discharging"},
	 true,
	 VOL_SAYS_AWAY,
	 "on battery"},
	{"in a bag, though the owner allows battery",
	 {SUPPLY "BAT0/type", "Battery", SUPPLY "BAT0/status", "Discharging",
	  LID, "state:      closed\n"},
	 true,
	 VOL_SAYS_PRESENT,
	 "on battery with the lid closed"},
	{"docked with the lid closed",
	 {SUPPLY "AC/type", "Mains", SUPPLY "AC/online", "1",
	  SUPPLY "BAT0/type", "Battery", SUPPLY "BAT0/status", "Full", LID,
	  "state:      closed\n"},
	 false,
	 VOL_SAYS_AWAY,
	 "on mains"},
	{"no supply is shown but the battery, which is full",
	 {SUPPLY "BAT0/type", "Battery", SUPPLY "BAT0/status", "Full"},
	 false,
	 VOL_SAYS_AWAY,
	 "on mains"},
	{"the battery was taken out",
	 {SUPPLY "AC/type", "Mains", SUPPLY "AC/online", "1",
	  SUPPLY "BAT0/type", "Battery", SUPPLY "BAT0/present", "0",
	  SUPPLY "BAT0/status", "Discharging"},
	 false,
	 VOL_SAYS_AWAY,
	 "on mains"},
};

static void power(void **state)
{
	for (size_t i = 0; i < N_ELEMENTS(machines); i++) {
		char root[256];
		void *self;

		snprintf(root, sizeof(root), "%s/%zu", (char *)*state, i);
		for (size_t j = 0; machines[i].files[j]; j += 2)
			bed_put(root, machines[i].files[j],
				machines[i].files[j + 1]);
		policy.on_battery = machines[i].on_battery;
		self = start(&vol_sensor_power, root);
		if (got.says != machines[i].says ||
		    strcmp(got.detail, machines[i].detail) != 0)
			fail_msg("%s: %s, %s", machines[i].what,
				 vol_says_name(got.says), got.detail);
		vol_sensor_power.destroy(self);
	}
	policy.on_battery = false;
}

static void power_changes(void **state)
{
	const char *root = *state;
	void *self;

	bed_put(root, SUPPLY "AC/type", "Mains\n");
	bed_put(root, SUPPLY "AC/online", "1\n");
	bed_put(root, SUPPLY "BAT/type", "Battery\n");
	bed_put(root, SUPPLY "BAT/status", "Not charging\n");
	self = start(&vol_sensor_power, root);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	bed_put(root, SUPPLY "AC/online", "0\n");
	vol_sensor_power.reload(self);
	assert_int_equal(got.says, VOL_SAYS_PRESENT);
	policy.on_battery = true;
	vol_sensor_power.reload(self);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	policy.on_battery = false;
	vol_sensor_power.reload(self);
	assert_int_equal(got.says, VOL_SAYS_PRESENT);
	vol_sensor_power.destroy(self);
}

#define ZONE "sys/class/thermal/thermal_zone0/"
#define CORE "sys/class/hwmon/hwmon3/"

static void heat(void **state)
{
	static const struct {
		const char *path, *milli;
		enum vol_says says;
	} steps[] = {
		{ZONE "temp", "79999", VOL_SAYS_AWAY},
		{ZONE "temp", "80000", VOL_SAYS_PRESENT},
		/* Until 5 degrees below. */
		{ZONE "temp", "75001", VOL_SAYS_PRESENT},
		{ZONE "temp", "75000", VOL_SAYS_AWAY},
		{ZONE "temp", "79000", VOL_SAYS_AWAY},
		{ZONE "temp", "40000", VOL_SAYS_AWAY},
		/* The processor's own. */
		{CORE "temp2_input", "91000", VOL_SAYS_PRESENT},
		{CORE "temp2_input", "60000", VOL_SAYS_AWAY},
		/* No temperatures. */
		{CORE "temp2_crit", "99000", VOL_SAYS_AWAY},
		{CORE "temp2_input", "255000", VOL_SAYS_AWAY},
		{"sys/class/thermal/cooling_device0/temp", "99000",
		 VOL_SAYS_AWAY},
		{"sys/class/hwmon/hwmon4/temp1_input", "99000", VOL_SAYS_AWAY},
		{"sys/class/thermal/thermal_zone1/temp", "99000",
		 VOL_SAYS_AWAY},
	};
	const char *root = *state;
	void *self;

	policy.max_celsius = 80;
	self = start(&vol_sensor_heat, root);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	assert_string_equal(got.detail, "no temperature sensor");
	bed_put(root, ZONE "type", "x86_pkg_temp\n");
	bed_put(root, CORE "name", "coretemp\n");
	bed_put(root, "sys/class/hwmon/hwmon4/name", "nvme\n");
	bed_put(root, "sys/class/thermal/thermal_zone1/type", "iwlwifi_1\n");
	for (size_t i = 0; i < N_ELEMENTS(steps); i++) {
		bed_put(root, steps[i].path, steps[i].milli);
		vol_sensor_heat.reload(self);
		if (got.says != steps[i].says)
			fail_msg("step %zu: %s", i, vol_says_name(got.says));
	}
	bed_put(root, ZONE "temp", "95000");
	policy.max_celsius = 0;
	vol_sensor_heat.reload(self);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	vol_sensor_heat.destroy(self);
}

/* A claim ends even if nothing depends on it; nothing else is looked at. */
static void polling(void **state)
{
	const char *root = *state;
	unsigned before;
	void *self;

	policy.max_celsius = 80;
	bed_put(root, ZONE "temp", "50000");
	self = start(&vol_sensor_heat, root);
	bed_put(root, ZONE "temp", "90000");
	before = reports;
	bed_settle(host.loop);
	assert_int_equal(reports, before);
	host.watching = true;
	vol_sensor_heat.reload(self);
	assert_int_equal(got.says, VOL_SAYS_PRESENT);
	bed_put(root, ZONE "temp", "50000");
	UNTIL(host.loop, got.says == VOL_SAYS_AWAY);
	host.watching = false;
	vol_sensor_heat.destroy(self);
}

#define S 1000000

static void load_windows(void **state)
{
	/* 4 CPUs, 30 %: 1.2 CPUs above, 0.8 below. */
	static const struct {
		uint64_t at;
		int64_t used;
		bool claims;
	} looks[] = {
		{100 * S, 1000 * S, false},
		{105 * S, 1010 * S, false}, /* 2 of 4: one window */
		{106 * S, 1019 * S, false}, /* too soon to say */
		{110 * S, 1020 * S, true},
		{115 * S, 1025 * S, true}, /* 1 CPU: neither */
		{120 * S, 1026 * S, true},
		{125 * S, 1032 * S, true}, /* interrupted */
		{130 * S, 1033 * S, true},
		{135 * S, 1034 * S, false},
		{140 * S, 1050 * S, false},
		{145 * S, 1000 * S, false}, /* jobs came into sight */
		{150 * S, 1020 * S, false},
		{300 * S, 1900 * S, false}, /* nobody looked for long */
		{305 * S, 1910 * S, false},
		{310 * S, 1920 * S, true},
	};
	struct vol_load load = {0};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(looks); i++)
		if (vol_load_look(&load, looks[i].at, looks[i].used, 4, 30) !=
		    looks[i].claims)
			fail_msg("look %zu", i);
}

static void load_files(void **state)
{
	const char *root = *state;
	long hz = sysconf(_SC_CLK_TCK);
	int64_t used = -1;
	char text[256];
	void *self;

	assert_int_equal(vol_load_used(root, "", &used), -1);
	bed_put(root, "proc/stat", "garbage\n");
	assert_int_equal(vol_load_used(root, "", &used), -1);
	assert_int_equal(used, -1);
	self = start(&vol_sensor_load, root);
	assert_int_equal(got.says, VOL_SAYS_UNKNOWN);

	/* idle and waiting are not used, guests are counted already */
	snprintf(text, sizeof(text),
		 "cpu  %ld %ld %ld 5000 600 %ld %ld 9 8 7\n", hz, 2 * hz,
		 3 * hz, 4 * hz, 5 * hz);
	bed_put(root, "proc/stat", text);
	assert_int_equal(vol_load_used(root, "", &used), 0);
	assert_int_equal(used, 15 * S);
	vol_sensor_load.reload(self);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	vol_sensor_load.destroy(self);

	/* A root cgroup of old kernels has none. */
	bed_put(root, "sys/fs/cgroup/cpu.stat", "nr_periods 0\n");
	assert_int_equal(vol_load_used(root, "", &used), 0);
	assert_int_equal(used, 15 * S);
	bed_put(root, "sys/fs/cgroup/cpu.stat",
		"usage_usec 7000000\nuser_usec 1\n");
	assert_int_equal(vol_load_used(root, "", &used), 0);
	assert_int_equal(used, 7 * S);
	assert_int_equal(vol_load_used(root, "/sys/fs/cgroup/jobs", &used), 0);
	assert_int_equal(used, 7 * S);
	bed_put(root, "sys/fs/cgroup/jobs/cpu.stat", "usage_usec 5000000\n");
	assert_int_equal(vol_load_used(root, "/sys/fs/cgroup/jobs", &used), 0);
	assert_int_equal(used, 2 * S);
}

static void pressure_figures(void **state)
{
	const char *root = *state;

	assert_true(vol_pressure_of_memory(root) < 0);
	bed_put(root, "proc/pressure/memory", "some\n");
	assert_true(vol_pressure_of_memory(root) < 0);
	bed_put(root, "proc/pressure/memory",
		"some avg10=12.50 avg60=1.00 avg300=0.10 total=5\n"
		"full avg10=3.00 avg60=1.00 avg300=0.10 total=5\n");
	assert_true(vol_pressure_of_memory(root) > 12.4 &&
		    vol_pressure_of_memory(root) < 12.6);
}

#define SLICE "sys/fs/cgroup/user.slice"

static void pressure(void **state)
{
	const char *root = *state;
	char path[PATH_MAX], trigger[64] = "";
	void *self;
	int fd;

	self = start(&vol_sensor_pressure, root);
	assert_int_equal(got.says, VOL_SAYS_UNKNOWN);
	assert_contains(got.detail, "psi=1");
	vol_sensor_pressure.destroy(self);

	bed_put(root, "proc/pressure/memory", "some avg10=0.00\n");
	self = start(&vol_sensor_pressure, root);
	assert_int_equal(got.says, VOL_SAYS_UNKNOWN);
	assert_contains(got.detail, "user.slice");
	vol_sensor_pressure.destroy(self);

	/* Nobody has logged in. */
	bed_put(root, "sys/fs/cgroup/cgroup.controllers", "cpu\n");
	bed_put(root, "run/systemd/system/x", "");
	self = start(&vol_sensor_pressure, root);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	assert_contains(got.detail, "runs no programs");

	/* Now somebody does: FIFOs take the triggers. */
	snprintf(path, sizeof(path), "%s/" SLICE, root);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/" SLICE "/memory.pressure", root);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_NONBLOCK);
	assert_true(fd >= 0);
	UNTIL(host.loop, !strstr(got.detail, "runs no programs"));
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	assert_contains(got.detail, "no program of the owner waits");
	assert_int_equal(read(fd, trigger, sizeof(trigger)),
			 (ssize_t)sizeof("some 300000 2000000"));
	assert_string_equal(trigger, "some 300000 2000000");
	close(fd);
	vol_sensor_pressure.destroy(self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sysfiles),      TEST(power),
		TEST(power_changes), TEST(heat),
		TEST(polling),       TEST(load_windows),
		TEST(load_files),    TEST(pressure_figures),
		TEST(pressure),
	};

	return cmocka_run_group_tests(tests, loop_setup, loop_teardown);
}
