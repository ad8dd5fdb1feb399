/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_device_conf.c - device.conf, the device's identity and its memory */
#include "config.h"

#include "device/device_conf.h"
#include "device/identity.h"

#include <errno.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "link.h"
#include "log.h"
#include "vtest.h"

#define KEY "00112233445566778899aabbccddeeff0123456789abcdef0f1e2d3c4b5a6978"

static const char *put(const char *folder, const char *name, const char *text)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(
		vol_file_replace(path, text, strlen(text), 0644, 0, NULL), 0);
	return path;
}

static void defaults(void **state)
{
	struct vol_device_conf c = {0};
	struct vol_error err;

	assert_int_equal(vol_device_conf_read(&c, put(*state, "c", ""), &err),
			 0);
	assert_null(c.controller);
	assert_null(c.cluster);
	assert_null(c.controller_key);
	assert_string_equal(c.slurmd, "/usr/sbin/slurmd");
	assert_int_equal(c.supervise, VOL_SUPERVISE_AUTO);
	assert_true(c.publish);
	assert_int_equal(vol_share_apply(&c.memory, 1000), 800);
	assert_int_equal(vol_share_apply(&c.cpus, 8), 8);
	assert_int_equal(vol_share_apply(&c.gpus, 8), 0);
	assert_null(c.input_devices);
	assert_int_equal(c.policy.idle_after_ms, 300 * 1000);
	assert_true(vol_hours_open(&c.policy.hours, 0));
	assert_int_equal(vol_hours_change(&c.policy.hours, 0), 0);
	assert_false(c.policy.on_battery);
	assert_int_equal(c.policy.max_load_pct, 25);
	assert_int_equal(c.policy.max_celsius, 90);
	assert_int_equal(c.policy.reaction, VOL_REACT_FREEZE);
	assert_int_equal(c.policy.parked_max_ms, 600 * 1000);
	assert_int_equal(c.policy.interactive_max_ms, 1800 * 1000);
	assert_int_equal(c.policy.max_pressure_pct, 10);
	assert_true(c.checkpoint);
	assert_int_equal(c.checkpoint_ms, 60 * 1000);
	assert_int_equal(c.checkpoint_grace_ms, 10 * 1000);
	assert_int_equal(c.policy.unknown_is_present, 1u << VOL_SENSOR_INPUT);
	assert_null(c.owners);
	assert_null(c.users);
	assert_null(c.accounts);
	assert_true(c.sandbox.on);
	assert_int_equal(c.sandbox.ids, VOL_USERS_AUTO);
	assert_int_equal(c.sandbox.network, VOL_NETWORK_NONE);
	assert_int_equal(c.sandbox.tmp_bytes, 1 << 30);
	assert_int_equal(c.sandbox.tasks, 4096);
	assert_int_equal(c.sandbox.open_files, 65536);
	assert_null(c.sandbox.work);
	vol_device_conf_clear(&c);
	/* Without a file they are the same. */
	memset(&c, 0, sizeof(c));
	assert_int_equal(vol_device_conf_defaults(&c, &err), 0);
	assert_int_equal(c.policy.unknown_is_present, 1u << VOL_SENSOR_INPUT);
	assert_true(vol_hours_open(&c.policy.hours, VOL_WEEK_MINUTES - 1));
	vol_device_conf_clear(&c);
}

static const char owner_text[] = "[owner]\n"
				 "idle_after = 90s\n"
				 "hours = mon-fri 18:00-08:00; sat-sun always\n"
				 "on_battery = yes\n"
				 "max_load = 100\n"
				 "max_temperature = 0\n"
				 "reaction = evict\n"
				 "parked_max = 0\n"
				 "interactive_max = 1h\n"
				 "max_pressure = 1\n"
				 "checkpoint = no\n"
				 "checkpoint_time = 1h\n"
				 "checkpoint_every = 1s\n"
				 "checkpoint_grace = 0\n"
				 "unknown_is_present = input, load\n"
				 "owners = ann, bob\n"
				 "[jobs]\n"
				 "users = all\n"
				 "accounts = physics LAB\\chem\n"
				 "[device]\n"
				 "input_devices = /run/a, /run/b\n";

