/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_device_list.c - the node table as volunteer reads it, and forecasts */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "device_list.h"
#include "outlook_view.h"
#include "placement.h"

#include "vtest.h"

/* 2025-11-21 11:02 in UTC, which the tests' time zone is. */
#define NOW    ((time_t)1763722920)
#define NOW_MS UINT64_C(100000000)
#define NOW_S  (NOW_MS / 1000)
#define STALE  (VOL_NODETABLE_STALE_MS + 1)

static struct vol_nodetable_node node_of(unsigned int i)
{
	struct vol_nodetable_node node = {
		.state = VOL_NODETABLE_OPEN,
		.heard_s = NOW_S - i,
		.quiet_s = 15,
		.since = NOW - 3600,
		.away_since = NOW - 7200,
		.speed = 1000 + i,
		.evictions_week = i,
		.outlook_at = NOW,
	};
	size_t k;

	snprintf(node.name, sizeof(node.name), "desk%u", i);
	snprintf(node.id, sizeof(node.id), "%032x", i);
	for (k = 0; k < VOL_OUTLOOK_POINTS; k++)
		node.outlook.survive[k] = vol_outlook_seconds((unsigned)k) < i
						  ? VOL_OUTLOOK_ONE
						  : VOL_OUTLOOK_ONE / 4;
	return node;
}

static const char *path_of(const char *folder)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" VOL_NODETABLE_FILE, folder);
	return path;
}

/* Three devices, the last one silent. */
static void plant(const char *path)
{
	struct vol_nodetable *t = vol_nodetable_create(path, 4, NULL);
	struct vol_nodetable_node node;
	unsigned int i;

	assert_non_null(t);
	vol_nodetable_beat(t, NOW_MS);
	for (i = 3; i > 0; i--) {
		node = node_of(i);
		if (i == 2) {
			node.state = VOL_NODETABLE_PARKED;
			strcpy(node.why, "owner present since 10:31");
		} else if (i == 3) {
			node.heard_s = NOW_S - 720;
		}
		assert_int_equal(vol_nodetable_put(t, &node, NULL), 0);
	}
	vol_nodetable_destroy(t);
}

static void a_table_is_read(void **state)
{
	const char *path = path_of(*state);
	struct vol_device_list d = {0};
	struct vol_error err;

	plant(path);
	assert_int_equal(
		vol_device_list_load(path, NOW_MS + 1500, false, &d, &err), 0);
	assert_int_equal(d.n, 3);
	assert_int_equal(d.now_s, NOW_S + 1);
	assert_int_equal(d.age_ms, 1500);
	assert_string_equal(d.list[0].name, "desk1");
	assert_int_equal(d.list[0].state, VOL_NODETABLE_OPEN);
	assert_int_equal(d.list[1].state, VOL_NODETABLE_PARKED);
	assert_string_equal(d.list[1].why, "owner present since 10:31");
	assert_int_equal(d.list[2].state, VOL_NODETABLE_UNKNOWN);
	assert_ptr_equal(vol_device_list_find(&d, "desk2"), &d.list[1]);
	assert_null(vol_device_list_find(&d, "desk4"));
	assert_null(vol_device_list_find(&d, ""));
	vol_device_list_clear(&d);
	assert_null(vol_device_list_find(&d, "desk2"));
	vol_device_list_clear(&d);
}

static void an_old_table_only_on_demand(void **state)
{
	const char *path = path_of(*state);
	struct vol_device_list d = {0};
	struct vol_error err;

	plant(path);
	assert_int_equal(vol_device_list_load(path, NOW_MS + 720000, false, &d,
					      &err),
			 -1);
	assert_int_equal(errno, ESTALE);
	assert_non_null(strstr(err.text, "silent for 12m"));
	assert_int_equal(
		vol_device_list_load(path, NOW_MS + 720000, true, &d, &err), 0);
	assert_int_equal(d.n, 3);
	assert_int_equal(d.age_ms, 720000);
	/* As it was then. */
	assert_int_equal(d.list[0].state, VOL_NODETABLE_OPEN);
	vol_device_list_clear(&d);
}

