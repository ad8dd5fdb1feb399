/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_device_conf.c - device.conf, the device's identity and its memory */
#include "config.h"

#include "device/device_conf.h"
#include "device/identity.h"

#include <errno.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "link.h"
#include "vtest.h"

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
	assert_string_equal(c.slurmd, "/usr/sbin/slurmd");
	assert_int_equal(c.supervise, VOL_SUPERVISE_AUTO);
	assert_true(c.publish);
	assert_int_equal(vol_share_apply(&c.memory, 1000), 800);
	assert_int_equal(vol_share_apply(&c.cpus, 8), 8);
	assert_int_equal(vol_share_apply(&c.gpus, 8), 0);
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
		{"[share]\ncpus = 150%\n", ":2: "},
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

static void identity(void **state)
{
	char folder[512], first[VOL_DEVICE_ID_SIZE], id[VOL_DEVICE_ID_SIZE];
	char path[600];
	struct vol_error err;
	struct stat st;

	snprintf(folder, sizeof(folder), "%s/a/b", (char *)*state);
	assert_int_equal(vol_identity_load(folder, first, &err), 0);
	assert_true(vol_device_id_valid(first));
	snprintf(path, sizeof(path), "%s/device.id", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(vol_identity_load(folder, id, &err), 0);
	assert_string_equal(id, first);
	/* A damaged one is not quietly replaced: it would be a new node. */
	put(folder, "device.id", "0123\n");
	assert_int_equal(vol_identity_load(folder, id, &err), -1);
	assert_contains(err.text, path);
	assert_int_equal(vol_identity_boot(id, &err), 0);
	assert_true(vol_device_id_valid(id));
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
		cmocka_unit_test(hosts),
		cmocka_unit_test_setup_teardown(identity, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(memory, vtest_folder_setup,
						vtest_folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
