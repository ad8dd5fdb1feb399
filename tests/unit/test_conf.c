/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_conf.c - a configuration is taken whole or refused with its place */
#include "config.h"

#include "conf.h"

#include <errno.h>
#include <sys/stat.h>

#include "conf_show.h"
#include "vtest.h"

struct object {
	char *name, *path;
	bool on;
	uint32_t count;
	uint64_t wait_ms, bytes;
	struct vol_share cpus, memory;
	int action, twice;
};

static const char *const actions[] = {"freeze", "throttle", "evict", NULL};

#define ROW(t, s, k, f, ...)                                      \
	{                                                         \
		.type = VOL_CONF_##t, .section = s, .key = k,     \
		.offset = offsetof(struct object, f), __VA_ARGS__ \
	}

static const struct vol_conf_option table[] = {
	ROW(STRING, "main", "name", name, .fallback = "me", .min = 1, .max = 8),
	ROW(STRING, "main", "path", path),
	ROW(BOOL, "main", "on", on, .fallback = "yes"),
	ROW(UINT, "main", "count", count, .fallback = "5", .min = 2, .max = 9),
	ROW(DURATION, "policy", "wait", wait_ms, .fallback = "1m30s",
	    .min = 1000, .max = 3600000),
	ROW(SIZE, "policy", "bytes", bytes, .fallback = "1K", .max = 1048576),
	ROW(COUNT_SHARE, "policy", "cpus", cpus, .fallback = "75%"),
	ROW(SIZE_SHARE, "policy", "memory", memory, .fallback = "-2G"),
	ROW(ENUM, "policy", "action", action, .fallback = "throttle",
	    .words = actions),
	ROW(UINT, "main", "twice", twice),
	ROW(UINT, "policy", "twice", twice),
	{.type = VOL_CONF_END},
};

static int parse(const char *text, struct object *o, struct vol_error *err)
{
	return vol_conf_parse(table, "t.conf", text, strlen(text), o, err);
}

/* As the defaults of the table. */
static void assert_defaults(const struct object *o)
{
	assert_string_equal(o->name, "me");
	assert_null(o->path);
	assert_true(o->on);
	assert_int_equal(o->count, 5);
	assert_int_equal(o->wait_ms, 90000);
	assert_int_equal(o->bytes, 1024);
	assert_int_equal(o->cpus.kind, VOL_SHARE_PCT);
	assert_int_equal(o->cpus.amount, 75);
	assert_int_equal(o->memory.kind, VOL_SHARE_BUT);
	assert_int_equal(o->memory.amount, UINT64_C(2) << 30);
	assert_int_equal(o->action, 1);
	assert_int_equal(o->twice, 0);
}

static void defaults(void **state)
{
	struct object o = {0};

	(void)state;
	assert_int_equal(vol_conf_defaults(table, &o, NULL), 0);
	assert_defaults(&o);
	/* Again over an earlier result: nothing leaks, all is set back. */
	o.count = 7;
	assert_int_equal(vol_conf_set(table, "path", "/x", &o, NULL), 0);
	assert_int_equal(vol_conf_defaults(table, &o, NULL), 0);
	assert_defaults(&o);
	vol_conf_clear(table, &o);
	assert_null(o.name);
	vol_conf_clear(table, &o);
}

static void wrong_tables(void **state)
{
	static const struct vol_conf_option rows[][2] = {
		{ROW(UINT, "main", "k", count, .fallback = "x")},
		{ROW(UINT, "main", "k", count, .fallback = "1", .min = 2)},
		{ROW(BOOL, "main", "k", on, .fallback = "1")},
		{ROW(ENUM, "main", "k", action, .fallback = "none",
		     .words = actions)},
		{{.type = (enum vol_conf_type)99,
		  .section = "main",
		  .key = "k",
		  .fallback = "1"}},
	};
	struct object o = {0};
	struct vol_error err;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		assert_int_equal(vol_conf_defaults(rows[i], &o, &err), -1);
		assert_contains(err.text, "default of main.k");
	}
}

