/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_machine.c - what a machine is to saved jobs, and with which system
 *
 * What is found out comes from a script.
 */
#include "config.h"

#include "device/machine.h"

#include "sensor_bed.h"

#define DIGEST \
	"000000000000000000000000000000000000000000000000000000000000000d"

static unsigned known;

static void on_known(void *arg)
{
	assert_ptr_equal(arg, &known);
	known++;
}

static struct vol_machine *begin(const char *folder, sd_event *loop)
{
	char program[PATH_MAX];
	struct vol_machine *m;

	bed_put(folder, "machine",
		"#!/bin/sh\n"
		"[ \"$1\" = /usr/sbin/criu ] || exit 77\n"
		"echo '{\"machine\": {\"arch\": \"x86_64\", \"cpu\": [], "
		"\"criu\": 40101, \"kernel\": \"6.12\", \"runtime\": \"\"}, "
		"\"why\": \"\"}'\n");
	snprintf(program, sizeof(program), "%s/machine", folder);
	assert_int_equal(chmod(program, 0755), 0);
	known = 0;
	m = vol_machine_create(loop, program, "/usr/sbin/criu", on_known,
			       &known, NULL);
	assert_non_null(m);
	return m;
}

static const char *runtime(const struct vol_machine *m)
{
	static struct vol_link_msg msg;

	assert_true(vol_machine_fill(m, &msg));
	assert_int_equal(msg.type, VOL_LINK_MACHINE);
	assert_string_equal(msg.machine.kernel, "6.12");
	return msg.machine.runtime;
}

/* It is part of what is said, and said once for each change. */
static void the_runtime_is_told(void **state)
{
	struct vol_link_msg msg;
	struct vol_machine *m;
	sd_event *loop;

	assert_int_equal(sd_event_new(&loop), 0);
	m = begin(*state, loop);
	assert_false(vol_machine_fill(m, &msg));
	/* There is nothing to be said yet. */
	vol_machine_runtime(m, DIGEST);
	assert_int_equal(known, 0);
	vol_machine_look(m);
	UNTIL(loop, known == 1);
	assert_string_equal(runtime(m), DIGEST);
	vol_machine_runtime(m, DIGEST);
	assert_int_equal(known, 1);
	vol_machine_runtime(m, "");
	assert_int_equal(known, 2);
	assert_string_equal(runtime(m), "");
	vol_machine_destroy(m);
	sd_event_unref(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_runtime_is_told,
						vtest_folder_setup,
						vtest_folder_teardown),
	};

	vol_machine_destroy(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
