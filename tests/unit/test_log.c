/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_log.c - one clean line per message, to the sink that was set */
#include "config.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>

#include "vtest.h"

struct capture {
	unsigned lines;
	enum vol_log_level level;
	char text[2048];
};

static void capture_sink(enum vol_log_level level, const char *msg, void *arg)
{
	struct capture *c = arg;

	c->lines++;
	c->level = level;
	snprintf(c->text, sizeof(c->text), "%s", msg);
	errno = EDOM; /* a sink may spoil errno; vol_log must not */
}

static int reset(void **state)
{
	(void)state;
	vol_log_set(NULL, NULL, VOL_LOG_ERR);
	return 0;
}

static void silent_without_sink(void **state)
{
	(void)state;
	assert_false(vol_log_enabled(VOL_LOG_ERR));
	vol_err("nobody hears %s", "this");
}

static void levels_are_filtered(void **state)
{
	struct capture c = {0};

	(void)state;
	vol_log_set(capture_sink, &c, VOL_LOG_WARN);
	assert_true(vol_log_enabled(VOL_LOG_ERR));
	assert_true(vol_log_enabled(VOL_LOG_WARN));
	assert_false(vol_log_enabled(VOL_LOG_INFO));
	assert_false(vol_log_enabled(VOL_LOG_DEBUG));
	vol_debug("1");
	vol_info("2");
	assert_int_equal(c.lines, 0);
	vol_warn("three %d", 3);
	assert_int_equal(c.lines, 1);
	assert_int_equal(c.level, VOL_LOG_WARN);
	assert_string_equal(c.text, "three 3");
	vol_err("four");
	assert_int_equal(c.lines, 2);
	assert_int_equal(c.level, VOL_LOG_ERR);
}

static void errno_is_kept(void **state)
{
	struct capture c = {0};

	(void)state;
	vol_log_set(capture_sink, &c, VOL_LOG_DEBUG);
	errno = ENOENT;
	vol_info("x");
	assert_int_equal(errno, ENOENT);
}

static void controls_are_replaced(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"", ""},
		{"plain ~ text", "plain ~ text"},
		{"a\nb\r\n", "a?b??"},
		{"\x1b[31mred\a", "?[31mred?"},
		{"tab\there\x7f", "tab?here?"},
		{"caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac"},
		{"csi\xc2\x9b"
		 "2J",
		 "csi??2J"},
		{"nbsp\xc2\xa0.", "nbsp\xc2\xa0."},
		{"end\xc2", "end\xc2"},
	};
	struct capture c = {0};
	size_t i;

	(void)state;
	vol_log_set(capture_sink, &c, VOL_LOG_DEBUG);
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		vol_info("%s", rows[i].in);
		assert_string_equal(c.text, rows[i].out);
	}
}

static void long_lines_are_cut(void **state)
{
	struct capture c = {0};
	char text[3000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	vol_log_set(capture_sink, &c, VOL_LOG_DEBUG);
	vol_info("%s", text);
	assert_int_equal(strlen(c.text), 1023);
}

/* What a sink writes to stderr. */
static void sink_output(vol_log_f sink, void *arg, char *buf, size_t size)
{
	int saved = dup(STDERR_FILENO), fds[2];
	ssize_t n;

	assert_true(saved >= 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
	sink(VOL_LOG_WARN, "hello", arg);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	close(fds[1]);
	n = read(fds[0], buf, size - 1);
	close(fds[0]);
	assert_true(n >= 0);
	buf[n] = '\0';
}

static void ready_sinks(void **state)
{
	char name[] = "vbatch", out[256];

	(void)state;
	sink_output(vol_log_sink_daemon, NULL, out, sizeof(out));
	assert_string_equal(out, "<4>hello\n");
	sink_output(vol_log_sink_program, name, out, sizeof(out));
	assert_string_equal(out, "vbatch: hello\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(silent_without_sink, reset),
		cmocka_unit_test_teardown(levels_are_filtered, reset),
		cmocka_unit_test_teardown(errno_is_kept, reset),
		cmocka_unit_test_teardown(controls_are_replaced, reset),
		cmocka_unit_test_teardown(long_lines_are_cut, reset),
		cmocka_unit_test_teardown(ready_sinks, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