static void everything_is_read(void **state)
{
	static const char text[] = "\xef\xbb\xbf# made by Notepad\r\n"
				   "[main]\r\n"
				   "name = caf\xc3\xa9 1 \r\n"
				   "path=/a;b#c ; a comment\r\n"
				   "\r\n"
				   "  [policy]   ; indented\n"
				   "\twait: 2m\n"
				   "; another\n"
				   "   # indented comment\n"
				   "bytes = 1M\n"
				   "cpus = -1\n"
				   "memory = 50%\n"
				   "action = evict\n"
				   "[main] # again\n"
				   "on = off\n"
				   "count = 9"; /* no newline */
	struct object o = {0};
	struct vol_error err = {""};

	(void)state;
	assert_int_equal(parse(text, &o, &err), 0);
	assert_string_equal(err.text, "");
	assert_string_equal(o.name, "caf\xc3\xa9 1");
	assert_string_equal(o.path, "/a;b#c");
	assert_false(o.on);
	assert_int_equal(o.count, 9);
	assert_int_equal(o.wait_ms, 120000);
	assert_int_equal(o.bytes, 1048576);
	assert_int_equal(o.cpus.kind, VOL_SHARE_BUT);
	assert_int_equal(o.cpus.amount, 1);
	assert_int_equal(o.memory.amount, 50);
	assert_int_equal(o.action, 2);
	/* A shorter text: what it leaves out is back at its default. */
	assert_int_equal(parse("", &o, NULL), 0);
	assert_defaults(&o);
	vol_conf_clear(table, &o);
}

static void booleans(void **state)
{
	static const struct {
		const char *text;
		int ret;
		bool on;
	} rows[] = {
		{"yes", 0, true},    {"true", 0, true},   {"on", 0, true},
		{"no", 0, false},    {"false", 0, false}, {"off", 0, false},
		{"1", -1, false},    {"0", -1, false},    {"YES", -1, false},
		{"yess", -1, false}, {"y", -1, false},    {"", -1, false},
	};
	struct object o = {0};
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		o.on = !rows[i].on;
		assert_int_equal(vol_conf_set(table, "on", rows[i].text, &o,
					      NULL),
				 rows[i].ret);
		assert_int_equal(o.on,
				 rows[i].ret == 0 ? rows[i].on : !rows[i].on);
	}
}

/* Each text is refused with this place and reason, and changes nothing. */
static void errors_name_the_place(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"count = 3\n", "t.conf:1: count: no [section] above"},
		{"[main]\n\ncuont = 3\n",
		 "t.conf:3: unknown key 'cuont' in [main]"},
		{"[main]\nwait = 3\n", "t.conf:2: unknown key 'wait' in"},
		{"[main]\nCount = 3\n", "t.conf:2: unknown key 'Count' in"},
		{"[main]\n = 3\n", "t.conf:2: unknown key '' in [main]"},
		{"[mian]\n", "t.conf:1: unknown section [mian]"},
		{"[]\n", "t.conf:1: unknown section []"},
		{"[ main ]\n", "t.conf:1: unknown section [ main ]"},
		{"[main\n", "t.conf:1: ']' is missing"},
		{"[main] count = 3\n", "t.conf:1: text after ']'"},
		{"[main]\ncount = 3\ncount = 3\n",
		 "t.conf:3: count: given twice"},
		{"[main]\ncount = 3\n[policy]\n[main]\ncount = 4\n",
		 "t.conf:5: count: given twice"},
		{"[main]\ncount = 1\n", "t.conf:2: count: must be at least 2"},
		{"[main]\ncount = 10\n", "t.conf:2: count: must be at most 9"},
		{"[main]\ncount = 4294967298\n", "4294967298 is too large"},
		{"[main]\ncount = -3\n", "'-3' is not a number"},
		{"[main]\ncount = 50%\n", "'50%' is not a number"},
		{"[main]\ncount = all\n", "'all' is not a number"},
		{"[main]\ncount = 3 4\n", "'3 4' is not a number"},
		{"[main]\ncount =\n", "'' is not a number"},
		{"[main]\ncount\n",
		 "t.conf:2: neither 'key = value' nor '[section]'"},
		{"[main]\ncount = 3 # three\n",
		 "t.conf:2: count: a comment behind a value starts with ' ;'"},
		{"[main]\nname = a # b\n", "a comment behind a value"},
		{"[main]\nname = # b\n", "a comment behind a value"},
		{"[main]\nname =\n", "name: must have at least 1 characters"},
		{"[main]\nname = 123456789\n",
		 "name: must have at most 8 characters"},
		{"[main]\non = maybe\n", "on: 'maybe' is neither yes nor no"},
		{"[policy]\nwait = 2h\n", "wait: must be at most 1h"},
		{"[policy]\nwait = 10ms\n", "wait: must be at least 1s"},
		{"[policy]\nwait = soon\n", "'soon' is not a duration"},
		{"[policy]\nbytes = 2M\n", "bytes: must be at most 1M"},
		{"[policy]\nbytes = x\n", "'x' is not a size"},
		{"[policy]\ncpus = 4G\n", "'4G' is not a share"},
		{"[policy]\nmemory = 120%\n", "'120%' is too large"},
		{"[policy]\naction = melt\n",
		 "'melt' is none of: freeze, throttle, evict"},
		{"[main]\n\tcontinued\n", "t.conf:2: neither"},
		{"[main]\nname = a\n  b\n", "t.conf:3: neither"},
		{"[main]\nname = a\x01\n", "t.conf:2: control character 0x01"},
		{"[main]\n# \x1b[2J\n", "t.conf:2: control character 0x1b"},
		{"[main]\nname = a\rb\n", "t.conf:2: control character 0x0d"},
		{"[main]\nname = \xff\n", "t.conf:2: not UTF-8"},
		{"\xef\xbb\xbf\xef\xbb\xbf[main]\n", "t.conf:1: byte order"},
		/* The first of several errors counts. */
		{"[main]\na = 1\nb = 2\n[x\n", "t.conf:2: unknown key 'a'"},
		{"[main]\ncount\nb = 2\n", "t.conf:2: neither"},
	};
	struct object o = {0}, before;
	struct vol_error err;
	size_t i;

	(void)state;
	assert_int_equal(vol_conf_defaults(table, &o, NULL), 0);
	o.count = 8;
	before = o;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		err.text[0] = '\0';
		errno = 0;
		if (parse(rows[i].text, &o, &err) == 0)
			fail_msg("taken for right: %s", rows[i].text);
		assert_int_equal(errno, EINVAL);
		assert_contains(err.text, rows[i].error);
		assert_memory_equal(&o, &before, sizeof(o));
		assert_string_equal(o.name, "me");
	}
	vol_conf_clear(table, &o);
}

