/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_volunteer.c - what volunteer prints, and what doctor sees on a host */
#include "config.h"

#include "doctor_local.h"
#include "owner_view.h"
#include "owner_words.h"
#include "table.h"
#include "when.h"

#include "vtest.h"

#define NOW ((time_t)1000000)

static void cells(void **state)
{
	static const struct {
		const char *member, *json, *text;
	} rows[] = {
		{"x", "null", "-"},
		{"x", "\"\"", "-"},
		{"x", "\"word\"", "word"},
		{"x", "true", "yes"},
		{"x", "false", "no"},
		{"x", "0", "0"},
		{"x", "-5", "-5"},
		{"x", "0.5", "0.50"},
		{"x", "[]", "-"},
		{"x", "[\"a\", 2]", "a,2"},
		{"memory_mb", "1024", "1G"},
		{"memory_mb", "0", "0"},
		{"retry_ms", "1500", "1s500ms"},
		{"uptime_s", "59", "59s"},
		{"uptime_s", "3661", "1h1m"},
		{"uptime_s", "180000", "2d2h"},
		{"last_seen", "0", "never"},
		{"last_seen", "999940", "1m ago"},
		{"last_seen", "1000050", "0s ago"}, /* clocks differ */
		{"away_since", "0", "-"},
		{"away_since", "996400", "1h"},
		{"away_since", "1000050", "0s"}, /* clocks differ */
		{"x", "\"\\u001b[2J\"", "?[2J"},
		{"x", "\"a\\nb\\u007f\"", "a?b?"},
	};
	char buf[64];
	json_t *json;
	size_t i;

	(void)state;
	vol_table_cell("x", NULL, NOW, buf, sizeof(buf));
	assert_string_equal(buf, "-");
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		json = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
		assert_non_null(json);
		vol_table_cell(rows[i].member, json, NOW, buf, sizeof(buf));
		assert_string_equal(buf, rows[i].text);
		json_decref(json);
	}
}

static void long_cells_are_cut(void **state)
{
	char text[1000], buf[64];
	json_t *json;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	json = json_string(text);
	vol_table_cell("x", json, NOW, buf, sizeof(buf));
	assert_int_equal(strlen(buf), sizeof(buf) - 1);
	json_decref(json);
	json = json_pack("[s, s, s]", text, text, text);
	vol_table_cell("x", json, NOW, buf, sizeof(buf));
	assert_int_equal(strlen(buf), sizeof(buf) - 1);
	json_decref(json);
}

static void tables_are_aligned(void **state)
{
	static const struct vol_column columns[] = {
		{"NODE", "node"}, {"CPUS", "cpus"}, {NULL, NULL}};
	json_t *list = json_pack("[{s:s, s:i}, {s:s}]", "node", "desk-2",
				 "cpus", 16, "node", "a");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	vol_table_print(out, list, columns, NOW);
	fclose(out);
	assert_string_equal(text, "NODE    CPUS\n"
				  "desk-2  16\n"
				  "a       -\n");
	free(text);
	json_decref(list);
}

