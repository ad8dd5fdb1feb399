/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spank_bed.h - a volunteer node in a folder, for the hooks of the SPANK plugin
 */
#ifndef VOL_SPANK_BED_H
#define VOL_SPANK_BED_H

#include "vtest.h"

#include "atomicfile.h"
#include "fake_sandbox.h"
#include "fake_spank.h"
#include "plugins/spank/plugin.h"
#include "stepfile.h"
#include "walls.h"

#define NODE   "lab-7"
#define RUN    "/run/slurm-volunteer"
#define CGROUP "/system.slice/lab-7_slurmstepd.scope/job_12/step_0"
#define TASKS  "/sys/fs/cgroup" CGROUP "/user"
#define FREEZE TASKS "/cgroup.freeze"

static const char good_cgroup[] = "4:memory:/x\n"
				  "0::" CGROUP "/slurm\n";

/* root/path; valid until the next call. */
static inline const char *in(void *root, const char *path)
{
	static char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", (const char *)root, path);
	return full;
}

static inline void write_cgroup(void *root, const char *text)
{
	assert_int_equal(vol_mkdir_p(in(root, "/proc/self"), 0755, NULL), 0);
	assert_int_equal(vol_file_replace(in(root, "/proc/self/cgroup"), text,
					  strlen(text), 0644, 0, NULL),
			 0);
}

static inline void write_freeze(void *root, const char *text)
{
	assert_int_equal(vol_mkdir_p(in(root, "/sys/fs/cgroup" CGROUP "/user"),
				     0755, NULL),
			 0);
	assert_int_equal(vol_file_replace(in(root, FREEZE), text, strlen(text),
					  0644, 0, NULL),
			 0);
}

/* What discoveryd left; yes or no, and a working folder. */
static inline void write_walls_of(void *root, bool up, const char *work,
				  int network)
{
	struct vol_walls *walls = calloc(1, sizeof(*walls));
	char *text = malloc(VOL_WALLS_FILE_MAX);
	int len;

	assert_true(walls && text);
	vol_walls_defaults(walls);
	walls->up = up;
	walls->scratch_bytes = 12345678;
	walls->network = network;
	assert_int_equal(vol_walls_add(&walls->work, work, NULL), 0);
	len = vol_walls_format(walls, text, VOL_WALLS_FILE_MAX);
	assert_true(len > 0);
	assert_int_equal(vol_mkdir_p(in(root, RUN), 0755, NULL), 0);
	assert_int_equal(vol_file_replace(in(root, RUN "/walls"), text,
					  (size_t)len, 0644, 0, NULL),
			 0);
	free(text);
	free(walls);
}

static inline void write_walls_for(void *root, bool up, const char *work)
{
	write_walls_of(root, up, work, VOL_NETWORK_NONE);
}

static inline void write_walls(void *root, bool up)
{
	write_walls_for(root, up, root);
}

static inline int setup(void **state)
{
	if (vtest_folder_setup(state))
		return -1;
	vol_spank_root = *state;
	fake_sandbox = (struct fake_sandbox){.where = "/campaign/alice"};
	write_walls(*state, false);
	write_cgroup(*state, good_cgroup);
	write_freeze(*state, "0\n");
	return setenv(VOL_ENV_DEVICE, NODE, 1);
}

static inline int teardown(void **state)
{
	/* Leave nothing behind that the next test's exit would remove. */
	fake_spank.context = S_CTX_REMOTE;
	slurm_spank_exit(fake_spank_handle(), 0, NULL);
	unsetenv(VOL_ENV_DEVICE);
	vol_spank_root = "";
	return vtest_folder_teardown(state);
}

static inline void init(enum spank_context context, int ac, char *av[])
{
	fake_spank_reset(context);
	assert_int_equal(slurm_spank_init(fake_spank_handle(), ac, av), 0);
}

static inline void post_opt(void)
{
	assert_int_equal(
		slurm_spank_init_post_opt(fake_spank_handle(), 0, NULL), 0);
}

static inline void leave(void)
{
	assert_int_equal(slurm_spank_exit(fake_spank_handle(), 0, NULL), 0);
}

static inline bool exists(void *root, const char *path)
{
	return access(in(root, path), F_OK) == 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
