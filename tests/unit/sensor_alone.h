/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sensor_alone.h - what stands for sensors.c around one sensor */
#ifndef VOL_SENSOR_ALONE_H
#define VOL_SENSOR_ALONE_H

#include "sensor_bed.h"

/* What the sensor said last. */
static struct vol_reading got;
static unsigned reports;

static struct vol_policy policy;
static struct vol_sensor_host host = {.policy = &policy, .jobs_cgroup = ""};

uint64_t vol_sensor_now_ms(void)
{
	return bed_now_ms();
}

void vol_sensor_report(struct vol_sensors *s, enum vol_sensor id,
		       enum vol_says says, uint64_t since_ms, const char *fmt,
		       ...)
{
	va_list ap;

	(void)s;
	(void)id;
	got.says = says;
	got.since_ms = since_ms;
	va_start(ap, fmt);
	vsnprintf(got.detail, sizeof(got.detail), fmt, ap);
	va_end(ap);
	reports++;
}

static void *start(const struct vol_sensor_ops *ops, const char *root)
{
	struct vol_error err;
	void *self;

	host.root = root;
	got = (struct vol_reading){.detail = "nothing"};
	reports = 0;
	self = ops->create(&host, &err);
	assert_non_null(self);
	assert_true(reports > 0);
	return self;
}

static int loop_setup(void **state)
{
	(void)state;
	return sd_event_new(&host.loop) < 0;
}

static int loop_teardown(void **state)
{
	(void)state;
	sd_event_unref(host.loop);
	return 0;
}

#define TEST(f)                                                \
	cmocka_unit_test_setup_teardown(f, vtest_folder_setup, \
					vtest_folder_teardown)

#endif
