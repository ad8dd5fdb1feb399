/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sensor_bed.h - one sensor alone, in a folder that stands for / */
#ifndef VOL_SENSOR_BED_H
#define VOL_SENSOR_BED_H

#include "device/sensors/sensor.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "atomicfile.h"
#include "vtest.h"

#define DEADLINE_MS 20000

static inline uint64_t bed_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Run the loop until cond holds; fail when it never does. */
#define UNTIL(loop, cond)                                            \
	do {                                                         \
		uint64_t end_ = bed_now_ms() + DEADLINE_MS;          \
		while (!(cond)) {                                    \
			if (bed_now_ms() > end_)                     \
				fail_msg("never: %s", #cond);        \
			assert_true(sd_event_run(loop, 10000) >= 0); \
		}                                                    \
	} while (0)

/* Let the loop do all that is due, then a little more. */
static inline void bed_settle(sd_event *loop)
{
	uint64_t end = bed_now_ms() + 100;

	while (bed_now_ms() < end)
		assert_true(sd_event_run(loop, 10000) >= 0);
}

static inline void bed_put(const char *root, const char *path, const char *text)
{
	char whole[PATH_MAX];

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	*strrchr(whole, '/') = '\0';
	assert_int_equal(vol_mkdir_p(whole, 0755, NULL), 0);
	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	assert_int_equal(
		vol_file_replace(whole, text, strlen(text), 0644, 0, NULL), 0);
}

static inline void bed_remove(const char *root, const char *path)
{
	char whole[PATH_MAX];

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	assert_int_equal(remove(whole), 0);
}

#endif