static void objects_are_aligned(void **state)
{
	json_t *object =
		json_pack("{s:s, s:{s:s, s:i}, s:s, s:[{s:i}, {s:i}], s:i}",
			  "node", "desk", "slurmd", "state", "up", "pid", 7,
			  "trouble", "", "steps", "job", 3, "job", 4,
			  "uptime_s", 60);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	vol_table_print_object(out, object, NOW);
	fclose(out);
	assert_string_equal(text, "node          desk\n"
				  "slurmd state  up\n"
				  "slurmd pid    7\n"
				  "steps 1 job   3\n"
				  "steps 2 job   4\n"
				  "uptime        1m\n");
	free(text);
	json_decref(object);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void spank_is_found(void **state)
{
	const char *folder = *state;
	static const struct {
		const char *plugstack;
		bool found;
	} rows[] = {
		{"", false},
		{"# required spank_volunteer.so\n", false},
		{"include /etc/slurm/x\n", false},
		{"required spank_other.so\n", false},
		{"required xspank_volunteer.so\n", false},
		{"spank_volunteer.so\n", false},
		{"required /nowhere/spank_volunteer.so\n", false},
		{"optional spank_volunteer.so\n", true},
		{"required spank_volunteer.so key=value\n", true},
		{"a b\n\trequired\tspank_volunteer.so # ours", true},
	};
	char path[PATH_MAX];
	size_t i;

	assert_false(vol_doctor_has_spank(folder, folder));
	write_file(folder, "spank_volunteer.so", "");
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		write_file(folder, "plugstack.conf", rows[i].plugstack);
		assert_int_equal(vol_doctor_has_spank(folder, folder),
				 rows[i].found);
	}
	/* By way of files that it includes, and not those that it does not. */
	write_file(folder, "one.conf", "optional spank_volunteer.so\n");
	write_file(folder, "plugstack.conf", "# include *.conf\n");
	assert_false(vol_doctor_has_spank(folder, folder));
	write_file(folder, "plugstack.conf", "include none/*.conf\n");
	assert_false(vol_doctor_has_spank(folder, folder));
	write_file(folder, "plugstack.conf", "\tinclude  o*.conf\n");
	assert_true(vol_doctor_has_spank(folder, folder));
	snprintf(path, sizeof(path), "include %s/*.conf\n", folder);
	write_file(folder, "plugstack.conf", path);
	assert_true(vol_doctor_has_spank(folder, folder));
	write_file(folder, "one.conf", "include one.conf\n");
	assert_false(vol_doctor_has_spank(folder, folder));
	write_file(folder, "plugstack.conf", "optional spank_volunteer.so\n");
	/* Named, but not there. */
	assert_false(vol_doctor_has_spank(folder, "/nowhere"));
}

/* ---- the owner's pages ---- */

static void moments(void **state)
{
	static const struct {
		time_t t, now;
		const char *text;
	} rows[] = {
		{1763721060, 1763721060, "10:31"},
		{1763721060, 1763721060 + 20 * 3600, "10:31"},
		{1763721060, 1763721060 + 20 * 3600 + 1, "Fri 10:31"},
		{1763721060 + 6 * 86400, 1763721060, "Thu 10:31"},
		{1763721060 + 7 * 86400, 1763721060, "2025-11-28 10:31"},
		{0, 1763721060, "1970-01-01 00:00"},
	};
	char buf[32];
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++)
		assert_string_equal(vol_when(rows[i].t, rows[i].now, buf,
					     sizeof(buf)),
				    rows[i].text);
	assert_string_equal(vol_when_exact(1763721067, buf, sizeof(buf)),
			    "2025-11-21 10:31:07");
}

/* What a page prints about a status in JSON; malloc'ed. */
static char *page_of(void (*view)(FILE *, const json_t *, time_t),
		     const char *text)
{
	json_t *status = json_loads(text, 0, NULL);
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	assert_non_null(status);
	view(out, status, 1763722920); /* 2025-11-21 11:02 */
	fclose(out);
	json_decref(status);
	return page;
}

#define OWNER_PRESENT                                                       \
	"\"harvest\": \"parked\", \"since\": 1763721060,"                   \
	"\"verdict\": {\"open\": false, \"cause\": \"owner\","              \
	" \"why\": \"owner present since 10:31\"},"                         \
	"\"presence\": {\"says\": \"present\", \"sensor\": \"input\","      \
	" \"for_ms\": 12345, \"detail\": \"keyboard K\"},"                  \
	"\"opens_in_ms\": 288000,"                                          \
	"\"pause\": {\"on\": false, \"until\": 0},"                         \
	"\"sensors\": ["                                                    \
	"{\"sensor\": \"input\", \"says\": \"present\", \"for_ms\": 12345," \
	" \"detail\": \"keyboard K\"},"                                     \
	"{\"sensor\": \"power\", \"says\": \"unknown\", \"for_ms\": 60000," \
	" \"detail\": \"no\\u001b[2J battery\"}]"

