/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sensor_input.c - find the devices that people touch, with FIFOs */
#include "config.h"

#include "device/sensors/sensor.h"

#include <errno.h>
#include <fcntl.h>

#include "sensor_bed.h"

#define MAX 16

/* What the reflex would have. */
static struct {
	char name[PATH_MAX];
	int fd;
} held[MAX];
static size_t n_held;
static struct vol_reflex_state state_now;
static bool refuse;

static struct vol_reading got;
static struct vol_sensor_host host = {.jobs_cgroup = ""};

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
	assert_int_equal(id, VOL_SENSOR_INPUT);
	got.says = says;
	got.since_ms = since_ms;
	va_start(ap, fmt);
	vsnprintf(got.detail, sizeof(got.detail), fmt, ap);
	va_end(ap);
}

int vol_reflex_add(struct vol_reflex *r, int fd, const char *name,
		   struct vol_error *err)
{
	(void)r;
	if (refuse) {
		close(fd);
		return vol_errorf_errno(err, ENOMEM, "no more");
	}
	assert_true(n_held < MAX);
	held[n_held].fd = fd;
	snprintf(held[n_held++].name, PATH_MAX, "%s", name);
	state_now.devices = (unsigned)n_held;
	return 0;
}

void vol_reflex_remove(struct vol_reflex *r, const char *name)
{
	(void)r;
	for (size_t i = 0; i < n_held; i++) {
		if (strcmp(held[i].name, name) != 0)
			continue;
		close(held[i].fd);
		held[i] = held[--n_held];
		break;
	}
	state_now.devices = (unsigned)n_held;
}

void vol_reflex_state(struct vol_reflex *r, struct vol_reflex_state *st)
{
	(void)r;
	*st = state_now;
}

static int fd_of(const char *root, const char *path)
{
	char whole[PATH_MAX];

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	for (size_t i = 0; i < n_held; i++)
		if (!strcmp(held[i].name, whole))
			return held[i].fd;
	return -1;
}

static void make_fifo(const char *root, const char *path, mode_t mode)
{
	char whole[PATH_MAX];

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	assert_int_equal(mkfifo(whole, mode), 0);
}

static void make_folder(const char *root, const char *path)
{
	char whole[PATH_MAX];

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	assert_int_equal(vol_mkdir_p(whole, 0755, NULL), 0);
}

static struct vol_policy policy;

static void *start(const char *root, const char *devices)
{
	struct vol_error err;
	void *self;

	policy.idle_after_ms = 300000;
	host.policy = &policy;
	host.root = root;
	host.input_devices = devices;
	state_now = (struct vol_reflex_state){0};
	refuse = false;
	self = vol_sensor_input.create(&host, &err);
	assert_non_null(self);
	return self;
}

static void stop(void *self)
{
	vol_sensor_input.destroy(self);
	assert_int_equal(n_held, 0);
}

