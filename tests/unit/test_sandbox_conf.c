/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sandbox_conf.c - what [sandbox] lets jobs have, and what never */
#include "config.h"

#include "device/sandbox_conf.h"

#include <errno.h>

#include "atomicfile.h"
#include "vtest.h"

static const struct vol_sandbox_conf usual = {
	.on = true,
	.tmp_bytes = 1 << 30,
	.tasks = 4096,
	.open_files = 65536,
	.network_rate = 4 << 20,
};

static struct vol_walls *walls_of(const struct vol_sandbox_conf *conf)
{
	struct vol_walls *walls = malloc(sizeof(*walls));
	struct vol_error err = {""};

	assert_non_null(walls);
	if (vol_sandbox_conf_walls(conf, walls, &err) < 0)
		fail_msg("%s", err.text);
	return walls;
}

static void nothing_set(void **state)
{
	struct vol_walls *walls = walls_of(&usual);
	struct vol_walls *defaults = malloc(sizeof(*defaults));

	(void)state;
	assert_non_null(defaults);
	vol_walls_defaults(defaults);
	assert_memory_equal(walls, defaults, sizeof(*walls));
	free(walls);
	free(defaults);
}

static void all_set(void **state)
{
	struct vol_sandbox_conf conf = {
		.on = false,
		.ids = VOL_USERS_ALWAYS,
		.tmp_bytes = 2 << 20,
		.tasks = 16,
		.open_files = 64,
		.read = (char *)"/opt/software, /usr /var/lib/texmf",
		.etc = (char *)"opt-software/x,java*",
		.work = (char *)" /campaign ,/home/ann/jobs, /mnt/data",
		.devices = (char *)"/dev/dri/renderD128",
		.network_deny = (char *)"203.0.113.9, 2001:db8::/32",
	};
	struct vol_walls *walls = walls_of(&conf);
	size_t names = walls->etc.n;

	(void)state;
	assert_false(walls->up);
	assert_int_equal(walls->users, VOL_USERS_ALWAYS);
	assert_int_equal(walls->scratch_bytes, 2 << 20);
	assert_int_equal(walls->tasks, 16);
	assert_int_equal(walls->open_files, 64);
	/* What is there already is there once. */
	assert_int_equal(walls->read.n, 3);
	assert_string_equal(walls->read.path[0], "/usr");
	assert_string_equal(walls->read.path[1], "/opt/software");
	assert_string_equal(walls->read.path[2], "/var/lib/texmf");
	assert_string_equal(walls->etc.path[names - 1], "opt-software/x");
	assert_int_equal(walls->work.n, 3);
	assert_string_equal(walls->work.path[1], "/home/ann/jobs");
	assert_string_equal(walls->devices.path[0], "/dev/dri/renderD128");
	assert_int_equal(walls->deny.n, 2);
	assert_string_equal(walls->deny.path[1], "2001:db8::/32");
	free(walls);
}

/* No /usr of the machine stays; /etc is the image's. */
static void image(void **state)
{
	struct vol_sandbox_conf conf = usual;
	struct vol_walls *walls;

	(void)state;
	conf.image = (char *)"/srv/image";
	conf.read = (char *)"/opt/software";
	walls = walls_of(&conf);
	assert_string_equal(walls->image, "/srv/image");
	assert_int_equal(walls->read.n, 1);
	assert_string_equal(walls->read.path[0], "/opt/software");
	assert_true(walls->etc.n > 10);
	free(walls);
}

/* Of a file what is in it is seen, wherever it lies. */
static void image_file(void **state)
{
#define DIGEST \
	"3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b"
	static const char *const files[] = {
		"/srv/" DIGEST ".squashfs",
		VOL_STATE_DIR "/runtime/" DIGEST ".erofs",
		"/home/ann/" DIGEST ".erofs",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(files); i++) {
		struct vol_sandbox_conf conf = usual;
		struct vol_walls *walls;

		conf.image = (char *)files[i];
		walls = walls_of(&conf);
		assert_string_equal(walls->image,
				    VOL_RUN_DIR "/runtime/" DIGEST);
		assert_int_equal(walls->read.n, 0);
		free(walls);
	}
}