static void status_of_owner(void **state)
{
	static const char status[] =
		"{\"role\": \"device\", \"steps\": [1], \"owner\": {" OWNER_PRESENT
		", \"jobs\": [{\"job\": 37, \"step\": 4294967291, \"uid\": 0,"
		" \"frozen\": true, \"memory\": 536870912, \"tasks\": 8},"
		"{\"job\": 37, \"step\": 0, \"uid\": 4000000000,"
		" \"frozen\": true, \"memory\": null, \"tasks\": 1}],"
		"\"reactions\": {\"count\": 4, \"max_us\": 7213, \"last_us\": 912,"
		" \"bounds_us\": [500, 1000, 5000], \"counts\": [0, 3, 0, 1]},"
		"\"slice\": {\"own_slice\": true, \"cpu_idle\": true,"
		" \"io_weight\": false, \"memory_high\": 12884901888,"
		" \"missing\": \"no io controller\"},"
		"\"notes\": [\"no swap\", \"and more\"]},"
		"\"sandbox\": {\"walls\": \"up\", \"stand\": \"all\"}}";
	char *page = page_of(vol_owner_view, status);

	(void)state;
	assert_string_equal(
		page,
		"state          Parked: owner present since 10:31 (keyboard or "
		"mouse)\n"
		"since          10:31 (for 31m)\n"
		"decided by     keyboard or mouse, present for 12s: keyboard "
		"K\n"
		"opens          at 11:06 (in 4m48s) if nothing happens\n"
		"pause          none\n"
		"jobs           1 frozen\n"
		"reactions      4: half within 1ms, 99% over 5ms, slowest "
		"7.21ms, last 912us\n"
		"not working    power (no?[2J battery)\n"
		"sandbox        all walls\n"
		"walls          a slice of their own, idle CPU time only, "
		"memory up to 12G\n"
		"missing walls  no io controller\n"
		"note           no swap\n"
		"note 2         and more\n"
		"\n"
		"JOB  STEP   USER        TASKS  MEMORY  NOW\n"
		"37   batch  root        8      512M    frozen\n"
		"37   0      4000000000  1      -       frozen\n"
		"\n"
		"SENSOR  SAYS     FOR  DETAIL\n"
		"input   present  12s  keyboard K\n"
		"power   unknown  1m   no?[2J battery\n"
		"\n"
		"From input to frozen jobs:\n"
		" within    1ms       3  "
		"########################################\n"
		" within    5ms       0  \n"
		"   over    5ms       1  ##############\n"
		"\n"
		"role  device\n");
	free(page);
}

/* Any member may be missing, or of another type: nothing falls over, and the
 * state is still said. */
static void status_is_tolerant(void **state)
{
	static const struct {
		const char *owner, *begins;
	} rows[] = {
		{"{}", "state  Unknown\n"},
		{"[]", "state  Unknown\n"},
		{"{\"harvest\": 3, \"since\": \"x\"}", "state  Unknown\n"},
		{"{\"harvest\": \"open\", \"since\": 1763721060}",
		 "state  Open since 10:31\n"},
		{"{\"harvest\": \"closed\", \"verdict\": {\"cause\": \"paused\","
		 " \"why\": \"paused\"}, \"presence\": {\"sensor\": \"input\"}}",
		 "state       Closed: paused\ndecided by  the owner's pause\n"},
		{"{\"pause\": {\"on\": true, \"until\": 0}}",
		 "state  Unknown\npause  until \"volunteer resume\"\n"},
		{"{\"pause\": {\"on\": true, \"until\": 1763733600}}",
		 "state  Unknown\npause  until 14:00\n"},
		{"{\"jobs\": []}", "state  Unknown\njobs   none\n"},
		{"{\"jobs\": [{\"job\": 1}, {\"job\": 2, \"frozen\": true},"
		 " {\"job\": 1, \"frozen\": true}]}",
		 "state  Unknown\njobs   1 running, 1 frozen\n"},
		{"{\"saving\": null}", "state  Unknown\n"},
		{"{\"saving\": {\"job\": 7, \"stage\": \"dump\","
		 " \"bytes\": 0}}",
		 "state   Unknown\nsaving  job 7 before it moves, 0 written\n"},
		{"{\"saving\": {\"job\": 7, \"stage\": \"send\","
		 " \"bytes\": 54525952}}",
		 "state   Unknown\nsaving  job 7 before it moves, 52M sent\n"},
		{"{\"saving\": {\"job\": 7, \"cause\": \"periodic\", "
		 "\"stage\": \"dump\", \"bytes\": 0}}",
		 "state   Unknown\nsaving  job 7 in case it is lost, 0 "
		 "written\n"},
		{"{\"reactions\": {\"count\": 0}}",
		 "state      Unknown\nreactions  no job had to stop yet\n"},
		{"{\"reactions\": {\"count\": 5}}",
		 "state      Unknown\nreactions  5: half over 0us"},
		{"{\"reactions\": {\"count\": 5, \"counts\": [1, 2]}}", ""},
		{"{\"slice\": {}}", "state  Unknown\nwalls  none\n"},
		{"{\"opens_in_ms\": null, \"sensors\": [{}, 3, null],"
		 " \"jobs\": [3, null, {}], \"notes\": [{}, 1]}",
		 ""},
	};
	char status[512], *page;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		snprintf(status, sizeof(status), "{\"owner\": %s}",
			 rows[i].owner);
		page = page_of(vol_owner_view, status);
		assert_memory_equal(page, rows[i].begins,
				    strlen(rows[i].begins));
		free(page);
		free(page_of(vol_owner_why, status));
		free(page_of(vol_owner_paused, status));
	}
}

