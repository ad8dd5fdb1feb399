/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctx_stepd.c - slurmstepd: freeze the step, tell discoveryd of it, mark the
 * job
 *
 * post_opt runs as root while slurmstepd is the only process of the step and
 * sits in STEP/slurm; STEP/user is there already and empty.  A task that is put
 * into it does not execute one instruction before discoveryd has looked whether
 * the owner is there.  Frozen comes before told: once discoveryd knows of the
 * step it may thaw at once, and nobody would undo a later freeze.  The cgroup
 * is read from there and never composed: its name holds a scope that
 * distributions choose and, from 26.05 on, a job id that is not the number
 * users see.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "log.h"
#include "plugin.h"
#include "stepfile.h"
#include "text.h"

/* A path of 4096 bytes a line, of which cgroup v1 may add a dozen. */
#define PROC_CGROUP_MAX (64 * 1024)

static struct {
	struct vol_spank_args args;
	char device[VOL_NODE_NAME_SIZE];
	bool nameless; /* a device whose name is none */
	struct vol_step step;
	char path[PATH_MAX]; /* step file; "" while there is none */
	uint32_t exited;     /* tasks */
	bool saved;          /* when it has to leave, or oftener */
} self;

int vol_stepd_init(spank_t spank, int ac, char *av[], struct vol_error *err)
{
	memset(&self, 0, sizeof(self));
	vol_spank_args_defaults(&self.args);
	/* First: nothing that goes wrong here may leave a step unguarded. */
	if (vol_spank_device(self.device, err) == -1) {
		self.nameless = true;
		return -1;
	}
	if (vol_spank_options_register(spank, err) == -1)
		return -1;
	return vol_spank_args_parse(ac, av, &self.args, err);
}

/* Without proctrack/cgroup slurmstepd stays in slurmd's cgroup, whose parent
 * would be handed to discoveryd as "the step": a whole system.slice. */
static int is_step_cgroup(const char *proc_cgroup, const char *cgroup)
{
	size_t len = strlen(cgroup);
	const char *line = proc_cgroup;

	while (line && strncmp(line, "0::", 3)) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return line && !strncmp(line + 3, cgroup, len) &&
	       !strncmp(line + 3 + len, "/slurm", 6) &&
	       (line[len + 9] == '\n' || !line[len + 9]);
}

static int find_cgroup(struct vol_step *step, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX], cgroup[VOL_CGROUP_SIZE];

	if (vol_spank_path(path, sizeof(path), err, "/proc/self/cgroup"))
		return -1;
	text = vol_file_read(path, PROC_CGROUP_MAX, NULL, err);
	if (!text)
		return -1;
	if (vol_step_cgroup(text, cgroup, sizeof(cgroup), err) == -1)
		return vol_error_prefix(err, "%s", path);
	if (!is_step_cgroup(text, cgroup))
		return vol_errorf_errno(err, EINVAL,
					"%s: slurmstepd has no step cgroup "
					"(ProctrackType=proctrack/cgroup?)",
					path);
	memcpy(step->cgroup, cgroup, sizeof(cgroup));
	return 0;
}

/* A hint; one that does not fit is none. */
static void find_account(spank_t spank, struct vol_step *step)
{
	char text[VOL_ACCOUNT_SIZE];

	if (spank_getenv(spank, "SLURM_JOB_ACCOUNT", text, sizeof(text)) !=
	    ESPANK_SUCCESS)
		return;
	for (const char *c = text; *c; c++)
		if (!vol_char_printable((unsigned char)*c) || *c == ' ')
			return;
	memcpy(step->account, text, sizeof(text));
}

static int describe(spank_t spank, struct vol_step *step, struct vol_error *err)
{
	if (spank_get_item(spank, S_JOB_ID, &step->job) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_STEPID, &step->step) !=
		    ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_UID, &step->uid) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_LOCAL_TASK_COUNT, &step->tasks) !=
		    ESPANK_SUCCESS)
		return vol_errorf_errno(err, EINVAL,
					"Slurm does not tell which step it is");
	if (step->step == VOL_SPANK_EXTERN_STEP)
		step->tasks = 0;
	step->stepd = getpid();
	find_account(spank, step);
	return find_cgroup(step, err);
}

static int freeze(const struct vol_step *step, struct vol_error *err)
{
	char path[PATH_MAX];
	cleanup_fd int fd = -1;

	if (vol_spank_path(path, sizeof(path), err,
			   VOL_SPANK_CGROUPS "%s/user/cgroup.freeze",
			   step->cgroup))
		return -1;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1 || write(fd, "1", 1) != 1)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return 0;
}

