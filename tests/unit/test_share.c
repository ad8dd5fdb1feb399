/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_share.c - what is offered of a machine, its limits and its features */
#include "config.h"

#include "device/hardware.h"
#include "device/limits.h"
#include "device/share.h"

#include <errno.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "vtest.h"

#define MIB UINT64_C(1048576)

static struct vol_device_conf conf;

static int setup(void **state)
{
	(void)state;
	return vol_device_conf_defaults(&conf, NULL);
}

static int teardown(void **state)
{
	(void)state;
	vol_device_conf_clear(&conf);
	return 0;
}

static struct vol_share share(const char *text)
{
	struct vol_share s;

	assert_int_equal(vol_share_parse(text, VOL_SHARE_COUNT, &s, NULL), 0);
	return s;
}

static void cpus(void **state)
{
	static const struct {
		uint32_t sockets, cores, threads, quota;
		const char *share;
		uint32_t want_sockets, want_cores, want_threads; /* 0: EINVAL */
	} rows[] = {
		{1, 1, 1, 0, "all", 1, 1, 1},
		{1, 4, 2, 0, "all", 1, 4, 2},
		{2, 8, 2, 0, "all", 2, 8, 2},
		/* Whole cores only: 3 CPUs are one core of two threads. */
		{1, 4, 2, 0, "3", 1, 1, 2},
		{1, 4, 2, 0, "4", 1, 2, 2},
		{1, 4, 2, 0, "-1", 1, 3, 2},
		{1, 4, 2, 0, "-2", 1, 3, 2},
		{1, 4, 2, 0, "50%", 1, 2, 2},
		{1, 4, 2, 0, "1000", 1, 4, 2},
		{1, 4, 2, 0, "1", 0, 0, 0},
		{1, 4, 2, 0, "none", 0, 0, 0},
		{1, 4, 1, 0, "10%", 0, 0, 0},
		/* Equal sockets, as many of the cores as fit. */
		{2, 8, 1, 0, "12", 2, 6, 1},
		{2, 8, 1, 0, "5", 1, 5, 1},
		{2, 8, 1, 0, "9", 2, 4, 1},
		{2, 8, 1, 0, "1", 1, 1, 1},
		{4, 2, 1, 0, "7", 3, 2, 1},
		/* A container's quota. */
		{1, 16, 2, 3, "all", 1, 1, 2},
		{1, 16, 1, 3, "2", 1, 2, 1},
		{1, 16, 2, 1, "all", 0, 0, 0},
		/* Odd machines are offered in part. */
		{100, 1, 1, 0, "all", 64, 1, 1},
		{1, 5000, 1, 0, "all", 1, 1024, 1},
		{1, 1, 64, 0, "all", 1, 1, 16},
		{1, 1, 0, 0, "all", 0, 0, 0},
		{0, 1, 1, 0, "all", 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_hardware hw = {.sockets = rows[i].sockets,
					  .cores_per_socket = rows[i].cores,
					  .threads_per_core = rows[i].threads,
					  .quota_cpus = rows[i].quota,
					  .memory_bytes = 1000 * MIB};
		struct vol_facts f = {.sockets = 77};
		struct vol_error err;
		int r;

		conf.cpus = share(rows[i].share);
		r = vol_share_facts(&hw, &conf, &f, &err);
		if (!rows[i].want_sockets) {
			assert_int_equal(r, -1);
			assert_int_equal(errno, EINVAL);
			assert_int_equal(f.sockets, 77);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(f.sockets, rows[i].want_sockets);
		assert_int_equal(f.cores_per_socket, rows[i].want_cores);
		assert_int_equal(f.threads_per_core, rows[i].want_threads);
	}
}

static void memory_scratch_gpus(void **state)
{
	struct vol_hardware hw = {.sockets = 1,
				  .cores_per_socket = 1,
				  .threads_per_core = 1,
				  .memory_bytes = 1000 * MIB + MIB / 2,
				  .scratch_bytes = 5000 * MIB,
				  .gpus = 2};
	struct vol_facts f = {.n_features = 0};
	struct vol_error err;

	(void)state;
	assert_int_equal(vol_share_facts(&hw, &conf, &f, &err), 0);
	assert_int_equal(f.memory_mb, 800); /* rounded down */
	assert_int_equal(f.scratch_mb, 0);
	assert_int_equal(f.gpus, 0);

	assert_int_equal(
		vol_share_parse("10%", VOL_SHARE_SIZE, &conf.scratch, NULL), 0);
	conf.gpus = share("1");
	assert_int_equal(vol_share_facts(&hw, &conf, &f, &err), 0);
	assert_int_equal(f.scratch_mb, 500);
	assert_int_equal(f.gpus, 1);

	hw.memory_bytes = MIB;
	assert_int_equal(vol_share_facts(&hw, &conf, &f, &err), -1);
	assert_contains(err.text, "memory");
}

static void put(const char *root, const char *path, const char *text)
{
	char full[512], *slash;

	snprintf(full, sizeof(full), "%s%s", root, path);
	slash = strrchr(full, '/');
	*slash = '\0';
	assert_int_equal(vol_mkdir_p(full, 0755, NULL), 0);
	*slash = '/';
	assert_int_equal(
		vol_file_replace(full, text, strlen(text), 0644, 0, NULL), 0);
}

static void limits(void **state)
{
	const char *root = *state;
	struct vol_limits l;

	vol_limits_read(root, &l);
	assert_true(l.memory_bytes == UINT64_MAX);
	assert_int_equal(l.cpus, 0);

	put(root, "/sys/fs/cgroup/memory.max", "max\n");
	put(root, "/sys/fs/cgroup/cpu.max", "max 100000\n");
	vol_limits_read(root, &l);
	assert_true(l.memory_bytes == UINT64_MAX);
	assert_int_equal(l.cpus, 0);

	put(root, "/sys/fs/cgroup/memory.max", "1073741824\n");
	put(root, "/sys/fs/cgroup/cpu.max", "250000 100000\n");
	vol_limits_read(root, &l);
	assert_int_equal(l.memory_bytes, 1073741824);
	assert_int_equal(l.cpus, 2);

	put(root, "/sys/fs/cgroup/memory.max", "lots\n");
	put(root, "/sys/fs/cgroup/cpu.max", "5000 100000\n");
	vol_limits_read(root, &l);
	assert_true(l.memory_bytes == UINT64_MAX);
	assert_int_equal(l.cpus, 1);
}

static void limits_of_version_1(void **state)
{
	const char *root = *state;
	struct vol_limits l;

	put(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n");
	put(root, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
	put(root, "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	vol_limits_read(root, &l);
	assert_int_equal(l.memory_bytes, 536870912);
	assert_int_equal(l.cpus, 0);
	put(root, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
	vol_limits_read(root, &l);
	assert_int_equal(l.cpus, 4);
}

static bool has_feature(const struct vol_facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_features; i++)
		if (!strcmp(f->feature[i], name))
			return true;
	return false;
}

static void this_machine(void **state)
{
	struct vol_hardware hw;
	struct vol_facts f = {.n_features = 0};
	struct vol_error err;
	long pages = sysconf(_SC_PHYS_PAGES);

	(void)state;
	assert_int_equal(vol_hardware_detect("/tmp", &hw, &f, &err), 0);
	assert_true(hw.sockets >= 1 && hw.cores_per_socket >= 1 &&
		    hw.threads_per_core >= 1);
	assert_true((long)(hw.sockets * hw.cores_per_socket *
			   hw.threads_per_core) <=
		    sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(hw.memory_bytes > 0 &&
		    hw.memory_bytes <=
			    (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE));
	assert_true(hw.scratch_bytes > 0);
#ifdef __x86_64__
	assert_true(has_feature(&f, "x86_64"));
#endif
	assert_int_equal(vol_share_facts(&hw, &conf, &f, &err), 0);
}

/* Machines as hwloc XML; the last has performance and efficiency cores. */
static void recorded_machines(void **state)
{
	static const struct {
		const char *file;
		uint32_t sockets, cores, threads, gpus;
	} rows[] = {
		{"desktop.xml", 1, 4, 2, 1},
		{"two-sockets.xml", 2, 4, 1, 0},
		{"hybrid.xml", 1, 2, 2, 0},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_hardware hw;
		struct vol_facts f;
		struct vol_error err = {""};
		char path[512];

		snprintf(path, sizeof(path), "%s/hwloc/%s", TEST_DATA,
			 rows[i].file);
		if (vol_hardware_from_xml(path, &hw, &f, &err) < 0)
			fail_msg("%s: %s", path, err.text);
		assert_int_equal(hw.sockets, rows[i].sockets);
		assert_int_equal(hw.cores_per_socket, rows[i].cores);
		assert_int_equal(hw.threads_per_core, rows[i].threads);
		assert_int_equal(hw.gpus, rows[i].gpus);
		assert_int_equal(has_feature(&f, "gpu"), rows[i].gpus > 0);
	}
	/* Not there. */
	{
		struct vol_hardware hw;
		struct vol_facts f;
		struct vol_error err = {""};

		assert_int_equal(vol_hardware_from_xml("/nonexistent", &hw, &f,
						       &err),
				 -1);
		assert_true(err.text[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cpus, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_scratch_gpus, setup,
						teardown),
		cmocka_unit_test_setup_teardown(limits, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(limits_of_version_1,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(this_machine, setup, teardown),
		cmocka_unit_test(recorded_machines),
	};

	/* Plugins of hwloc leak, and graphics cards do not matter here. */
	setenv("HWLOC_PLUGINS_PATH", "/nowhere", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