static void joining(void **state)
{
	static const struct {
		const char *door, *text;
	} rows[] = {
		{"{}", ""},
		{"{\"code\": \"\", \"waits\": false, \"token\": false}", ""},
		{"{\"token\": true}",
		 "joining  looks for the controller of its token\n"},
		{"{\"waits\": true, \"code\": \"034326\", \"key\": \"\"}",
		 "joining  waits for approval, code 034326. Does the "
		 "controller show the same? Then: volunteer join 034326\n"},
		{"{\"bad_token\": true}",
		 "joining  the token was not valid, or not any more; ask for "
		 "another one\n"},
		{"{\"waits\": true, \"code\": \"034326\", \"key\": \"ab\"}",
		 "joining  waits for approval, code 034326\n"},
		{"{\"unbelieved\": true, \"code\": \"034326\"}",
		 "joining  a controller approves of this machine. Did it show "
		 "code 034326? Then: volunteer join 034326\n"},
		{"{\"unbelieved\": true, \"code\": \"\"}",
		 "joining  a controller approves of this machine, which does "
		 "not know it: volunteer join TOKEN\n"},
	};
	char status[512], want[256], *page;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		snprintf(status, sizeof(status),
			 "{\"owner\": {}, \"door\": %s}", rows[i].door);
		page = page_of(vol_owner_view, status);
		snprintf(want, sizeof(want), "Unknown\n%s", rows[i].text);
		assert_contains(page, want);
		if (!*rows[i].text)
			assert_null(strstr(page, "joining"));
		assert_null(strstr(page, "door"));
		free(page);
	}
}

static void system_of_jobs(void **state)
{
	char *page = page_of(vol_owner_view,
			     "{\"owner\": {}, \"sandbox\": {\"walls\": "
			     "\"up\", \"stand\": \"all\", \"runtime\": "
			     "\"3a7bd3e2360a3d29eea436fcfb7e44c7\"}}");

	(void)state;
	assert_contains(page, "sandbox  all walls\n"
			      "system   image 3a7bd3e2360a, in place of this "
			      "machine's\n");
	free(page);
	page = page_of(vol_owner_view,
		       "{\"owner\": {}, \"sandbox\": {\"walls\": \"up\", "
		       "\"stand\": \"all\", \"runtime\": \"\"}}");
	assert_null(strstr(page, "system"));
	free(page);
}