static void no_table(void **state)
{
	char path[PATH_MAX];
	struct vol_device_list d = {.n = 7};
	struct vol_error err;
	int fd;

	snprintf(path, sizeof(path), "%s", path_of(*state));
	unlink(path);
	assert_int_equal(vol_device_list_load(path, NOW_MS, true, &d, &err),
			 -1);
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(err.text, "has not made its node table yet"));
	assert_int_equal(vol_device_list_load("/nowhere/controller/nodes",
					      NOW_MS, false, &d, &err),
			 -1);
	assert_non_null(strstr(err.text, "not the controller host"));
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	assert_true(fd >= 0);
	assert_int_equal(vol_device_list_load(path, NOW_MS, true, &d, &err),
			 -1);
	assert_int_equal(write(fd,
			       "VOLNODES nonsense that is long enough for "
			       "a beat and more",
			       57),
			 57);
	close(fd);
	assert_int_equal(vol_device_list_load(path, NOW_MS, true, &d, &err),
			 -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(d.n, 7); /* untouched */
}

static void forecasts_as_json(void **state)
{
	struct vol_outlook o;
	json_t *f;
	char buf[64];

	(void)state;
	memset(&o, 0xff, sizeof(o));
	f = vol_outlook_json(&o);
	assert_true(json_is_null(json_object_get(f, "median_s")));
	assert_true(json_real_value(json_object_get(f, "24h")) == 1);
	assert_string_equal(vol_outlook_median(f, buf, sizeof(buf)),
			    ">38d 06h");
	json_decref(f);
	memset(&o, 0, sizeof(o));
	f = vol_outlook_json(&o);
	assert_true(json_real_value(json_object_get(f, "1h")) == 0);
	assert_string_equal(vol_outlook_median(f, buf, sizeof(buf)), "30s");
	json_decref(f);
	assert_string_equal(vol_outlook_median(NULL, buf, sizeof(buf)), "-");
}

static void forecasts_as_a_table(void **state)
{
	static const char *const extra =
		"[{\"node\": \"desk7\", \"harvest\": \"\", \"forecast\": null},"
		"{\"node\": \"a\\u001b[2J\", \"harvest\": \"open\","
		" \"away_since\": 1763722860, \"closes_at\": 1763737320,"
		" \"battery\": true, \"speed\": 1500, \"evictions_week\": 3,"
		" \"forecast\": {\"1h\": 0.99, \"4h\": 0.5, \"8h\": 0.001,"
		" \"24h\": 0, \"median_s\": 14400}}, 3, {\"forecast\": 5}]";
	const char *path = path_of(*state);
	struct vol_device_list d = {0};
	json_t *rows, *more;
	char *page = NULL;
	size_t size;
	FILE *out;

	plant(path);
	assert_int_equal(vol_device_list_load(path, NOW_MS, false, &d, NULL),
			 0);
	rows = vol_outlook_devices(&d, NOW);
	more = json_loads(extra, 0, NULL);
	assert_non_null(more);
	json_array_extend(rows, more);
	out = open_memstream(&page, &size);
	vol_outlook_view(out, rows, NOW);
	fclose(out);
	assert_string_equal(
		page, "NODE   STATE    AWAY    CLOSES  1H   4H   8H   24H"
		      "  LIKELY-FOR  SPEED  EVICTIONS  REMARK\n"
		      "desk1  open     2h 00m  -       25%  25%  25%  25%"
		      "  39s         1.0x   1          -\n"
		      "desk2  parked   -       -       -    -    -    -"
		      "    -           1.0x   2          owner present"
		      " since 10:31\n"
		      "desk3  no link  -       -       -    -    -    -"
		      "    -           1.0x   3          no link to it for"
		      " 12m\n"
		      "desk7  no link  -       -       -    -    -    -"
		      "    -           -      -          -\n"
		      "a?[2J  open     60s     15:02   99%  50%  <1%  0%"
		      "   4h 00m      1.5x   3          on battery\n"
		      "-      no link  -       -       -    -    -    -"
		      "    -           -      -          -\n"
		      "-      no link  -       -       -    -    -    -"
		      "    -           -      -          -\n");
	free(page);
	json_decref(rows);
	json_decref(more);
	vol_device_list_clear(&d);
}

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_table_is_read,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(an_old_table_only_on_demand,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(no_table, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test(forecasts_as_json),
		cmocka_unit_test_setup_teardown(forecasts_as_a_table,
						vtest_folder_setup,
						vtest_folder_teardown),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