static void embedded_nul(void **state)
{
	static const char text[] = "[main]\ncount = 3\0 4\n";
	struct object o = {0};
	struct vol_error err;

	(void)state;
	assert_int_equal(vol_conf_parse(table, "t.conf", text, sizeof(text) - 1,
					&o, &err),
			 -1);
	assert_string_equal(err.text, "t.conf:2: control character 0x00");
	assert_null(o.name);
}

/* inih would go on after 197 bytes as if a new line began. */
static void line_length(void **state)
{
	struct vol_error err;
	struct object o = {0};
	char text[1100];
	size_t len;

	(void)state;
	for (len = 190; len <= 1000; len++) {
		memset(text, 'p', sizeof(text));
		memcpy(text, "[main]\npath = ", 14);
		strcpy(text + 7 + len, "\ncount = 4\n");
		if (len <= 197) {
			assert_int_equal(parse(text, &o, &err), 0);
			assert_int_equal(strlen(o.path), len - 7);
			assert_int_equal(o.count, 4);
			continue;
		}
		assert_int_equal(parse(text, &o, &err), -1);
		assert_string_equal(err.text,
				    "t.conf:2: longer than 197 bytes");
	}
	/* Comments may be as long as they like. */
	text[7] = '#';
	assert_int_equal(parse(text, &o, NULL), 0);
	assert_null(o.path);
	vol_conf_clear(table, &o);
}

static void text_size(void **state)
{
	static char text[64 * 1024 + 1];
	struct object o = {0};
	struct vol_error err;

	(void)state;
	memset(text, '\n', sizeof(text));
	assert_int_equal(vol_conf_parse(table, "t.conf", text, sizeof(text) - 1,
					&o, NULL),
			 0);
	assert_int_equal(vol_conf_parse(table, "t.conf", text, sizeof(text), &o,
					&err),
			 -1);
	assert_int_equal(errno, EFBIG);
	assert_contains(err.text, "t.conf: larger than 65536 bytes");
	vol_conf_clear(table, &o);
}

