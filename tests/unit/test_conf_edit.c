/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_conf_edit.c - one line of a configuration is changed, and only that */
#include "config.h"

#include "device/conf_edit.h"

#include <errno.h>

#include "conf.h"
#include "vtest.h"

/* Always key idle of section [owner]. */
static const struct {
	const char *before, *value, *after;
} edits[] = {
	/* replaced, all around it stays */
	{"[owner]\nidle = 5m\n", "1h", "[owner]\nidle = 1h\n"},
	{"[owner]\nidle=5m", "1h", "[owner]\nidle=1h"},
	{"[owner]\n\t idle :  5m  \n", "1h", "[owner]\n\t idle :  1h  \n"},
	{"[owner]\nidle = 5m ; mine\n", "1h", "[owner]\nidle = 1h ; mine\n"},
	{"[owner]\nidle = 5m\t;; mine ; too\n", "1h",
	 "[owner]\nidle = 1h\t;; mine ; too\n"},
	{"[owner]\nidle = a;b\n", "1h", "[owner]\nidle = 1h\n"},
	{"[owner]\nidle =\n", "1h", "[owner]\nidle =1h\n"},
	{"[owner]\nidle = ; none\n", "1h", "[owner]\nidle =1h ; none\n"},
	{"[owner]\r\nidle = 5m\r\nx = 1\r\n", "1h",
	 "[owner]\r\nidle = 1h\r\nx = 1\r\n"},
	{"\xef\xbb\xbf[owner]\nidle = 5m\n", "1h",
	 "\xef\xbb\xbf[owner]\nidle = 1h\n"},
	{"# a\n[jobs]\nidle = 9\n\n[owner] ; b\nidler = 3\nidle = 5m\n# c\n",
	 "1h",
	 "# a\n[jobs]\nidle = 9\n\n[owner] ; b\nidler = 3\nidle = 1h\n# c\n"},
	{"[owner]\nx = 1\n[jobs]\nidle = 2\n[owner]\nidle = 3\n", "4",
	 "[owner]\nx = 1\n[jobs]\nidle = 2\n[owner]\nidle = 4\n"},
	{"  [owner]\nidle = 5m\n", "5m", "  [owner]\nidle = 5m\n"},
	{"[owner]\nidle = 5m\n", "a;b=c:d#e", "[owner]\nidle = a;b=c:d#e\n"},
	{"[owner]\nidle = 5m\n", "mon-fri 18:00-08:00, sat always",
	 "[owner]\nidle = mon-fri 18:00-08:00, sat always\n"},
	{"[owner]\nidle = 5m\n", "", "[owner]\nidle = \n"},
	/* added below its section's header or its commented-out line */
	{"[owner]\n", "1h", "[owner]\nidle = 1h\n"},
	{"[owner]", "1h", "[owner]\nidle = 1h\n"},
	{"[owner]\r\nx = 1\r\n", "1h", "[owner]\r\nidle = 1h\r\nx = 1\r\n"},
	{"[owner]\nx = 1\n\n[jobs]\ny = 2\n", "1h",
	 "[owner]\nidle = 1h\nx = 1\n\n[jobs]\ny = 2\n"},
	{"[owner]\n# When:\n;idle = 5m\n\n;x = 1\n", "1h",
	 "[owner]\n# When:\n;idle = 5m\nidle = 1h\n\n;x = 1\n"},
	{"[owner]\n; idle = 5m", "1h", "[owner]\n; idle = 5m\nidle = 1h\n"},
	{"[jobs]\n;idle = 5m\n[owner]\n", "1h",
	 "[jobs]\n;idle = 5m\n[owner]\nidle = 1h\n"},
	{"[owner]\n#idle = 5m\n", "1h", "[owner]\nidle = 1h\n#idle = 5m\n"},
	/* ... or with the section */
	{"", "1h", "[owner]\nidle = 1h\n"},
	{"[jobs]\nidle = 2\n", "1h",
	 "[jobs]\nidle = 2\n\n[owner]\nidle = 1h\n"},
	{"[jobs]\nidle = 2", "1h", "[jobs]\nidle = 2\n\n[owner]\nidle = 1h\n"},
	{";[owner]\n", "1h", ";[owner]\n\n[owner]\nidle = 1h\n"},
	{"[owners]\n", "1h", "[owners]\n\n[owner]\nidle = 1h\n"},
	/* taken away */
	{"[owner]\nidle = 5m ; mine\nx = 1\n", NULL, "[owner]\nx = 1\n"},
	{"[owner]\nx = 1\nidle = 5m", NULL, "[owner]\nx = 1\n"},
	{"[owner]\n;idle = 5m\n", NULL, "[owner]\n;idle = 5m\n"},
	{"[jobs]\nidle = 5m\n", NULL, "[jobs]\nidle = 5m\n"},
	{"", NULL, ""},
};