static void there_at_start(void **state)
{
	const char *root = *state;
	char c = 'x';
	void *self;

	make_folder(root, "dev/input/by-id");
	make_fifo(root, "dev/input/event0", 0600);
	make_fifo(root, "dev/input/event12", 0600);
	make_fifo(root, "dev/input/mice", 0600);
	self = start(root, NULL);
	assert_int_equal(n_held, 2);
	assert_true(fd_of(root, "dev/input/event12") >= 0);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	assert_int_equal(got.since_ms, 0);
	assert_string_equal(got.detail, "input devices: 2");
	/* It never ends and never blocks. */
	assert_int_equal(read(fd_of(root, "dev/input/event0"), &c, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(fcntl(fd_of(root, "dev/input/event0"), F_GETFD) &
		    FD_CLOEXEC);
	stop(self);
}

static void blind(void **state)
{
	const char *root = *state;
	void *self = start(root, NULL);

	assert_int_equal(got.says, VOL_SAYS_UNKNOWN);
	assert_string_equal(
		got.detail,
		"no input device can be read: there is none in /dev/input");
	stop(self);

	bed_put(root, "file", "");
	self = start(root, "/file");
	assert_int_equal(got.says, VOL_SAYS_UNKNOWN);
	assert_contains(got.detail, "neither a device nor a FIFO");
	stop(self);

	self = start(root, "relative");
	assert_contains(got.detail, "\"relative\" is not an absolute path");
	stop(self);

	self = start(root, "/none/at/all");
	assert_contains(got.detail, "/none/at/all does not exist");
	refuse = true;
	make_folder(root, "none/at");
	make_fifo(root, "none/at/all", 0600);
	UNTIL(host.loop, strstr(got.detail, "no more"));
	assert_int_equal(got.says, VOL_SAYS_UNKNOWN);
	stop(self);
}

/* Each step of the way may come and go. */
static void hot_plug(void **state)
{
	const char *root = *state;
	void *self = start(root, NULL);

	make_folder(root, "dev");
	bed_settle(host.loop);
	make_folder(root, "dev/input");
	bed_settle(host.loop);
	assert_int_equal(got.says, VOL_SAYS_UNKNOWN);
	make_fifo(root, "dev/input/event3", 0600);
	UNTIL(host.loop, fd_of(root, "dev/input/event3") >= 0);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	make_fifo(root, "dev/input/event4", 0600);
	UNTIL(host.loop, n_held == 2);
	bed_remove(root, "dev/input/event3");
	UNTIL(host.loop, n_held == 1);
	assert_true(fd_of(root, "dev/input/event4") >= 0);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	/* The last device takes the folder with it. */
	bed_remove(root, "dev/input/event4");
	bed_remove(root, "dev/input");
	UNTIL(host.loop, n_held == 0 && got.says == VOL_SAYS_UNKNOWN);
	make_folder(root, "dev/input");
	make_fifo(root, "dev/input/event0", 0600);
	UNTIL(host.loop, n_held == 1 && got.says == VOL_SAYS_AWAY);
	/* The same name is another device now. */
	bed_remove(root, "dev/input/event0");
	make_fifo(root, "dev/input/event0", 0600);
	UNTIL(host.loop, n_held == 0);
	UNTIL(host.loop, n_held == 1);
	stop(self);
}

static void late_permission(void **state)
{
	const char *root = *state;
	char path[PATH_MAX];
	void *self;

	if (geteuid() != 0)
		skip();
	make_folder(root, "dev/input");
	assert_int_equal(chmod(root, 0755), 0);
	self = start(root, NULL);
	make_fifo(root, "dev/input/event0", 0);
	/* Root may do all. */
	assert_int_equal(seteuid(65534), 0);
	bed_settle(host.loop);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(n_held, 0);
	assert_contains(got.detail, "Permission denied");
	snprintf(path, sizeof(path), "%s/dev/input/event0", root);
	assert_int_equal(chmod(path, 0600), 0);
	UNTIL(host.loop, n_held == 1 && got.says == VOL_SAYS_AWAY);
	stop(self);
}

static void listed_devices(void **state)
{
	const char *root = *state;
	void *self;
	int fd;

	make_fifo(root, "a", 0600);
	make_fifo(root, "b", 0600);
	make_fifo(root, "c", 0600);
	self = start(root, " /a,/b , /new/d");
	assert_int_equal(n_held, 2);
	make_folder(root, "new");
	make_fifo(root, "new/d", 0600);
	make_fifo(root, "new/dd", 0600);
	UNTIL(host.loop, n_held == 3);
	bed_settle(host.loop);
	assert_int_equal(n_held, 3);

	/* What did not change is left alone. */
	fd = fd_of(root, "a");
	vol_sensor_input.reload(self);
	assert_int_equal(fd_of(root, "a"), fd);
	host.input_devices = "/a\t/c";
	vol_sensor_input.reload(self);
	assert_int_equal(n_held, 2);
	assert_true(fd_of(root, "a") >= 0 && fd_of(root, "c") >= 0);
	host.input_devices = NULL;
	vol_sensor_input.reload(self);
	assert_int_equal(got.says, VOL_SAYS_UNKNOWN);
	stop(self);
}

static void input_and_rest(void **state)
{
	const char *root = *state;
	uint64_t last;
	void *self;

	make_fifo(root, "a", 0600);
	self = start(root, "/a");
	state_now.inputs = 1;
	state_now.last_input_ms = last = bed_now_ms() + 1;
	snprintf(state_now.last_device, sizeof(state_now.last_device), "/a");
	vol_sensor_input.input(self);
	assert_int_equal(got.says, VOL_SAYS_PRESENT);
	assert_string_equal(got.detail, "input at /a");
	/* One more while it holds. */
	bed_settle(host.loop);
	state_now.last_input_ms = last = bed_now_ms();
	UNTIL(host.loop, got.says == VOL_SAYS_AWAY);
	assert_int_equal(got.since_ms, last);
	assert_true(bed_now_ms() >= last + 2000);
	/* No longer than the owner wants to be waited for. */
	policy.idle_after_ms = 100;
	state_now.last_input_ms = bed_now_ms() - 200;
	vol_sensor_input.input(self);
	bed_settle(host.loop);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	assert_int_equal(got.since_ms, state_now.last_input_ms);

	/* Blind for a while: what was before does not count. */
	bed_remove(root, "a");
	UNTIL(host.loop, got.says == VOL_SAYS_UNKNOWN);
	make_fifo(root, "a", 0600);
	UNTIL(host.loop, got.says == VOL_SAYS_AWAY);
	assert_int_equal(got.since_ms, 0);
	/* The reflex has lost it. */
	state_now.devices = 0;
	vol_sensor_input.input(self);
	assert_int_equal(got.says, VOL_SAYS_UNKNOWN);
	stop(self);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_at_start), TEST(blind),
		TEST(hot_plug),       TEST(late_permission),
		TEST(listed_devices), TEST(input_and_rest),
	};

	return cmocka_run_group_tests(tests, loop_setup, loop_teardown);
}