static int publish(struct vol_error *err)
{
	char dir[PATH_MAX], path[PATH_MAX], text[VOL_STEPFILE_MAX];
	int len;

	len = vol_step_format(&self.step, text, sizeof(text));
	if (len == -1)
		return vol_errorf(err, "step file: %s", strerror(errno));
	if (vol_spank_path(dir, sizeof(dir), err, "%s/steps",
			   self.args.run_dir) ||
	    vol_spank_path(path, sizeof(path), err,
			   "%s/steps/%" PRIu32 ".%" PRIu32, self.args.run_dir,
			   self.step.job, self.step.step) ||
	    vol_mkdir_p(dir, 0755, err) ||
	    vol_file_replace(path, text, (size_t)len, 0644, 0, err))
		return -1;
	memcpy(self.path, path, sizeof(path));
	return 0;
}

/* A script alone: what its job runs on other machines is not saved with it.
 * S_JOB_NNODES is 0 in a batch step; this one is slurmstepd's own there. */
static bool is_saved(spank_t spank)
{
	char nodes[16];

	return vol_spank_options()->checkpoint.mode != VOL_CKMODE_OFF &&
	       self.step.step == VOL_STEP_BATCH && self.step.tasks == 1 &&
	       spank_getenv(spank, "SLURM_JOB_NUM_NODES", nodes,
			    sizeof(nodes)) == ESPANK_SUCCESS &&
	       !strcmp(nodes, "1");
}

static int build_walls(spank_t spank, struct vol_error *err)
{
	struct vol_wall_step step = {
		.job = self.step.job,
		.step = self.step.step,
		.tasks = self.step.tasks,
		.uid = self.step.uid,
	};

	if (is_saved(spank))
		step.checkpoint = vol_spank_options()->checkpoint;
	memcpy(step.device, self.device, sizeof(step.device));
	memcpy(step.run_dir, self.args.run_dir, sizeof(step.run_dir));
	if (vol_wall_build(spank, &step, err) == -1)
		return -1;
	self.saved =
		step.checkpoint.mode != VOL_CKMODE_OFF && vol_wall_stands();
	if (self.saved)
		vol_waits_begin();
	return 0;
}

int vol_stepd_guard(spank_t spank, struct vol_error *err)
{
	if (self.nameless)
		return vol_errorf_errno(err, EINVAL,
					"this device has no name: the step "
					"does not start");
	if (!self.device[0])
		return 0;
	if (describe(spank, &self.step, err) == -1 ||
	    freeze(&self.step, err) == -1 ||
	    vol_waits_clear(self.step.cgroup, err) == -1 || publish(err) == -1)
		return vol_error_prefix(err, "the step does not start, since "
					     "nobody could stop it");
	if (build_walls(spank, err) == 0)
		return 0;
	/* Slurm calls no exit after this. */
	vol_stepd_exit(NULL);
	return vol_error_prefix(err, "the step does not start");
}

int vol_stepd_mark(spank_t spank, struct vol_error *err)
{
	if (!self.device[0])
		return 0;
	if (vol_wall_stands() && vol_spank_leave_session(spank, err) == -1)
		return -1;
	spank_unsetenv(spank, VOL_SPANK_ENV_RESTORED);
	if (spank_setenv(spank, VOL_SPANK_ENV_MARK, "1", 1) != ESPANK_SUCCESS ||
	    spank_setenv(spank, VOL_SPANK_ENV_NODE, self.device, 1) !=
		    ESPANK_SUCCESS)
		return vol_errorf_errno(err, EINVAL,
					"cannot set the job's environment");
	return 0;
}

/* slurmstepd forks one by one, and only then moves them, in the same order. */
int vol_stepd_task_forked(spank_t spank, struct vol_error *err)
{
	int task = -1;

	/* The process of an extern step is no task. */
	if (!self.path[0] || !self.step.tasks ||
	    spank_get_item(spank, S_TASK_ID, &task) != ESPANK_SUCCESS ||
	    task < 0 || (uint32_t)task != self.step.tasks - 1)
		return 0;
	self.step.born = true;
	return publish(err);
}

/* S_SLURM_RESTART_COUNT is 0 in slurmstepd up to 26.05: it keeps the count in
 * the task's environment only.  The user may have set it, for the first run:
 * then there is no image of it. */