static void set_one(void **state)
{
	static const struct {
		const char *key, *value, *error; /* NULL: right */
	} rows[] = {
		{"count", "3", NULL},
		{"main.count", "4", NULL},
		{"name", "x", NULL},
		{"main.name", "y", NULL},
		{"main.twice", "3", NULL},
		{"policy.action", "freeze", NULL},
		{"twice", "3", "write main.twice or policy.twice"},
		{"policy.count", "3", "unknown key 'policy.count'"},
		{"", "3", "unknown key ''"},
		{"main.", "3", "unknown key 'main.'"},
		{".count", "3", "unknown key '.count'"},
		{"count.main", "3", "unknown key"},
		{"count", "1", "count: must be at least 2"},
		{"main.count", "x", "main.count: 'x' is not a number"},
		{"name", "", "name: must have at least 1"},
	};
	struct object o = {0};
	struct vol_error err;
	size_t i;

	(void)state;
	assert_int_equal(vol_conf_defaults(table, &o, NULL), 0);
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		err.text[0] = '\0';
		assert_int_equal(vol_conf_set(table, rows[i].key, rows[i].value,
					      &o, &err),
				 rows[i].error ? -1 : 0);
		assert_contains(err.text, rows[i].error ? rows[i].error : "");
	}
	assert_int_equal(o.count, 4);
	assert_string_equal(o.name, "y");
	assert_int_equal(o.action, 0);
	assert_int_equal(o.twice, 3);
	assert_int_equal(o.wait_ms, 90000); /* untouched */
	vol_conf_clear(table, &o);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void files(void **state)
{
	struct object o = {0};
	struct vol_error err;
	char path[PATH_MAX], want[PATH_MAX + 40];

	snprintf(path, sizeof(path), "%s/c.conf", (char *)*state);
	assert_int_equal(vol_conf_read(table, path, &o, &err), -1);
	assert_int_equal(errno, ENOENT);
	assert_contains(err.text, path);
	assert_null(o.name);

	write_file(path, "[main]\ncount = 6\n", 0644);
	assert_int_equal(vol_conf_read(table, path, &o, &err), 0);
	assert_int_equal(o.count, 6);

	write_file(path, "[main]\ncount = 60\n", 0600);
	assert_int_equal(vol_conf_read(table, path, &o, &err), -1);
	snprintf(want, sizeof(want), "%s:2: count", path);
	assert_contains(err.text, want);
	assert_int_equal(o.count, 6);
	vol_conf_clear(table, &o);
}

static void files_of_doubt(void **state)
{
	struct object o = {0};
	struct vol_error err;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/c.conf", (char *)*state);
	write_file(path, "", 0664);
	assert_int_equal(vol_conf_read(table, path, &o, &err), -1);
	assert_int_equal(errno, EPERM);
	assert_contains(err.text, "writable by group or others");
	assert_int_equal(chmod(path, 0602), 0);
	assert_int_equal(vol_conf_read(table, path, &o, &err), -1);
	assert_int_equal(errno, EPERM);
	if (geteuid() == 0) { /* only root can give files away */
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
		assert_int_equal(vol_conf_read(table, path, &o, &err), -1);
		assert_int_equal(errno, EPERM);
		assert_contains(err.text, "must belong to root");
	}
	assert_int_equal(vol_conf_read(table, *state, &o, &err), -1);
	assert_contains(err.text, "not a regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0); /* must not hang */
	assert_int_equal(vol_conf_read(table, path, &o, &err), -1);
	assert_contains(err.text, "not a regular file");
	assert_null(o.name);
}

#define IN_FOLDER(name)                                           \
	cmocka_unit_test_setup_teardown(name, vtest_folder_setup, \
					vtest_folder_teardown)

static void add_text(const char *section, const char *key, const char *text,
		     void *arg)
{
	char *all = arg, one[100];

	snprintf(one, sizeof(one), "%s.%s=%s ", section, key, text);
	strcat(all, one);
}

static void shows_what_it_read(void **state)
{
	struct object o = {0};
	char all[1000] = "";

	(void)state;
	assert_int_equal(vol_conf_defaults(table, &o, NULL), 0);
	vol_conf_show(table, NULL, &o, add_text, all);
	assert_string_equal(all, "main.name=me main.path= main.on=yes "
				 "main.count=5 policy.wait=1m30s "
				 "policy.bytes=1K policy.cpus=75% "
				 "policy.memory=-2G policy.action=throttle "
				 "main.twice=0 policy.twice=0 ");
	*all = '\0';
	assert_int_equal(
		parse("[policy]\nmemory = 1536M\ncpus = -2\n", &o, NULL), 0);
	vol_conf_show(table, "policy", &o, add_text, all);
	assert_non_null(strstr(all, "policy.memory=1.5G "));
	assert_non_null(strstr(all, "policy.cpus=-2 "));
	assert_null(strstr(all, "main."));
	vol_conf_clear(table, &o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(wrong_tables),
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(booleans),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(embedded_nul),
		cmocka_unit_test(line_length),
		cmocka_unit_test(text_size),
		cmocka_unit_test(set_one),
		cmocka_unit_test(shows_what_it_read),
		IN_FOLDER(files),
		IN_FOLDER(files_of_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
