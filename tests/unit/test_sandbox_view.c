/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sandbox_view.c - what volunteer says about the walls around jobs */
#include "config.h"

#include "sandbox_view.h"

#include "vtest.h"

#define DIGEST \
	"3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b"

static void lines(void **state)
{
	static const struct {
		const char *sandbox, *line;
	} rows[] = {
		{"{\"walls\": \"up\", \"stand\": \"all\"}", "all walls"},
		{"{\"walls\": \"up\", \"stand\": \"without ids\"}",
		 "without ids of the job's own"},
		{"{\"walls\": \"up\", \"stand\": \"without ids\","
		 " \"missing\": \"ids of the job's own: kernel 5.10\"}",
		 "without ids of the job's own: kernel 5.10"},
		{"{\"walls\": \"up\", \"stand\": \"no\", \"trouble\": \"x\"}",
		 "no job can start: x"},
		{"{\"walls\": \"up\", \"stand\": \"untried\","
		 " \"trouble\": \"being tried\"}",
		 "no job can start: being tried"},
		{"{\"walls\": \"up\", \"stand\": \"untried\"}", "not tried"},
		{"{\"walls\": \"off\", \"stand\": \"untried\"}",
		 "off: jobs can do what their user can on this machine"},
		{"{\"walls\": \"off\", \"trouble\": \"no space\"}",
		 "no job can start: no space"},
		{"{}", "not tried"},
		{"[]", "not tried"},
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		json_t *sandbox = json_loads(rows[i].sandbox, 0, NULL);

		assert_non_null(sandbox);
		vol_sandbox_line(sandbox, line, sizeof(line));
		assert_string_equal(line, rows[i].line);
		json_decref(sandbox);
	}
	vol_sandbox_line(NULL, line, sizeof(line));
	assert_string_equal(line, "not known: discoveryd does not answer");
}

static char *page_of(const struct vol_walls *walls, const json_t *sandbox)
{
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	assert_non_null(out);
	vol_sandbox_view(out, walls, sandbox);
	fclose(out);
	return page;
}

static struct vol_walls *new_walls(void)
{
	struct vol_walls *walls = malloc(sizeof(*walls));

	assert_non_null(walls);
	vol_walls_defaults(walls);
	return walls;
}

static void pages(void **state)
{
	json_t *all = json_pack("{s:s, s:s}", "walls", "up", "stand", "all");
	struct vol_walls *walls = new_walls();
	char *page = page_of(walls, all);

	(void)state;
	assert_contains(page, "sandbox         all walls\n");
	assert_contains(page, "system          /usr, read-only\n");
	assert_contains(page, "private         /tmp, /var/tmp, /home, "
			      "/dev/shm: empty at first, gone at the end, 1G "
			      "together\n");
	assert_contains(page, "working folder  none: jobs start in /tmp");
	assert_contains(page, "processes       its own, 4096 at most");
	assert_contains(page, "network         none but a loopback");
	assert_contains(page, "ids             of its own where");
	assert_contains(page,
			"devices         null, zero, full, random, tty\n");
	free(page);
	assert_int_equal(vol_walls_add(&walls->work, "/campaign", NULL), 0);
	assert_int_equal(vol_walls_add(&walls->work, "/srv/a", NULL), 0);
	assert_int_equal(vol_walls_add(&walls->devices, "/dev/x", NULL), 0);
	assert_int_equal(vol_walls_add_deny(&walls->deny, "203.0.113.9", NULL),
			 0);
	strcpy(walls->image, "/srv/image");
	walls->users = VOL_USERS_NEVER;
	walls->network = VOL_NETWORK_INTERNET;
	page = page_of(walls, NULL);
	assert_contains(page, "nor             203.0.113.9\n");
	assert_contains(page, "sandbox         not known: discoveryd");
	assert_contains(page, "system          /srv/image, read-only\n");
	assert_contains(page, "and             /usr, read-only\n");
	assert_contains(page, "working folder  below /campaign, /srv/a\n");
	assert_contains(page, "network         none unless a job asks for it: "
			      "then the internet, nothing of the owner's LAN, "
			      "nothing of this machine; 4M/s each way");
	assert_contains(page, "random, tty, /dev/x\n");
	assert_contains(page, "ids             the submitter's");
	free(page);
	strcpy(walls->image, VOL_RUN_DIR "/runtime/" DIGEST);
	page = page_of(walls, NULL);
	assert_contains(page, "system          image " DIGEST ", read-only\n");
	free(page);
	walls->up = false;
	page = page_of(walls, NULL);
	assert_string_equal(page, "sandbox  off\n");
	free(page);
	free(walls);
	json_decref(all);
}

/* Paths of any length and number, and a terminal that must not be driven. */
static void hostile(void **state)
{
	struct vol_walls *walls = new_walls();
	char path[VOL_WALLS_PATH_SIZE], *page;
	json_t *view;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	for (int i = 0; i < VOL_WALLS_LIST_MAX; i++) {
		path[1] = (char)('0' + i / 10 % 10);
		path[2] = (char)('0' + i % 10);
		path[3] = (char)('0' + i / 100);
		(void)vol_walls_add(&walls->work, path, NULL);
		(void)vol_walls_add(&walls->read, path, NULL);
	}
	assert_int_equal(vol_walls_add(&walls->devices, "/dev/\xe9", NULL), 0);
	page = page_of(walls, NULL);
	for (const char *p = page; *p; p++)
		assert_true(*p == '\n' || (*p >= 0x20 && *p <= 0x7e));
	free(page);
	view = vol_sandbox_view_json(walls, NULL);
	assert_non_null(view);
	assert_string_equal(json_string_value(json_array_get(
				    json_object_get(view, "devices"), 0)),
			    "/dev/?");
	json_decref(view);
	free(walls);
}

static void json(void **state)
{
	json_t *all = json_pack("{s:s, s:s}", "walls", "up", "stand", "all");
	struct vol_walls *walls = new_walls();
	json_t *view = vol_sandbox_view_json(walls, all);

	(void)state;
	assert_non_null(view);
	assert_true(json_is_true(json_object_get(view, "walls")));
	assert_int_equal(json_integer_value(json_object_get(view, "tmp")),
			 1 << 30);
	assert_string_equal(json_string_value(json_object_get(view, "network")),
			    "none");
	assert_int_equal(
		json_integer_value(json_object_get(view, "network_rate")),
		4 << 20);
	assert_int_equal(json_array_size(json_object_get(view, "etc")),
			 walls->etc.n);
	assert_int_equal(json_array_size(json_object_get(view, "work")), 0);
	assert_true(json_equal(json_object_get(view, "status"), all));
	json_decref(view);
	view = vol_sandbox_view_json(walls, NULL);
	assert_true(json_is_null(json_object_get(view, "status")));
	json_decref(view);
	json_decref(all);
	free(walls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(pages),
		cmocka_unit_test(hostile),
		cmocka_unit_test(json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