static void owner(void **state)
{
	struct vol_device_conf c = {0};
	struct vol_error err = {""};

	if (vol_device_conf_parse("memory", owner_text, strlen(owner_text), &c,
				  &err) < 0)
		fail_msg("%s", err.text);
	(void)state;
	assert_int_equal(c.policy.idle_after_ms, 90 * 1000);
	assert_false(vol_hours_open(&c.policy.hours, 12 * 60));
	assert_true(vol_hours_open(&c.policy.hours, 18 * 60));
	assert_true(c.policy.on_battery);
	assert_int_equal(c.policy.max_load_pct, 100);
	assert_int_equal(c.policy.max_celsius, 0);
	assert_int_equal(c.policy.reaction, VOL_REACT_EVICT);
	assert_int_equal(c.policy.parked_max_ms, 0);
	assert_int_equal(c.policy.interactive_max_ms, 3600 * 1000);
	assert_int_equal(c.policy.max_pressure_pct, 1);
	assert_false(c.checkpoint);
	assert_int_equal(c.checkpoint_ms, 3600 * 1000);
	assert_int_equal(c.policy.unknown_is_present,
			 1u << VOL_SENSOR_INPUT | 1u << VOL_SENSOR_LOAD);
	assert_string_equal(c.owners, "ann, bob");
	assert_true(vol_list_welcomes(c.users, "anybody"));
	assert_false(vol_list_welcomes(c.accounts, "biology"));
	assert_string_equal(c.input_devices, "/run/a, /run/b");
	vol_device_conf_clear(&c);
	assert_null(c.owners);
}

/* What does not hold as a whole changes nothing of what held before. */
static void parse_keeps_the_old(void **state)
{
	static const char bad[] = "[owner]\nhours = never\nreaction = kill\n";
	static const char worse[] = "[owner]\nparked_max = 2h\n";
	struct vol_device_conf c = {0}, before;
	struct vol_error err;

	(void)state;
	assert_int_equal(vol_device_conf_parse("memory", owner_text,
					       strlen(owner_text), &c, &err),
			 0);
	before = c;
	assert_int_equal(
		vol_device_conf_parse("new", bad, strlen(bad), &c, &err), -1);
	assert_contains(err.text, "new:3: reaction: ");
	assert_memory_equal(&c, &before, sizeof(c));
	assert_int_equal(vol_device_conf_parse("new", worse, strlen(worse), &c,
					       &err),
			 -1);
	assert_string_equal(err.text, "new: interactive_max = 30m is shorter "
				      "than parked_max = 2h");
	assert_memory_equal(&c, &before, sizeof(c));
	/* What is not given is the default again, not what was before. */
	assert_int_equal(vol_device_conf_parse("new", "", 0, &c, &err), 0);
	assert_null(c.owners);
	assert_int_equal(c.policy.reaction, VOL_REACT_FREEZE);
	vol_device_conf_clear(&c);
}

