/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_speed.c - measured once, kept for this CPU, broken off when asked */
#include "config.h"

#include "device/speed.h"

#include <stdio.h>
#include <string.h>

#include "link.h"
#include "sensor_bed.h"

static unsigned told;

static void done(void *arg)
{
	(void)arg;
	told++;
}

static struct vol_speed *start(sd_event *loop, const char *folder)
{
	struct vol_error err = {""};
	struct vol_speed *s =
		vol_speed_create(loop, folder, folder, done, NULL, &err);

	if (!s)
		fail_msg("%s", err.text);
	return s;
}

static void once(void **state)
{
	const char *folder = *state;
	struct vol_speed *s;
	sd_event *loop;
	uint32_t speed;

	assert_int_equal(sd_event_new(&loop), 0);
	bed_put(folder, "proc/cpuinfo",
		"processor\t: 0\nmodel name\t: Fast One\nflags\t: a\n");
	told = 0;
	s = start(loop, folder);
	assert_int_equal(vol_speed_get(s), 0);
	UNTIL(loop, told);
	speed = vol_speed_get(s);
	assert_in_range(speed, 1, VOL_SPEED_MAX);
	vol_speed_destroy(s);

	/* After a reboot it is there at once. */
	s = start(loop, folder);
	assert_int_equal(vol_speed_get(s), speed);
	vol_speed_destroy(s);

	/* What was measured in a bad hour is bettered. */
	bed_put(folder, "speed", "1 1 Fast One\n");
	told = 0;
	s = start(loop, folder);
	assert_int_equal(vol_speed_get(s), 1);
	UNTIL(loop, told);
	assert_in_range(vol_speed_get(s), 2, VOL_SPEED_MAX);
	vol_speed_destroy(s);

	/* Another CPU does. */
	bed_put(folder, "proc/cpuinfo", "model name\t: Faster One\n");
	s = start(loop, folder);
	assert_int_equal(vol_speed_get(s), 0);
	UNTIL(loop, told == 2);
	vol_speed_destroy(s);
	sd_event_unref(loop);
}

static void damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"1",
		"1 0 Fast One\n",
		"1 1000001 Fast One\n",
		"1 -5 Fast One\n",
		"2 900 Fast One\n",
		"1 900 Fast One",
		"1 900 Fast One\nx",
		"1 0900 Fast One\n",
	};
	const char *folder = *state;
	struct vol_speed *s;
	sd_event *loop;
	size_t i;

	assert_int_equal(sd_event_new(&loop), 0);
	bed_put(folder, "proc/cpuinfo", "model name : Fast One\n");
	bed_put(folder, "speed", "1 900 Fast One\n");
	s = start(loop, folder);
	assert_int_equal(vol_speed_get(s), 900);
	vol_speed_destroy(s);
	for (i = 0; i < N_ELEMENTS(texts); i++) {
		bed_put(folder, "speed", texts[i]);
		s = start(loop, folder);
		assert_int_equal(vol_speed_get(s), 0);
		/* Broken off. */
		vol_speed_destroy(s);
	}
	vol_speed_destroy(NULL);
	sd_event_unref(loop);
}

static void models(void **state)
{
	static const struct {
		const char *cpuinfo, *model;
	} machines[] = {
		{"processor\t: 0\nmodel name\t: A (R) B @ 2\nx\t: y\n",
		 "A (R) B @ 2"},
		{"processor\t: 0\nCPU part\t: 0xd08\n", "0xd08"},
		{"processor\t: 0\ncpu\t\t: POWER9\n", "POWER9"},
		{"model name\t: a\x1b[2J\n", "a?[2J"},
	};
	const char *folder = *state;
	char model[VOL_SPEED_MODEL_SIZE];
	size_t i;

	for (i = 0; i < N_ELEMENTS(machines); i++) {
		bed_put(folder, "proc/cpuinfo", machines[i].cpuinfo);
		vol_speed_model(folder, model);
		assert_string_equal(model, machines[i].model);
	}
	vol_speed_model("/nowhere", model);
	assert_true(*model);
}

/* Not asserted: this machine may be busy. */
static void figures(void **state)
{
	uint32_t now, low = UINT32_MAX, high = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		now = vol_speed_sample();
		low = now < low ? now : low;
		high = now > high ? now : high;
	}
	print_message("40 samples: %u ... %u\n", low, high);
	assert_in_range(low, 1, VOL_SPEED_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(once, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(damaged, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(models, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test(figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