static uint32_t restarts(spank_t spank)
{
	char text[16];
	uint64_t n = 0;

	if (spank_getenv(spank, "SLURM_RESTART_COUNT", text, sizeof(text)) ==
	    ESPANK_SUCCESS)
		vol_text_number(text, strlen(text), 0, UINT32_MAX, &n);
	return (uint32_t)n;
}

static void collect(spank_t spank, struct vol_spank_info *info)
{
	uint16_t cpus = 0;
	char *cores = NULL;

	/* What Slurm does not tell stays zero and is left out of the line. */
	spank_get_item(spank, S_JOB_ID, &info->job);
	spank_get_item(spank, S_JOB_STEPID, &info->step);
	spank_get_item(spank, S_JOB_ARRAY_ID, &info->array_job);
	spank_get_item(spank, S_JOB_ARRAY_TASK_ID, &info->array_task);
	spank_get_item(spank, S_STEP_ALLOC_MEM, &info->memory_mb);
	spank_get_item(spank, S_STEP_ALLOC_CORES, &cores);
	spank_get_item(spank, S_JOB_NCPUS, &cpus);
	info->restarts = restarts(spank);
	info->cpus = cpus;
	info->cores = cores;
	info->device = self.device;
	info->cgroup = self.step.cgroup;
}

/* Only the task is told of the restarts; its step is born already. */
static int tell_saved(uint32_t count, struct vol_error *err)
{
	const struct vol_ckoption *how = &vol_spank_options()->checkpoint;
	struct vol_spank_ids ids;
	int rc;

	self.step.born = self.step.save = true;
	self.step.every_s = how->mode == VOL_CKMODE_AUTO ? VOL_STEP_EVERY_AUTO
							 : how->every_s;
	self.step.restarts = count;
	self.step.signal = how->app ? vol_spank_options()->signal : 0;
	if (vol_spank_become_root(&ids, err) == -1)
		return -1;
	rc = publish(err);
	return vol_spank_step_back(&ids, err) == 0 ? rc : -1;
}

static void enter(spank_t spank, int task)
{
	uint32_t count = restarts(spank);
	struct vol_error err;

	/* It runs all the same. */
	if (self.saved && tell_saved(count, &err) == -1)
		vol_err("the job can not be saved: %s", err.text);
	vol_wall_enter(spank, task, count);
}

/* The task's own stderr, not Slurm's log: srun's --error and sbatch's file
 * both show it.  One line a node, from the first task there. */
int vol_stepd_task_init(spank_t spank, struct vol_error *err)
{
	struct vol_spank_info info = {0};
	char line[VOL_CGROUP_SIZE + 512];
	size_t len;
	int task = -1;

	if (spank_get_item(spank, S_TASK_ID, &task) != ESPANK_SUCCESS)
		task = -1;
	enter(spank, task);
	if (!vol_spank_options()->info && !(self.args.info && self.device[0]))
		return 0;
	if (task)
		return 0;
	collect(spank, &info);
	len = vol_spank_info_format(&info, line, sizeof(line));
	if (write(STDERR_FILENO, line, len) == -1)
		return vol_errorf(err, "--volunteer-info: %s", strerror(errno));
	return 0;
}

int vol_stepd_task_exited(struct vol_error *err)
{
	char path[PATH_MAX];

	if (!self.path[0] || ++self.exited != self.step.tasks)
		return 0;
	if (vol_spank_path(path, sizeof(path), err, VOL_SPANK_CGROUPS "%s/user",
			   self.step.cgroup))
		return -1;
	vol_wall_end(path);
	return 0;
}

int vol_stepd_exit(struct vol_error *err)
{
	cleanup_free char *text = NULL;
	struct vol_step now;
	size_t len;

	/* Children of slurmstepd hold a copy of us; the file is not theirs. */
	if (!self.path[0] || self.step.stepd != getpid())
		return 0;
	vol_wall_destroy();
	/* A requeued job may have come back under the same number. */
	text = vol_file_read(self.path, VOL_STEPFILE_MAX, &len, err);
	if (!text)
		return errno == ENOENT ? 0 : -1;
	if (vol_step_parse(self.path, text, len, &now, err) == 0 &&
	    now.stepd != self.step.stepd)
		return 0;
	if (unlink(self.path) == -1 && errno != ENOENT)
		return vol_errorf(err, "%s: cannot remove: %s", self.path,
				  strerror(errno));
	self.path[0] = '\0';
	return 0;
}
