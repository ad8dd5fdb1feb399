/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_volunteer.c - what volunteer prints, and what doctor sees on a host */
#include "config.h"

#include "doctor_local.h"
#include "table.h"

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
	size_t i;

	assert_false(vol_doctor_has_spank(folder, folder));
	write_file(folder, "spank_volunteer.so", "");
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		write_file(folder, "plugstack.conf", rows[i].plugstack);
		assert_int_equal(vol_doctor_has_spank(folder, folder),
				 rows[i].found);
	}
	/* Named, but not there. */
	assert_false(vol_doctor_has_spank(folder, "/nowhere"));
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