static void why(void **state)
{
	static const struct {
		const char *owner, *text;
	} rows[] = {
		{OWNER_PRESENT,
		 "The jobs on this machine are frozen since 10:31: owner "
		 "present since 10:31.\n"
		 "What counts: keyboard or mouse present for 12s (keyboard K). "
		 "The sensors say:\n"
		 "keyboard or mouse present for 12s (keyboard K); battery or "
		 "mains unknown for\n"
		 "1m (no?[2J battery). If nothing happens, it opens at 11:06 (in "
		 "4m48s).\n"},
		{"\"harvest\": \"open\", \"since\": 1763721060,"
		 "\"verdict\": {\"open\": true, \"cause\": \"none\"}",
		 "This machine is open for jobs since 10:31. With the first "
		 "key or mouse event\nits jobs stop.\n"},
		{"\"harvest\": \"open\", \"verdict\": {\"open\": true},"
		 "\"settings\": {\"owner.reaction\": \"evict\"}",
		 "This machine is open for jobs. With the first key or mouse "
		 "event its jobs stop\nand leave.\n"},
		{"\"harvest\": \"draining\", \"verdict\": {\"cause\": \"paused\","
		 " \"why\": \"paused until 14:00\"}, \"presence\": {\"sensor\":"
		 " \"input\"}, \"opens_in_ms\": 5",
		 "The jobs on this machine are being moved away: paused until "
		 "14:00. \"volunteer\nresume\" ends the pause.\n"},
		{"\"harvest\": \"closed\", \"verdict\": {\"cause\": \"owner\","
		 " \"why\": \"on battery\"}, \"presence\": {\"sensor\":"
		 " \"power\", \"says\": \"present\"}",
		 "This machine takes no jobs: on battery. What counts: battery "
		 "or mains present\nfor 0s. It opens on mains, or with "
		 "\"volunteer set on_battery=yes\".\n"},
		{"\"harvest\": \"closed\", \"verdict\": {\"cause\": \"owner\","
		 " \"why\": \"no sensor works\"}, \"presence\": {\"sensor\":"
		 " \"none\"}",
		 "This machine takes no jobs: no sensor works. Nothing here "
		 "can tell whether\nsomebody is present, and then somebody is: "
		 "make one of the sensors work.\n"},
	};
	char status[1024], *page;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		snprintf(status, sizeof(status), "{\"owner\": {%s}}",
			 rows[i].owner);
		page = page_of(vol_owner_why, status);
		assert_string_equal(page, rows[i].text);
		free(page);
	}
}

static void paused(void **state)
{
	static const struct {
		const char *owner, *text;
	} rows[] = {
		{"\"pause\": {\"on\": true, \"until\": 1763733600}",
		 "Paused until 14:00. No new jobs come. No job was running.\n"},
		{"\"pause\": {\"on\": true, \"until\": 0},"
		 "\"jobs\": [{\"job\": 1}, {\"job\": 2}],"
		 "\"settings\": {\"owner.reaction\": \"freeze\","
		 " \"owner.parked_max\": \"10m\"}",
		 "Paused until \"volunteer resume\". No new jobs come. Running "
		 "jobs (2) are frozen\nnow, and start again elsewhere when it "
		 "lasts for 10m.\n"},
		{"\"pause\": {\"on\": true, \"until\": 0}, \"jobs\": [{\"job\": 1}],"
		 "\"settings\": {\"owner.reaction\": \"evict\"}",
		 "Paused until \"volunteer resume\". No new jobs come. Running "
		 "jobs (1) start\nagain elsewhere.\n"},
		{OWNER_PRESENT,
		 "Not paused. Parked: owner present since 10:31 (keyboard or "
		 "mouse). If nothing\nhappens, it opens at 11:06 (in "
		 "4m48s).\n"},
	};
	char status[1024], *page;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		snprintf(status, sizeof(status), "{\"owner\": {%s}}",
			 rows[i].owner);
		page = page_of(vol_owner_paused, status);
		assert_string_equal(page, rows[i].text);
		free(page);
	}
}

static void owner_log(void **state)
{
	json_t *events = json_loads(
		"[{\"time_ms\": 1763721067890, \"what\": \"parked\","
		" \"text\": \"owner present since 10:31\"},"
		"{\"what\": \"cancelled\", \"text\": \"job\\u001b 3\"}, 7]",
		0, NULL);
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	(void)state;
	vol_owner_log(out, events);
	fclose(out);
	assert_string_equal(
		page,
		"2025-11-21 10:31:07  parked     owner present since 10:31\n"
		"1970-01-01 00:00:00  cancelled  job? 3\n"
		"1970-01-01 00:00:00  -          -\n");
	free(page);
	json_decref(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells),
		cmocka_unit_test(long_cells_are_cut),
		cmocka_unit_test(tables_are_aligned),
		cmocka_unit_test(objects_are_aligned),
		cmocka_unit_test_setup_teardown(spank_is_found,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test(moments),
		cmocka_unit_test(status_of_owner),
		cmocka_unit_test(status_is_tolerant),
		cmocka_unit_test(joining),
		cmocka_unit_test(system_of_jobs),
		cmocka_unit_test(why),
		cmocka_unit_test(paused),
		cmocka_unit_test(owner_log),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