static const struct {
	const char *key, *value, *reason;
} refused[] = {
	{"work", "/", "work: \"/\""},
	{"work", "campaign", "work: \"campaign\": not an absolute path"},
	{"work", "/campaign/", "component"},
	{"work", "/campaign/../home", "component"},
	{"work", "/home", "work: /home: people keep"},
	{"work", "/home/ann", "work: /home/ann: it may be somebody's home"},
	{"work", "/root", "/root: root keeps"},
	{"work", "/root/jobs", "/root/jobs: root keeps"},
	{"work", "/etc", "/etc: keys"},
	{"work", "/etc/jobs", "/etc/jobs: keys"},
	{"work", "/usr", "/usr: the system"},
	{"work", "/usr/local/jobs", "the system"},
	{"work", "/bin", "the system"},
	{"work", "/lib64", "the system"},
	{"work", "/var", "sockets"},
	{"work", "/var/lib", "the system"},
	{"read", VOL_STATE_DIR "/x", "discoveryd"},
	{"work", "/var/spool/slurm", "mail and jobs"},
	{"work", "/var/log", "logs"},
	{"work", "/proc", "jobs get their own"},
	{"work", "/sys/fs/cgroup", "jobs get their own"},
	{"work", "/dev/shm", "jobs get their own"},
	{"work", "/run", "sockets"},
	{"work", "/run/user/1000", "sockets"},
	{"work", "/tmp", "jobs get their own"},
	{"work", "/tmp/jobs", "jobs get their own"},
	{"work", "/var/tmp/jobs", "jobs get their own"},
	{"work", "/media/ann/disk", "people's disks"},
	{"work", "/mnt", "name one"},
	{"work", "/boot", "the system"},
	{"work", "/campaign, /srv, /home", "work: /home"},
	{"read", "/", "read: \"/\""},
	{"read", "/home", "people keep"},
	{"read", "/home/ann", "somebody's home"},
	{"read", "/etc", "read: /etc: keys"},
	{"read", "/etc/ssh", "read: /etc/ssh: keys"},
	{"read", "/root", "root keeps"},
	{"read", "/var", "sockets"},
	{"read", "/run/dbus", "sockets"},
	{"read", "/proc", "jobs get their own"},
	{"etc", "/etc/fonts", "etc: \"/etc/fonts\": not relative"},
	{"etc", "../home", "component"},
	{"etc", "shadow", "etc: shadow: jobs get their own, or none"},
	{"etc", "shad*", "or none"},
	{"etc", "passwd", "or none"},
	{"etc", "ssh", "or none"},
	{"etc", "ssl", "or none"},
	{"etc", "ssl/private", "or none"},
	{"etc", "ssl/private/key.pem", "or none"},
	{"etc", "munge", "or none"},
	{"etc", "*", "beginning of a name"},
	{"devices", "/dev", "name a device"},
	{"devices", "/srv/sda", "not below /dev"},
	{"devices", "/dev/../srv", "component"},
	{"network_deny", "203.0.113.9/33", "neither ADDRESS nor"},
	{"network_deny", "router.lan", "neither ADDRESS nor"},
	{"image", "srv", "image: \"srv\": not an absolute path"},
	{"image", "/", "image: \"/\""},
	{"image", "/home/ann", "image: /home/ann: it may be"},
	{"image", "/usr", "image: /usr: the system"},
	{"image", "/srv/lab.squashfs",
	 "image: \"lab.squashfs\": an image file is"},
	{"image", "srv/lab.erofs", "image: \"srv/lab.erofs\": not an absolute"},
};

