/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sensor_terminals.c - whose keys reach a terminal */
#include "config.h"

#include "device/sensors/sensor.h"

#include <fcntl.h>

#include "sensor_alone.h"

static void used_ago(const char *root, const char *path, long seconds)
{
	struct timespec ts[2];
	char whole[PATH_MAX];

	clock_gettime(CLOCK_REALTIME, &ts[0]);
	ts[0].tv_sec -= seconds;
	ts[1] = ts[0];
	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	assert_int_equal(utimensat(AT_FDCWD, whole, ts, 0), 0);
}

/* Is since_ms about so many seconds ago? */
static bool ago(uint64_t since_ms, uint64_t seconds)
{
	uint64_t ms = bed_now_ms() - since_ms;

	return ms + 2000 > seconds * 1000 && ms < seconds * 1000 + 10000;
}

static void terminals(void **state)
{
	const char *root = *state;
	char path[PATH_MAX];
	void *self;

	self = start(&vol_sensor_terminals, root);
	assert_int_equal(got.says, VOL_SAYS_UNKNOWN);
	snprintf(path, sizeof(path), "%s/dev/pts", root);
	assert_int_equal(vol_mkdir_p(path, 0755, NULL), 0);
	vol_sensor_terminals.reload(self);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	assert_int_equal(got.since_ms, 0);

	bed_put(root, "dev/pts/0", "");
	bed_put(root, "dev/pts/1", "");
	used_ago(root, "dev/pts/0", 60);
	used_ago(root, "dev/pts/1", 40);
	vol_sensor_terminals.reload(self);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	assert_true(ago(got.since_ms, 40));
	used_ago(root, "dev/pts/0", 0);
	vol_sensor_terminals.reload(self);
	assert_int_equal(got.says, VOL_SAYS_PRESENT);
	vol_sensor_terminals.destroy(self);

	/* What is no terminal, and a time to come. */
	used_ago(root, "dev/pts/0", 60);
	used_ago(root, "dev/pts/1", -3600);
	bed_put(root, "dev/pts/ptmx", "");
	bed_put(root, "dev/ptmx", "");
	self = start(&vol_sensor_terminals, root);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	assert_true(ago(got.since_ms, 60));
	vol_sensor_terminals.destroy(self);
}

static void terminals_of_others(void **state)
{
	const char *root = *state;
	char path[PATH_MAX];
	void *self;

	if (geteuid() != 0)
		skip();
	bed_put(root, "dev/pts/0", "");
	bed_put(root, "dev/tty1", "");
	snprintf(path, sizeof(path), "%s/dev/pts/0", root);
	/* A service's. */
	assert_int_equal(chown(path, 101, 5), 0);
	self = start(&vol_sensor_terminals, root);
	/* tty1 is a login prompt. */
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	snprintf(path, sizeof(path), "%s/dev/tty1", root);
	assert_int_equal(chown(path, 1000, 5), 0);
	vol_sensor_terminals.reload(self);
	assert_int_equal(got.says, VOL_SAYS_PRESENT);
	vol_sensor_terminals.destroy(self);
}

static void terminals_of_jobs(void **state)
{
	const char *root = *state;
	char path[PATH_MAX], target[PATH_MAX];
	void *self;

	bed_put(root, "dev/pts/0", "");
	bed_put(root, "dev/pts/1", "");
	used_ago(root, "dev/pts/0", 300);
	bed_put(root, "cg/jobs/job_1/step_0/user/task_0/cgroup.procs",
		"41\n42\n");
	bed_put(root, "proc/42/stat", "");
	snprintf(path, sizeof(path), "%s/proc/42/fd", root);
	assert_int_equal(vol_mkdir_p(path, 0755, NULL), 0);
	snprintf(path, sizeof(path), "%s/proc/42/fd/0", root);
	snprintf(target, sizeof(target), "%s/dev/pts/1", root);
	assert_int_equal(symlink(target, path), 0);

	/* Not known as a job's. */
	self = start(&vol_sensor_terminals, root);
	assert_int_equal(got.says, VOL_SAYS_PRESENT);
	vol_sensor_terminals.destroy(self);
	host.jobs_cgroup = "/cg/jobs";
	self = start(&vol_sensor_terminals, root);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	assert_true(ago(got.since_ms, 300));
	/* The owner types beside it. */
	used_ago(root, "dev/pts/0", 0);
	vol_sensor_terminals.reload(self);
	assert_int_equal(got.says, VOL_SAYS_PRESENT);
	vol_sensor_terminals.destroy(self);
	host.jobs_cgroup = "";
}