/* The installed file says nothing but defaults, and its examples hold. */
static void installed_file(void **state)
{
	struct vol_device_conf c = {0};
	struct vol_error err = {""};
	char text[8192], *line, *more, out[8192] = "";
	FILE *fp = fopen(DEVICE_CONF, "r");
	unsigned keys = 0, rows = 0;
	size_t n;

	(void)state;
	assert_non_null(fp);
	n = fread(text, 1, sizeof(text) - 1, fp);
	fclose(fp);
	text[n] = '\0';
	if (vol_device_conf_parse(DEVICE_CONF, text, n, &c, &err) < 0)
		fail_msg("%s", err.text);
	assert_null(c.controller);
	for (line = strtok_r(text, "\n", &more); line;
	     line = strtok_r(NULL, "\n", &more)) {
		if (*line == ';')
			keys++;
		strcat(strcat(out, line + (*line == ';')), "\n");
	}
	if (vol_device_conf_parse(DEVICE_CONF, out, strlen(out), &c, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(c.policy.parked_max_ms, 600 * 1000);
	for (const struct vol_conf_option *row = vol_device_conf_table();
	     row->type != VOL_CONF_END; row++)
		rows++;
	assert_int_equal(keys, rows);
	vol_device_conf_clear(&c);
}

static void whole_file(void **state)
{
	struct vol_device_conf c = {0};
	struct vol_error err;

	assert_int_equal(
		vol_device_conf_read(&c,
				     put(*state, "c",
					 "[device]\n"
					 "controller = ctl.lab:7000\n"
					 "controller_key = " KEY "\n"
					 "cluster = lab\n"
					 "supervise = child\n"
					 "publish = no\n"
					 "input_devices = /run/owner-input\n"
					 "[share]\n"
					 "cpus = -1\n"
					 "memory = 4G\n"),
				     &err),
		0);
	assert_string_equal(c.controller, "ctl.lab:7000");
	assert_string_equal(c.controller_key, KEY);
	assert_int_equal(c.supervise, VOL_SUPERVISE_CHILD);
	assert_int_equal(vol_share_apply(&c.cpus, 8), 7);
	vol_device_conf_clear(&c);
}

static void wrong_files(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{"[device]\ncolour = blue\n", ":2: "},
		{"[device]\npublish = maybe\n", ":2: "},
		{"[device]\nsupervise = cron\n", ":2: "},
		{"[device]\nslurmd = slurmd\n", "slurmd"},
		{"[device]\nstate_dir = here\n", "state_dir"},
		{"[device]\ncontroller = a:b\n", "controller"},
		{"[device]\ncontroller = $(reboot)\n", "controller"},
		{"[device]\ncontroller_key = 0123\n", "controller_key"},
		{"[device]\ncontroller_key = " KEY "0\n", "controller_key"},
		{"[share]\ncpus = 150%\n", ":2: "},
		{"[device]\ninput_devices = /a b\n",
		 "\"b\" is not an absolute path"},
		{"[owner]\nidle_after = 25h\n", ":2: idle_after: "},
		{"[owner]\nidle_after = soon\n", ":2: idle_after: "},
		{"[owner]\nhours = mon\n", "hours: \"mon\": "},
		{"[owner]\nhours =\n", ":2: hours: "},
		{"[owner]\non_battery = sometimes\n", ":2: on_battery: "},
		{"[owner]\nmax_load = 0\n", ":2: max_load: "},
		{"[owner]\nmax_load = 101\n", ":2: max_load: "},
		{"[owner]\nmax_load = 20%\n", ":2: max_load: "},
		{"[owner]\nmax_temperature = 151\n", ":2: max_temperature: "},
		{"[owner]\nreaction = kill\n", "freeze, throttle, evict"},
		{"[owner]\nparked_max = 8d\n", ":2: parked_max: "},
		{"[owner]\nparked_max = 31m\n",
		 "interactive_max = 30m is shorter than parked_max = 31m"},
		{"[owner]\ninteractive_max = 5m\n",
		 "interactive_max = 5m is shorter than parked_max = 10m"},
		{"[owner]\nmax_pressure = 0\n", ":2: max_pressure: "},
		{"[owner]\ncheckpoint = 10m\n", ":2: checkpoint: "},
		{"[owner]\ncheckpoint_time = 0\n", ":2: checkpoint_time: "},
		{"[owner]\ncheckpoint_time = 999ms\n", ":2: checkpoint_time: "},
		{"[owner]\ncheckpoint_time = 61m\n", ":2: checkpoint_time: "},
		{"[owner]\ncheckpoint_every = 0\n", ":2: checkpoint_every: "},
		{"[owner]\ncheckpoint_every = 8d\n", ":2: checkpoint_every: "},
		{"[owner]\ncheckpoint_grace = 11m\n", ":2: checkpoint_grace: "},
		{"[owner]\ncheckpoint_grace = no\n", ":2: checkpoint_grace: "},
		{"[owner]\nunknown_is_present = input, mouse\n",
		 "unknown_is_present: \"mouse\" is not a sensor"},
		{"[owner]\nowners = ,\n", "owners: names nobody"},
		{"[owner]\nowners =\n", ":2: owners: "},
		{"[owner]\nowners = all\n", "owners: name the users"},
		{"[jobs]\nusers = ,\n", "users: names nobody"},
		{"[jobs]\nusers = ann, all\n", "users: all stands alone"},
		{"[jobs]\nusers = ann;bob\n", "\"ann;bob\" is not a name"},
		{"[jobs]\naccounts = *\n", "accounts: \"*\" is not a name"},
		{"[jobs]\nidle_after = 5m\n", ":2: unknown key"},
		{"[sandbox]\nsandbox = maybe\n", ":2: sandbox: "},
		{"[sandbox]\nids = mine\n", "auto, always, never"},
		{"[sandbox]\nnetwork = wan\n", "none, internet, lan"},
		{"[sandbox]\nnetwork_rate = 1K\n", ":2: network_rate: "},
		{"[sandbox]\nnetwork_rate = none\n", ":2: network_rate: "},
		{"[sandbox]\ntmp = 0\n", ":2: tmp: "},
		{"[sandbox]\ntasks = 8\n", ":2: tasks: "},
		{"[sandbox]\nopen_files = 2M\n", ":2: open_files: "},
		{"[sandbox]\nwork =\n", ":2: work: "},
		{"[sandbox]\nwork = /campaign, /home\n",
		 "work: /home: people keep their files there"},
		{"[sandbox]\nusers = auto\n", ":2: unknown key"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_device_conf c = {.publish = true};
		struct vol_error err = {""};
		const char *path = put(*state, "c", rows[i].text);

		assert_int_equal(vol_device_conf_read(&c, path, &err), -1);
		assert_contains(err.text, path);
		assert_contains(err.text, rows[i].reason);
		assert_null(c.slurmd);
	}
}

static void hosts(void **state)
{
	static const struct {
		const char *text, *host; /* NULL: EINVAL */
		uint16_t port;
	} rows[] = {
		{"ctl", "ctl", VOL_LINK_PORT},
		{"ctl.example.org:1", "ctl.example.org", 1},
		{"192.0.2.1", "192.0.2.1", VOL_LINK_PORT},
		{"192.0.2.1:65535", "192.0.2.1", 65535},
		{"2001:db8::1", "2001:db8::1", VOL_LINK_PORT},
		{"[2001:db8::1]:99", "2001:db8::1", 99},
		{"[fe80::1%eth0]", "fe80::1%eth0", VOL_LINK_PORT},
		{"", NULL, 0},
		{":1", NULL, 0},
		{"ctl:", NULL, 0},
		{"ctl:0", NULL, 0},
		{"ctl:65536", NULL, 0},
		{"ctl:+1", NULL, 0},
		{"ctl:1x", NULL, 0},
		{"[::1", NULL, 0},
		{"[::1]x", NULL, 0},
		{"a b", NULL, 0},
		{"-ctl", NULL, 0},
		{"ctl;reboot", NULL, 0},
		{"averylonghostname", NULL, 0},
	};
	char host[17];
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int r = vol_device_conf_host(rows[i].text, host, sizeof(host),
					     &port, NULL);

		assert_int_equal(r, rows[i].host ? 0 : -1);
		if (!rows[i].host)
			continue;
		assert_string_equal(host, rows[i].host);
		assert_int_equal(port, rows[i].port);
	}
}

static void keep_line(enum vol_log_level level, const char *msg, void *arg)
{
	(void)level;
	strncat(arg, msg, 1000);
}

static void identity(void **state)
{
	char folder[512], first[VOL_DEVICE_ID_SIZE], id[VOL_DEVICE_ID_SIZE];
	char path[600];
	struct vol_keypair *key;
	struct vol_error err;
	struct stat st;

	snprintf(folder, sizeof(folder), "%s/a/b", (char *)*state);
	key = vol_identity_load(folder, first, &err);
	assert_non_null(key);
	vol_fingerprint_id(vol_keypair_fingerprint(key), id);
	assert_string_equal(id, first);
	vol_keypair_destroy(key);
	snprintf(path, sizeof(path), "%s/device.key", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	key = vol_identity_load(folder, id, &err);
	assert_non_null(key);
	assert_string_equal(id, first);
	vol_keypair_destroy(key);
	/* A damaged one is not quietly replaced: it would be a new node. */
	put(folder, "device.key", "0123\n");
	assert_int_equal(chmod(path, 0600), 0);
	assert_null(vol_identity_load(folder, id, &err));
	assert_contains(err.text, path);
	assert_int_equal(vol_identity_boot(id, &err), 0);
	assert_true(vol_device_id_valid(id));
}

/* A device of an earlier version is told once that it is another one now. */
static void former_identity(void **state)
{
	char id[VOL_DEVICE_ID_SIZE], log[2048] = "";

	put(*state, "device.id", "0123456789abcdef0123456789abcdef\n");
	vol_log_set(keep_line, log, VOL_LOG_INFO);
	vol_keypair_destroy(vol_identity_load(*state, id, NULL));
	assert_contains(log, "01234567 any more");
	assert_contains(log, "device.id");
	assert_string_not_equal(id, "0123456789abcdef0123456789abcdef");
	log[0] = '\0';
	vol_keypair_destroy(vol_identity_load(*state, id, NULL));
	assert_string_equal(log, "");
	vol_log_set(NULL, NULL, VOL_LOG_ERR);
}

static void memory(void **state)
{
	static const char *const damaged[] = {
		"",
		"{",
		"[]",
		"{\"address\": \"10.0.0.1\"}",
		"{\"address\": \"host\", \"port\": 1, \"cluster\": \"lab\"}",
		"{\"address\": \"10.0.0.1\", \"port\": 0, \"cluster\": \"l\"}",
		"{\"address\": \"10.0.0.1\", \"port\": 65536, "
		"\"cluster\": \"l\"}",
		"{\"address\": \"10.0.0.1\", \"port\": 1, \"cluster\": \"l\", "
		"\"x\": 1}",
	};
	struct vol_remembered r, saved = {"10.0.0.1", 6830, "lab"};
	struct vol_error err;

	assert_int_equal(vol_remembered_load(*state, &r, &err), 0);
	assert_string_equal(r.address, "");
	assert_int_equal(vol_remembered_save(*state, &saved, &err), 0);
	assert_int_equal(vol_remembered_load(*state, &r, &err), 0);
	assert_string_equal(r.address, "10.0.0.1");
	assert_string_equal(r.cluster, "lab");
	assert_int_equal(r.port, 6830);
	for (size_t i = 0; i < N_ELEMENTS(damaged); i++) {
		put(*state, "controller.json", damaged[i]);
		assert_int_equal(vol_remembered_load(*state, &r, &err), -1);
		assert_string_equal(r.address, "");
		assert_contains(err.text, "controller.json");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(whole_file, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(wrong_files, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test(owner),
		cmocka_unit_test(parse_keeps_the_old),
		cmocka_unit_test(installed_file),
		cmocka_unit_test(hosts),
		cmocka_unit_test_setup_teardown(identity, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(former_identity,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(memory, vtest_folder_setup,
						vtest_folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