static void edit(void **state)
{
	struct vol_error err = {""};
	char *after;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(edits); i++) {
		after = vol_conf_edit(edits[i].before, "owner", "idle",
				      edits[i].value, &err);
		assert_non_null(after);
		assert_string_equal(after, edits[i].after);
		free(after);
	}
}

static void values_that_no_line_holds(void **state)
{
	static const struct {
		const char *value, *reason;
	} rows[] = {
		{"5m\nx = 1", "control character 0x0a"},
		{"5m\r", "control character 0x0d"},
		{"\t5m", "control character 0x09"},
		{"\x7f", "control character 0x7f"},
		{"5m ; not mine", "';'"},
		{"; 5m", "';'"},
		{"5m # not mine", "'#'"},
		{"#5m", "'#'"},
		{" 5m", "blanks"},
		{"5m ", "blanks"},
	};
	struct vol_error err;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		assert_null(vol_conf_edit("[owner]\nidle = 5m\n", "owner",
					  "idle", rows[i].value, &err));
		assert_int_equal(errno, EINVAL);
		assert_contains(err.text, rows[i].reason);
	}
}

struct object {
	char *idle, *other, *job;
};

static const struct vol_conf_option table[] = {
	{VOL_CONF_STRING, "owner", "idle", offsetof(struct object, idle), "-",
	 0, 100, NULL},
	{VOL_CONF_STRING, "owner", "x", offsetof(struct object, other), "-", 0,
	 100, NULL},
	{VOL_CONF_STRING, "jobs", "y", offsetof(struct object, job), "-", 0,
	 100, NULL},
	{VOL_CONF_END, NULL, NULL, 0, NULL, 0, 0, NULL},
};

/* What the parser of the daemon makes of random texts before and after: the
 * one key has the new value, and no other has changed. */
static void parser_agrees(void **state)
{
	static const char *const lines[] = {
		"[owner]",     "[jobs]",    " [owner] ; c",
		"# idle = 1",  "idle = 1",  "x=2",
		"y = 3 ; c",   ";idle = 4", "; y = 5",
		"idle : 6\t;", "",          "x = a;b",
	};
	static const char *const values[] = {"7m", "", "a;b=c", NULL};
	struct object before = {0}, after = {0};
	char text[256], *edited, *value;
	unsigned seed = 1, i, j, tried = 0;

	(void)state;
	for (i = 0; i < 20000; i++) {
		*text = '\0';
		for (j = rand_r(&seed) % 8; j; j--) {
			strcat(text, lines[rand_r(&seed) % N_ELEMENTS(lines)]);
			strcat(text, rand_r(&seed) % 4 ? "\n" : "\r\n");
		}
		if (vol_conf_defaults(table, &before, NULL) < 0 ||
		    vol_conf_parse(table, "t", text, strlen(text), &before,
				   NULL) < 0)
			continue;
		tried++;
		value = (char *)values[i % N_ELEMENTS(values)];
		edited = vol_conf_edit(text, "owner", "idle", value, NULL);
		assert_non_null(edited);
		assert_int_equal(vol_conf_defaults(table, &after, NULL), 0);
		assert_int_equal(vol_conf_parse(table, "t", edited,
						strlen(edited), &after, NULL),
				 0);
		assert_string_equal(after.idle, value ? value : "-");
		assert_string_equal(after.other, before.other);
		assert_string_equal(after.job, before.job);
		free(edited);
	}
	assert_true(tried > 1000);
	vol_conf_clear(table, &before);
	vol_conf_clear(table, &after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edit),
		cmocka_unit_test(values_that_no_line_holds),
		cmocka_unit_test(parser_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
