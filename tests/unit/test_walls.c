/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_walls.c - the text between discoveryd and slurmstepd */
#include "config.h"

#include "walls.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtest.h"

#define V   "version=1\n"
#define UP  "walls=yes\n"
#define US  "users=auto\n"
#define UB  "uid_base=1879048192\n"
#define UR  "uid_ranges=4096\n"
#define SC  "scratch=1073741824\n"
#define TA  "tasks=4096\n"
#define OF  "open_files=65536\n"
#define NE  "network=none\nnetwork_rate=4194304\n"
#define IM  "image=\n"
#define ALL V UP US UB UR SC TA OF NE IM

static struct vol_walls *new_walls(void)
{
	struct vol_walls *walls = calloc(1, sizeof(*walls));

	assert_non_null(walls);
	return walls;
}

static int parse(const char *text, struct vol_walls *walls,
		 struct vol_error *err)
{
	return vol_walls_parse("walls", text, strlen(text), walls, err);
}

static void good(void **state)
{
	struct vol_walls *walls = new_walls();
	struct vol_error err = {""};

	(void)state;
	if (parse(ALL, walls, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(walls->up);
	assert_int_equal(walls->users, VOL_USERS_AUTO);
	assert_int_equal(walls->uid_base, VOL_WALLS_UID_BASE);
	assert_int_equal(walls->uid_ranges, VOL_WALLS_UID_RANGES);
	assert_int_equal(walls->scratch_bytes, 1 << 30);
	assert_int_equal(walls->tasks, 4096);
	assert_int_equal(walls->open_files, 65536);
	assert_int_equal(walls->network, VOL_NETWORK_NONE);
	assert_int_equal(walls->network_rate, 4 << 20);
	assert_string_equal(walls->image, "");
	assert_int_equal(walls->read.n + walls->etc.n + walls->work.n +
				 walls->devices.n,
			 0);
	/* In any order. */
	if (parse("network_deny=203.0.113.9\nnetwork_deny=2001:db8::/32\n"
		  "device=/dev/dri/renderD128\nwork=/campaign\netc=java*\n"
		  "read=/usr\nread=/opt/soft ware=1\nread=/usr\n"
		  "image=/srv/image\nnetwork=lan\n"
		  "network_rate=65536\n" OF TA SC UR UB
		  "users=never\nwalls=no\n" V,
		  walls, &err) < 0)
		fail_msg("%s", err.text);
	assert_false(walls->up);
	assert_int_equal(walls->users, VOL_USERS_NEVER);
	assert_int_equal(walls->network, VOL_NETWORK_LAN);
	assert_int_equal(walls->network_rate, 65536);
	assert_string_equal(walls->image, "/srv/image");
	assert_int_equal(walls->read.n, 2);
	assert_string_equal(walls->read.path[0], "/usr");
	assert_string_equal(walls->read.path[1], "/opt/soft ware=1");
	assert_string_equal(walls->etc.path[0], "java*");
	assert_string_equal(walls->work.path[0], "/campaign");
	assert_string_equal(walls->devices.path[0], "/dev/dri/renderD128");
	assert_int_equal(walls->deny.n, 2);
	assert_string_equal(walls->deny.path[1], "2001:db8::/32");
	/* UTF-8 is not a control character. */
	assert_int_equal(parse(ALL "work=/srv/donn\xc3\xa9"
				   "es\n",
			       walls, &err),
			 0);
	free(walls);
}

static const struct {
	const char *text, *error;
} bad[] = {
	{"", "walls: version: missing"},
	{"\n", "walls:1: unknown key \"\""},
	{UP US UB UR SC TA OF NE IM, "version: missing"},
	{V US UB UR SC TA OF NE IM, "walls: missing"},
	{V UP UB UR SC TA OF NE IM, "users: missing"},
	{V UP US UR SC TA OF NE IM, "uid_base: missing"},
	{V UP US UB SC TA OF NE IM, "uid_ranges: missing"},
	{V UP US UB UR TA OF NE IM, "scratch: missing"},
	{V UP US UB UR SC OF NE IM, "tasks: missing"},
	{V UP US UB UR SC TA NE IM, "open_files: missing"},
	{V UP US UB UR SC TA OF IM, "network: missing"},
	{V UP US UB UR SC TA OF "network=none\n" IM, "network_rate: missing"},
	{V UP US UB UR SC TA OF NE, "image: missing"},
	{V V, "walls:2: version: given twice"},
	{V UP UP, "walls:3: walls: given twice"},
	{IM IM, "walls:2: image: given twice"},
	{"version=2\n", "version: \"2\""},
	{"version\n", "no value"},
	{"read\n", "read: no value"},
	{"version=1", "walls:1: line without its end"},
	{V "read=/usr", "walls:2: line without its end"},
	{V "\n", "walls:2: unknown key \"\""},
	{V "color=red\n", "unknown key \"color\""},
	{V "READ=/usr\n", "unknown key \"READ\""},
	{V " read=/usr\n", "unknown key"},
	{V "read =/usr\n", "unknown key"},
	{V "#\n", "unknown key"},
	{"version=1\r\n", "version"},
	{"walls=1\n", "walls: \"1\""},
	{"walls=\n", "walls: \"\""},
	{"walls=YES\n", "walls: \"YES\""},
	{"walls=yes \n", "walls: \"yes \""},
	{"users=sometimes\n", "users: \"sometimes\""},
	{"users=aut\n", "users"},
	{"network=wan\n", "network: \"wan\""},
	{"network=\n", "network"},
	{"network_rate=65535\n", "network_rate"},
	{"network_rate=1073741825\n", "network_rate"},
	{"network_rate=4M\n", "network_rate"},
	{"uid_base=65535\n", "uid_base"},
	{"uid_base=0\n", "uid_base"},
	{"uid_base=4294967296\n", "uid_base"},
	{"uid_base=-1\n", "uid_base"},
	{"uid_ranges=0\n", "uid_ranges"},
	{"uid_ranges=65536\n", "uid_ranges"},
	{V UP US "uid_base=4294901760\nuid_ranges=1\n" SC TA OF NE IM,
	 "more ids than there are"},
	{V UP US UB "uid_ranges=65535\n" SC TA OF NE IM,
	 "more ids than there are"},
	{"scratch=0\n", "scratch"},
	{"scratch=1048575\n", "scratch"},
	{"scratch=1125899906842625\n", "scratch"},
	{"scratch=1G\n", "scratch"},
	{"scratch=\n", "scratch"},
	{"tasks=15\n", "tasks"},
	{"tasks=4194305\n", "tasks"},
	{"tasks=0x40\n", "tasks"},
	{"tasks=040\n", "tasks"},
	{"tasks=+40\n", "tasks"},
	{"open_files=63\n", "open_files"},
	{"open_files=1048577\n", "open_files"},
	{"image=srv\n", "image: \"srv\": not an absolute path"},
	{"image=/\n", "image: \"/\": all there is"},
	{"image=/srv/\n", "component"},
	{"read=\n", "not an absolute path"},
	{"read=/\n", "all there is"},
	{"read=usr\n", "not an absolute path"},
	{"read=/..\n", "component"},
	{"read=/usr/..\n", "component"},
	{"read=/usr/../home\n", "component"},
	{"read=/./usr\n", "component"},
	{"read=/usr/.\n", "component"},
	{"read=//usr\n", "component"},
	{"read=/usr//lib\n", "component"},
	{"read=/usr/\n", "component"},
	{"read=/u\tr\n", "control"},
	{"read=/u\x7f\n", "control"},
	{"read=/u\x1b[2J\n", "control"},
	{"work=campaign\n", "work: \"campaign\": not an absolute path"},
	{"work=/\n", "all there is"},
	{"device=dri\n", "device: \"dri\""},
	{"etc=\n", "etc: \"\": empty"},
	{"etc=/etc/fonts\n", "not relative"},
	{"etc=..\n", "component"},
	{"etc=../home\n", "component"},
	{"etc=a/../../home\n", "component"},
	{"etc=.\n", "component"},
	{"etc=a//b\n", "component"},
	{"etc=a/\n", "component"},
	{"etc=a\x01\n", "control"},
	{"etc=*\n", "beginning of a name"},
	{"etc=a/*\n", "beginning of a name"},
	{"etc=*a\n", "beginning of a name"},
	{"etc=a*b\n", "beginning of a name"},
	{"etc=a**\n", "beginning of a name"},
	{"etc=a*/b\n", "beginning of a name"},
};

static void wrong(void **state)
{
	struct vol_walls *walls = new_walls(), *before = new_walls();

	(void)state;
	memset(walls, 0x5a, sizeof(*walls));
	*before = *walls;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct vol_error err = {""};

		errno = 0;
		if (parse(bad[i].text, walls, &err) != -1 || errno != EINVAL ||
		    !strstr(err.text, bad[i].error) ||
		    strncmp(err.text, "walls:", 6) != 0)
			fail_msg("%zu: errno %d, text \"%s\", want \"%s\"", i,
				 errno, err.text, bad[i].error);
		assert_printable(err.text);
		if (memcmp(walls, before, sizeof(*walls)) != 0)
			fail_msg("%zu: changed", i);
	}
	free(walls);
	free(before);
}

static void sizes(void **state)
{
	static const char nul[] = ALL "read=/a\0b\n";
	struct vol_walls *walls = new_walls();
	char path[VOL_WALLS_PATH_SIZE + 1];
	char *text = malloc(2 * VOL_WALLS_FILE_MAX), *end;
	struct vol_error err;

	(void)state;
	assert_non_null(text);
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[VOL_WALLS_PATH_SIZE - 1] = '\0';
	sprintf(text, ALL "read=%s\n", path);
	assert_int_equal(parse(text, walls, &err), 0);
	assert_string_equal(walls->read.path[0], path);
	sprintf(text, ALL "image=%s\n", path);
	path[VOL_WALLS_PATH_SIZE - 1] = 'a';
	path[VOL_WALLS_PATH_SIZE] = '\0';
	sprintf(text, ALL "read=%s\n", path);
	assert_int_equal(parse(text, walls, &err), -1);
	assert_contains(err.text, "too long");
	sprintf(text, ALL "etc=%s\n", path + 1);
	assert_int_equal(parse(text, walls, &err), 0);
	sprintf(text, ALL "etc=a%s\n", path + 1);
	assert_int_equal(parse(text, walls, &err), -1);
	assert_contains(err.text, "too long");
	/* One list full, one too many. */
	strcpy(text, ALL);
	end = text + strlen(text);
	for (int i = 0; i < VOL_WALLS_LIST_MAX; i++)
		end += sprintf(end, "work=/%d\n", i);
	assert_int_equal(parse(text, walls, &err), 0);
	assert_int_equal(walls->work.n, VOL_WALLS_LIST_MAX);
	strcpy(end, "work=/0\n");
	assert_int_equal(parse(text, walls, &err), 0);
	strcpy(end, "work=/more\n");
	errno = 0;
	assert_int_equal(parse(text, walls, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, "\"/more\": more than 128");
	/* The whole. */
	memset(text, 'a', VOL_WALLS_FILE_MAX + 1);
	assert_int_equal(vol_walls_parse("walls", text, VOL_WALLS_FILE_MAX + 1,
					 walls, &err),
			 -1);
	assert_contains(err.text, "65537 bytes");
	assert_int_equal(vol_walls_parse("walls", nul, sizeof(nul) - 1, walls,
					 &err),
			 -1);
	assert_contains(err.text, "control");
	assert_int_equal(vol_walls_parse("walls", NULL, 0, walls, NULL), -1);
	free(text);
	free(walls);
}

static void lists(void **state)
{
	struct vol_walls *walls = new_walls();
	struct vol_walls_list *list = &walls->work;
	static const struct {
		const char *path;
		bool held;
	} rows[] = {
		{"/campaign", true},
		{"/campaign/a/b", true},
		{"/srv/a", true},
		{"/srv/a/..b", true},
		{"/campaigns", false},
		{"/campaig", false},
		{"/srv", false},
		{"/srv/b", false},
		{"/", false},
		{"", false},
		{"campaign", false},
		{"/campaign/", false},
		{"/campaign/..", false},
		{"/campaign/../home", false},
		{"/campaign/./a", false},
		{"//campaign", false},
		{"/campaign\n", false},
	};
	struct vol_error err;

	(void)state;
	assert_false(vol_walls_hold(list, "/campaign"));
	assert_int_equal(vol_walls_add(list, "/campaign", &err), 0);
	assert_int_equal(vol_walls_add(list, "/srv/a", &err), 0);
	assert_int_equal(vol_walls_add(list, "/campaign", &err), 0);
	assert_int_equal(list->n, 2);
	assert_int_equal(vol_walls_add(list, "/", &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(vol_walls_add(list, "/a/..", NULL), -1);
	assert_int_equal(list->n, 2);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		if (vol_walls_hold(list, rows[i].path) != rows[i].held)
			fail_msg("%s", rows[i].path);
	while (list->n < VOL_WALLS_LIST_MAX) {
		char path[32];

		sprintf(path, "/%zu", list->n);
		assert_int_equal(vol_walls_add(list, path, &err), 0);
	}
	assert_int_equal(vol_walls_add(list, "/more", &err), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(vol_walls_add_etc(&walls->etc, "default/x", &err), 0);
	assert_int_equal(vol_walls_add_etc(&walls->etc, "/etc/x", &err), -1);
	assert_int_equal(errno, EINVAL);
	free(walls);
}

static bool has(const struct vol_walls_list *list, const char *path)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->path[i], path))
			return true;
	return false;
}

static void defaults(void **state)
{
	static const char *const never[] = {
		"passwd", "shadow",   "group",      "gshadow",    "ssh",
		"ssl",    "pki",      "pki/tls",    "machine-id", "sudoers",
		"munge",  "slurm",    "hosts",      "hostname",   "resolv.conf",
		"pam.d",  "security", "environment"};
	struct vol_walls *walls = new_walls();

	(void)state;
	memset(walls, 0x5a, sizeof(*walls));
	vol_walls_defaults(walls);
	assert_true(walls->up);
	assert_int_equal(walls->users, VOL_USERS_AUTO);
	assert_int_equal(walls->network, VOL_NETWORK_NONE);
	assert_int_equal(walls->scratch_bytes, 1 << 30);
	assert_string_equal(walls->image, "");
	assert_int_equal(walls->read.n, 1);
	assert_string_equal(walls->read.path[0], "/usr");
	assert_int_equal(walls->work.n, 0);
	assert_int_equal(walls->devices.n, 0);
	assert_true(has(&walls->etc, "ld.so.cache"));
	assert_true(has(&walls->etc, "ssl/certs"));
	assert_true(has(&walls->etc, "java*"));
	/* The last one: no name was refused on the way. */
	assert_true(has(&walls->etc, "glvnd"));
	for (size_t i = 0; i < N_ELEMENTS(never); i++)
		if (has(&walls->etc, never[i]))
			fail_msg("%s", never[i]);
	free(walls);
}

static void expect_same(const struct vol_walls *walls)
{
	char *text = malloc(VOL_WALLS_FILE_MAX + 1);
	struct vol_walls *again = new_walls();
	struct vol_error err = {""};
	int len;

	assert_non_null(text);
	len = vol_walls_format(walls, text, VOL_WALLS_FILE_MAX + 1);
	assert_int_equal(len, strlen(text));
	if (parse(text, again, &err) < 0)
		fail_msg("%s", err.text);
	assert_memory_equal(again, walls, sizeof(*walls));
	/* Not a byte too few. */
	assert_int_equal(vol_walls_format(walls, text, (size_t)len), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(vol_walls_format(walls, text, (size_t)len + 1), len);
	assert_int_equal(vol_walls_format(walls, NULL, 0), -1);
	free(again);
	free(text);
}

static void round_trip(void **state)
{
	struct vol_walls *walls = new_walls();

	(void)state;
	vol_walls_defaults(walls);
	expect_same(walls);
	walls->up = false;
	walls->users = VOL_USERS_ALWAYS;
	walls->uid_base = VOL_WALLS_RANGE;
	walls->uid_ranges = 65533;
	walls->scratch_bytes = VOL_WALLS_SCRATCH_MAX;
	walls->tasks = VOL_WALLS_TASKS_MAX;
	walls->open_files = VOL_WALLS_OPEN_FILES_MIN;
	walls->network = VOL_NETWORK_INTERNET;
	walls->network_rate = VOL_WALLS_RATE_MAX;
	strcpy(walls->image, "/srv/image");
	assert_int_equal(vol_walls_add(&walls->work, "/a b=c", NULL), 0);
	assert_int_equal(vol_walls_add(&walls->devices, "/dev/x", NULL), 0);
	assert_int_equal(vol_walls_add_deny(&walls->deny, "::1/9", NULL), 0);
	expect_same(walls);
	free(walls);
}

/* All that can be said of them, onto memory that was another's. */
static void copies(void **state)
{
	static const char all[] = ALL "read=/a\nread=/b\netc=c\nwork=/d\n"
				      "device=/e\nnetwork_deny=::1\n";
	struct vol_walls *walls = new_walls(), *copy = new_walls();
	char text[2][sizeof(all) + 64];

	(void)state;
	assert_int_equal(parse(all, walls, NULL), 0);
	memset(copy, 0x5a, sizeof(*copy));
	vol_walls_copy(copy, walls);
	for (int i = 0; i < 2; i++)
		assert_true(vol_walls_format(i ? copy : walls, text[i],
					     sizeof(text[i])) > 0);
	assert_string_equal(text[0], text[1]);
	assert_string_equal(copy->read.path[1], "/b");
	assert_int_equal(copy->deny.n, 1);
	free(walls);
	free(copy);
}

/* What the parser would refuse is not written. */
static void format_refuses(void **state)
{
	struct vol_walls *walls = new_walls();
	char *text = malloc(VOL_WALLS_FILE_MAX + 1);

	(void)state;
	assert_non_null(text);
#define REFUSED(change)                                                    \
	do {                                                               \
		vol_walls_defaults(walls);                                 \
		change;                                                    \
		errno = 0;                                                 \
		assert_int_equal(vol_walls_format(walls, text,             \
						  VOL_WALLS_FILE_MAX + 1), \
				 -1);                                      \
		assert_int_equal(errno, EINVAL);                           \
	} while (0)
	REFUSED(walls->users = 3);
	REFUSED(walls->users = -1);
	REFUSED(walls->network = 3);
	REFUSED(walls->network = -1);
	REFUSED(walls->network_rate = 0);
	REFUSED(walls->uid_base = 0);
	REFUSED(walls->uid_ranges = 0);
	REFUSED(walls->uid_base = UINT32_MAX);
	REFUSED(walls->scratch_bytes = 0);
	REFUSED(walls->tasks = 0);
	REFUSED(walls->open_files = 0);
	REFUSED(strcpy(walls->image, "srv"));
	REFUSED(strcpy(walls->read.path[0], "/usr\nwalls=no"));
	REFUSED(strcpy(walls->read.path[0], ""));
	REFUSED(strcpy(walls->etc.path[0], "../home"));
	REFUSED(memset(walls->read.path[0], 'a', VOL_WALLS_PATH_SIZE));
	REFUSED(walls->read.n = VOL_WALLS_LIST_MAX + 1);
#undef REFUSED
	/* More than the file may hold. */
	vol_walls_defaults(walls);
	while (walls->work.n < VOL_WALLS_LIST_MAX) {
		char path[VOL_WALLS_PATH_SIZE];

		memset(path, 'a', sizeof(path));
		sprintf(path + sizeof(path) - 8, "%zu", walls->work.n);
		path[0] = '/';
		assert_int_equal(vol_walls_add(&walls->work, path, NULL), 0);
	}
	free(text);
	text = malloc(4 * VOL_WALLS_FILE_MAX);
	assert_non_null(text);
	assert_int_equal(vol_walls_format(walls, text, 4 * VOL_WALLS_FILE_MAX),
			 -1);
	assert_int_equal(errno, ENOSPC);
	free(text);
	free(walls);
}

static void words(void **state)
{
	struct vol_error err;
	int network = 7;

	(void)state;
	assert_int_equal(vol_network_parse("none", &network, &err), 0);
	assert_int_equal(network, VOL_NETWORK_NONE);
	assert_int_equal(vol_network_parse("internet", &network, &err), 0);
	assert_int_equal(network, VOL_NETWORK_INTERNET);
	assert_int_equal(vol_network_parse("lan", &network, &err), 0);
	assert_int_equal(network, VOL_NETWORK_LAN);
	assert_int_equal(vol_network_parse("LAN", &network, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, "\"LAN\" is none of none, internet and lan");
	assert_int_equal(vol_network_parse("", &network, NULL), -1);
	assert_int_equal(network, VOL_NETWORK_LAN);
	assert_string_equal(vol_network_name(VOL_NETWORK_LAN), "lan");
	/* Out of range is the least, never the most. */
	assert_string_equal(vol_network_name(3), "none");
	assert_string_equal(vol_network_name(-1), "none");
	assert_string_equal(vol_walls_users_name(VOL_USERS_ALWAYS), "always");
	assert_string_equal(vol_walls_users_name(9), "auto");
}

static void view_changes_with_what_can_be_reached(void **state)
{
	struct vol_walls *w = calloc(1, sizeof(*w));
	char first[VOL_WALLS_VIEW_SIZE], next[VOL_WALLS_VIEW_SIZE];

	(void)state;
	assert_non_null(w);
	vol_walls_defaults(w);
	vol_walls_view(w, first);
	w->tasks++;
	vol_walls_view(w, next);
	assert_string_equal(first, next);
	assert_int_equal(vol_walls_add(&w->work, "/a", NULL), 0);
	vol_walls_view(w, next);
	assert_string_not_equal(first, next);
	/* In another list it is another thing. */
	w->work.n = 0;
	assert_int_equal(vol_walls_add(&w->devices, "/a", NULL), 0);
	vol_walls_view(w, first);
	assert_string_not_equal(first, next);
	strcpy(w->image, "/a");
	vol_walls_view(w, next);
	assert_string_not_equal(first, next);
	/* slurmstepd finds /dev/net/tun in slurmd's view. */
	w->network = VOL_NETWORK_LAN;
	vol_walls_view(w, first);
	assert_string_not_equal(first, next);
	w->network = VOL_NETWORK_INTERNET;
	vol_walls_view(w, next);
	assert_string_equal(first, next);
	w->up = false;
	vol_walls_view(w, next);
	assert_string_equal(next, "bare");
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(view_changes_with_what_can_be_reached),
		cmocka_unit_test(good),
		cmocka_unit_test(wrong),
		cmocka_unit_test(sizes),
		cmocka_unit_test(lists),
		cmocka_unit_test(defaults),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(copies),
		cmocka_unit_test(words),
		cmocka_unit_test(format_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