static void wrong(void **state)
{
	struct vol_walls *walls = malloc(sizeof(*walls));

	(void)state;
	assert_non_null(walls);
	for (size_t i = 0; i < N_ELEMENTS(refused); i++) {
		struct vol_sandbox_conf conf = usual;
		const char *key = refused[i].key;
		struct vol_error err = {""};

		*(!strcmp(key, "work")           ? &conf.work
		  : !strcmp(key, "read")         ? &conf.read
		  : !strcmp(key, "etc")          ? &conf.etc
		  : !strcmp(key, "devices")      ? &conf.devices
		  : !strcmp(key, "network_deny") ? &conf.network_deny
						 : &conf.image) =
			(char *)refused[i].value;
		errno = 0;
		if (vol_sandbox_conf_walls(&conf, walls, &err) != -1 ||
		    errno != EINVAL || !strstr(err.text, refused[i].reason))
			fail_msg("%s = %s: errno %d, \"%s\"", key,
				 refused[i].value, errno, err.text);
		assert_int_equal(vol_sandbox_conf_check(&conf, NULL), -1);
	}
	free(walls);
}

static void homes(void **state)
{
	static const char passwd[] =
		"root:x:0:0::/root:/bin/sh\n"
		"ann:x:1000:1000::/srv/people/ann:/bin/sh\n"
		"bob:x:1001:1001::/:/bin/sh\n"
		"alice:x:2001:2001::/campaign/alice:/bin/sh\n";
	static const struct {
		const char *work, *owners;
		bool fine;
	} rows[] = {
		{"/srv/people", "ann, bob", false},
		{"/srv/people/ann", "bob ann", false},
		{"/srv/people/ann/jobs", "ann", true},
		{"/srv/people", "bob", true},
		{"/srv/people", NULL, true},
		{"/srv/people", "", true},
		/* Jobs' users have theirs where they work. */
		{"/campaign", "ann, bob", true},
		{"/srv/people", "nobody-here", true},
	};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/passwd", (char *)*state);
	assert_int_equal(vol_file_replace(path, passwd, strlen(passwd), 0644, 0,
					  NULL),
			 0);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_sandbox_conf conf = usual;
		struct vol_walls *walls;
		struct vol_error err;

		conf.work = (char *)rows[i].work;
		walls = walls_of(&conf);
		if (vol_sandbox_conf_homes(walls, rows[i].owners, path, &err) !=
		    (rows[i].fine ? 0 : -1))
			fail_msg("%s, %s", rows[i].work, rows[i].owners);
		if (!rows[i].fine)
			assert_contains(err.text, "the home of ann");
		assert_int_equal(vol_sandbox_conf_homes(walls, rows[i].owners,
							"/nonexistent", NULL),
				 0);
		free(walls);
	}
}

static void network(void **state)
{
	struct vol_sandbox_conf conf = usual;
	struct vol_walls *walls;

	(void)state;
	conf.network = VOL_NETWORK_INTERNET;
	conf.network_rate = 1 << 20;
	walls = walls_of(&conf);
	assert_int_equal(walls->network, VOL_NETWORK_INTERNET);
	assert_int_equal(walls->network_rate, 1 << 20);
	free(walls);
}

static void long_lists(void **state)
{
	struct vol_sandbox_conf conf = usual;
	char text[8192] = "";
	struct vol_error err;

	(void)state;
	conf.work = text;
	for (int i = 0; i < VOL_WALLS_LIST_MAX; i++)
		sprintf(text + strlen(text), "/srv/%d,", i);
	assert_int_equal(vol_sandbox_conf_check(&conf, &err), 0);
	strcat(text, "/srv/more");
	assert_int_equal(vol_sandbox_conf_check(&conf, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, "more than 128");
	memset(text, 'a', VOL_WALLS_PATH_SIZE);
	text[0] = '/';
	text[VOL_WALLS_PATH_SIZE] = '\0';
	assert_int_equal(vol_sandbox_conf_check(&conf, &err), -1);
	assert_contains(err.text, "too long");
	text[VOL_WALLS_PATH_SIZE - 1] = '\0';
	assert_int_equal(vol_sandbox_conf_check(&conf, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_set),
		cmocka_unit_test(all_set),
		cmocka_unit_test(image),
		cmocka_unit_test(image_file),
		cmocka_unit_test(wrong),
		cmocka_unit_test_setup_teardown(homes, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test(network),
		cmocka_unit_test(long_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