/* In a step's slurmstepd, as /proc shows its descriptors. */
static void put_stepd(const char *root, const char *its_root)
{
	char path[PATH_MAX];

	bed_put(root, "cg/jobs/job_1/step_0/slurm/cgroup.procs", "43\n");
	bed_put(root, "cg/jobs/system/cgroup.procs", "");
	bed_put(root, "proc/43/fdinfo/4", "pos:\t0\nflags:\t0100002\n");
	bed_put(root, "proc/43/fdinfo/5",
		"pos:\t0\nflags:\t02\nmnt_id:\t9\nino:\t2\ntty-index:\t1\n");
	snprintf(path, sizeof(path), "%s/proc/43/root", root);
	unlink(path);
	assert_int_equal(symlink(its_root, path), 0);
}

/* Made already, or still there, while no task has it. */
static void terminals_of_jobs_without_tasks(void **state)
{
	const char *root = *state;
	char path[PATH_MAX];
	void *self;

	bed_put(root, "dev/pts/0", "");
	bed_put(root, "dev/pts/1", "");
	bed_put(root, "dev/pts/11", "");
	used_ago(root, "dev/pts/0", 300);
	used_ago(root, "dev/pts/11", 300);
	put_stepd(root, root);
	host.jobs_cgroup = "/cg/jobs";
	self = start(&vol_sensor_terminals, root);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	assert_true(ago(got.since_ms, 300));
	used_ago(root, "dev/pts/11", 0);
	vol_sensor_terminals.reload(self);
	assert_int_equal(got.says, VOL_SAYS_PRESENT);
	vol_sensor_terminals.destroy(self);

	/* The step is over, and slurmstepd about to end. */
	used_ago(root, "dev/pts/11", 300);
	bed_put(root, "cg/jobs/job_1/step_0/slurm/cgroup.procs", "");
	bed_put(root, "cg/jobs/system/cgroup.procs", "43\n");
	self = start(&vol_sensor_terminals, root);
	assert_int_equal(got.says, VOL_SAYS_AWAY);
	vol_sensor_terminals.destroy(self);

	/* Another /dev/pts: the owner's has that number, too. */
	snprintf(path, sizeof(path), "%s/inside/dev/pts", root);
	assert_int_equal(vol_mkdir_p(path, 0755, NULL), 0);
	snprintf(path, sizeof(path), "%s/inside", root);
	put_stepd(root, path);
	self = start(&vol_sensor_terminals, root);
	assert_int_equal(got.says, VOL_SAYS_PRESENT);
	vol_sensor_terminals.destroy(self);

	/* One that a task has got is no slurmstepd, and may have any number. */
	put_stepd(root, root);
	bed_put(root, "cg/jobs/job_1/step_0/slurm/cgroup.procs", "");
	bed_put(root, "cg/jobs/job_1/step_0/user/task_0/cgroup.procs", "43\n");
	self = start(&vol_sensor_terminals, root);
	assert_int_equal(got.says, VOL_SAYS_PRESENT);
	vol_sensor_terminals.destroy(self);
	host.jobs_cgroup = "";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(terminals),
		TEST(terminals_of_others),
		TEST(terminals_of_jobs),
		TEST(terminals_of_jobs_without_tasks),
	};

	return cmocka_run_group_tests(tests, loop_setup, loop_teardown);
}
