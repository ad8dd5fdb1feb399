/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wall.c - the sandbox around a step on a device, in SPANK's hooks
 *
 * Which hook does what, and why there, is in plugin.h.  A wall that can not be
 * built stops the step: before its tasks exist by the -1 of init_post_opt,
 * later by the status with which slurmctld starts a batch job again elsewhere.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "plugin.h"
#include "stepfile.h"
#include "text.h"
#include "wallsfail.h"
#include "wallsfile.h"

#include "sandbox/checkpoint.h"

static struct {
	struct vol_sandbox *sandbox; /* NULL: the step runs bare */
	struct vol_walls *walls;     /* with sandbox */
	struct vol_wall_step step;
	struct vol_error unkept; /* why vol_wall_keep failed, "" */
	int network;             /* that the step gets */
	bool array;              /* others begin in its folder */
	bool refused;            /* the step runs nothing */
} wall;

/* Linux's and everybody's nobody. */
#define NOBODY 65534

/* slurm.h's NO_VAL. */
#define NO_ARRAY_TASK 0xfffffffe

/* --- what the device says ------------------------------------------------ */

static int read_walls(const char *run_dir, struct vol_walls *walls,
		      struct vol_error *err)
{
	char path[PATH_MAX];

	if (vol_spank_path(path, sizeof(path), err, "%s/" VOL_WALLS_NAME,
			   run_dir))
		return -1;
	return vol_wallsfile_read_trusted(path, walls, err);
}

/* For discoveryd, which closes the device. */
static void tell_device(const struct vol_error *reason)
{
	char path[PATH_MAX];
	struct vol_error err;

	if (vol_spank_path(path, sizeof(path), &err, "%s/" VOL_WALLSFAIL_NAME,
			   wall.step.run_dir) ||
	    vol_wallsfile_tell(path, wall.step.job, reason->text, &err))
		vol_err("%s", err.text);
}

/* --- before anything of the step runs ------------------------------------ */

static bool is_name(const char *text)
{
	/* A folder of that name has to be made, too. */
	if (!*text || *text == '-' || *text == '.')
		return false;
	for (; *text; text++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			    *text))
			return false;
	return true;
}

/* Only what the job itself says.  This machine's passwd may have somebody else
 * under the number: the owner. */
static void find_user(spank_t spank, struct vol_sandbox_job *job)
{
	static const char *const names[] = {"SLURM_JOB_USER", "USER",
					    "LOGNAME"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (spank_getenv(spank, names[i], job->user,
				 sizeof(job->user)) == ESPANK_SUCCESS &&
		    is_name(job->user))
			return;
	snprintf(job->user, sizeof(job->user), "u%u", (unsigned)job->uid);
}

/* As getent(1) says it where the job was submitted, or so the job says: it
 * writes its own passwd, and nobody else's. */
static void find_home(spank_t spank, struct vol_sandbox_job *job)
{
	if (spank_getenv(spank, "HOME", job->home, sizeof(job->home)) !=
	    ESPANK_SUCCESS)
		job->home[0] = '\0';
	if (spank_getenv(spank, "SHELL", job->shell, sizeof(job->shell)) !=
	    ESPANK_SUCCESS)
		job->shell[0] = '\0';
}

/* Tasks of an array begin in one folder, which is then none of them's own. */
static int whose_files(void)
{
	int files = vol_spank_options()->files;

	return wall.array && files == VOL_ROLLBACK_OWN ? VOL_ROLLBACK_SHARED
						       : files;
}

static bool is_of_array(spank_t spank)
{
	uint32_t job = 0, task = NO_ARRAY_TASK;

	spank_get_item(spank, S_JOB_ARRAY_ID, &job);
	spank_get_item(spank, S_JOB_ARRAY_TASK_ID, &task);
	return job != 0 && task != NO_ARRAY_TASK;
}

static int describe(spank_t spank, const struct vol_wall_step *step,
		    struct vol_sandbox_job *job, struct vol_error *err)
{
	char **argv = NULL;
	int argc = 0;
	gid_t gid;

	if (spank_get_item(spank, S_JOB_GID, &gid) != ESPANK_SUCCESS)
		return vol_errorf_errno(err, EINVAL,
					"Slurm does not tell the job's group");
	/* Inside there is no root.  That is no fault of the device's: the task
	 * is told, and until then all is as for anybody. */
	wall.array = is_of_array(spank);
	wall.refused = step->uid == 0 || gid == 0;
	*job = (struct vol_sandbox_job){
		.job = step->job,
		.step = step->step,
		.uid = wall.refused ? NOBODY : step->uid,
		.gid = wall.refused ? NOBODY : gid,
		.tasks = step->tasks,
		.batch = step->step == VOL_STEP_BATCH,
		.network = wall.network,
		.files = whose_files(),
	};
	if (step->checkpoint.mode != VOL_CKMODE_OFF)
		vol_ckoption_format(&step->checkpoint, job->checkpoint);
	/* slurmstepd has written the script already. */
	if (job->batch) {
		if (spank_get_item(spank, S_JOB_ARGV, &argc, &argv) !=
			    ESPANK_SUCCESS ||
		    argc < 1)
			return vol_errorf_errno(
				err, EINVAL,
				"Slurm does not tell the job's script");
		job->script = argv[0];
	}
	find_user(spank, job);
	find_home(spank, job);
	/* $(hostname) is in people's file names. */
	snprintf(job->host, sizeof(job->host), "%s", step->device);
	return 0;
}

static int build(spank_t spank, struct vol_error *err)
{
	struct vol_walls *walls = wall.walls = malloc(sizeof(*walls));
	int wanted = vol_spank_options()->network;
	struct vol_sandbox_job job;
	char dir[PATH_MAX];

	if (!walls)
		return vol_errorf(err, "no memory");
	if (read_walls(wall.step.run_dir, walls, err) == -1)
		return -1;
	if (!walls->up) {
		vol_wall_destroy();
		return 0;
	}
	wall.network = wanted < walls->network ? wanted : walls->network;
	if (describe(spank, &wall.step, &job, err) ||
	    vol_spank_path(dir, sizeof(dir), err, "%s/sandbox",
			   wall.step.run_dir))
		return -1;
	wall.sandbox = vol_sandbox_create(walls, &job, dir, err);
	if (!wall.sandbox)
		return -1;
	return vol_sandbox_hide(wall.sandbox, err);
}

int vol_wall_build(spank_t spank, const struct vol_wall_step *step,
		   struct vol_error *err)
{
	memset(&wall, 0, sizeof(wall));
	wall.step = *step;
	/* slurmstepd holds the place with a sleep of its own. */
	if (step->step == VOL_SPANK_EXTERN_STEP || build(spank, err) == 0)
		return 0;
	vol_wall_destroy();
	tell_device(err);
	return vol_error_prefix(err, "the sandbox on %s could not be built",
				step->device);
}

/* --- in the process of a task -------------------------------------------- */

void vol_wall_keep(void)
{
	if (wall.sandbox && vol_sandbox_keep(&wall.unkept) == -1 &&
	    !wall.unkept.text[0])
		vol_errorf(&wall.unkept, "capabilities are not kept");
}

static void say_args(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0)));

/* On the task's own stderr: srun shows it, sbatch's file holds it. */
static void say_args(const char *fmt, va_list ap)
{
	char line[PATH_MAX + 256];
	int len = vsnprintf(line, sizeof(line), fmt, ap);

	if (len >= (int)sizeof(line))
		len = (int)sizeof(line) - 1;
	/* Nobody is left to hear that this failed. */
	if (write(STDERR_FILENO, line, (size_t)len) == -1)
		return;
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_args(fmt, ap);
	va_end(ap);
}

/* Only a file that a job could have opened itself is written into: slurmstepd
 * opened it outside of all walls. */
bool vol_wall_is_heard(void)
{
	char link[48], path[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fstat(STDERR_FILENO, &st) == -1 || !S_ISREG(st.st_mode))
		return true;
	/* slurmstepd can not follow /proc/self on all kernels: view_proc.c. */
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)getpid(),
		 STDERR_FILENO);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	return vol_walls_hold(&wall.walls->work, path);
}

void vol_wall_say(const char *fmt, ...)
{
	va_list ap;

	if (!vol_wall_is_heard())
		return;
	va_start(ap, fmt);
	say_args(fmt, ap);
	va_end(ap);
}

/* With the capabilities that were kept. */
static bool is_root(void)
{
	return setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0;
}

static void refuse(const struct vol_error *err) __attribute__((noreturn));

/* Nothing is wrong with this machine, and no other one would do better. */
static void refuse(const struct vol_error *err)
{
	is_root();
	vol_wall_say("volunteer: the job does not start on %s: %s\n",
		     wall.step.device, err->text);
	_exit(EXIT_FAILURE);
}

static void give_up(const struct vol_error *err, bool broken)
	__attribute__((noreturn));

static void give_up(const struct vol_error *err, bool broken)
{
	/* A file of the job's user would be believed by nobody. */
	bool root = is_root();

	vol_wall_say("volunteer: the sandbox on %s could not be built: %s; the "
		     "job goes to another machine\n",
		     wall.step.device, err->text);
	if (root && broken)
		tell_device(err);
	_exit(VOL_EXIT_REQUEUE);
}

static void tell_policy(const char *cwd, const char *where)
{
	int wanted = vol_spank_options()->network;

	if (wanted > wall.network)
		say("volunteer: %s gives a job network=%s, not %s: the "
		    "device's policy wins\n",
		    wall.step.device, vol_network_name(wall.network),
		    vol_network_name(wanted));
	if (whose_files() != vol_spank_options()->files)
		say("volunteer: --volunteer-files=own is not for a task of an "
		    "array, which shares the folder that it starts in\n");
	if (where[0])
		return;
	/* Slurm goes to /tmp, too, if it does not find the folder. */
	if (!strcmp(cwd, "/tmp"))
		cwd = "the working folder";
	say("volunteer: %s is not on this machine; the job runs in /tmp, which "
	    "%s\n",
	    cwd,
	    wall.step.checkpoint.app ? "goes along with it"
				     : "is removed when it ends");
}

/* mpi/pmi2 gives each task a socket, and has just set this; the environment of
 * a step without it says what its user wrote, which is none of slurmstepd's. */
static void pass_pmi(spank_t spank)
{
	struct vol_error err;
	char text[16];
	uint64_t fd;

	if (spank_getenv(spank, "PMI_FD", text, sizeof(text)) ==
		    ESPANK_SUCCESS &&
	    vol_text_number(text, strlen(text), 0, INT_MAX, &fd) == 0)
		vol_sandbox_pass(wall.sandbox, (int)fd, &err);
}

/* Was the job saved on another device, or in an earlier run here?  The number
 * of the image whose files it finds. */
static uint64_t resume(spank_t spank, uint32_t restarts)
{
	struct vol_resume r = {
		.sandbox = wall.sandbox,
		.device = wall.step.device,
		.job = wall.step.job,
		.restarts = restarts,
		.uid = wall.step.uid,
		.app = wall.step.checkpoint.app,
	};

	if (wall.step.checkpoint.mode != VOL_CKMODE_OFF && restarts > 0 &&
	    spank_get_item(spank, S_JOB_GID, &r.gid) == ESPANK_SUCCESS)
		return vol_resume(&r);
	return 0;
}

static int begin_to_run(struct vol_error *err)
{
	struct vol_spank_ids ids;

	if (wall.step.checkpoint.mode == VOL_CKMODE_OFF)
		return 0;
	if (vol_spank_become_root(&ids, err) == -1)
		return -1;
	vol_waits_end();
	return vol_spank_step_back(&ids, err);
}

/* A program that saves itself learns that it has been here before. */
static void tell_brought(spank_t spank, uint64_t image)
{
	const char *why = vol_sandbox_unbrought(wall.sandbox);
	char number[24];

	if (why) {
		say("volunteer: image %" PRIu64 " can not be put back on %s: "
		    "%s; the job starts from the beginning\n",
		    image, wall.step.device, why);
		return;
	}
	snprintf(number, sizeof(number), "%" PRIu64, image);
	spank_setenv(spank, VOL_SPANK_ENV_RESTORED, number, 1);
}

void vol_wall_enter(spank_t spank, int task, uint32_t restarts)
{
	char cwd[PATH_MAX] = "/tmp", where[PATH_MAX] = "";
	struct vol_error err = {""};
	uint64_t image;

	if (!wall.sandbox)
		return;
	if (wall.refused) {
		say("volunteer: %s runs no jobs of root, nor of its group\n",
		    wall.step.device);
		_exit(EXIT_FAILURE);
	}
	if (wall.unkept.text[0])
		give_up(&wall.unkept, true);
	if (task < 0) {
		vol_errorf(&err, "Slurm does not tell which task it is");
		give_up(&err, true);
	}
	/* A folder that is gone is none of ours, whatever its name was. */
	if (!getcwd(cwd, sizeof(cwd)))
		snprintf(cwd, sizeof(cwd), "/tmp");
	pass_pmi(spank);
	image = resume(spank, restarts);
	if (begin_to_run(&err) == -1)
		give_up(&err, true);
	if (vol_sandbox_enter(wall.sandbox, (uint32_t)task, where,
			      sizeof(where), &err) == -1) {
		if (errno == EACCES)
			refuse(&err);
		/* A machine that is not connected now will be again, by
		 * itself: its probe does not mind either. */
		give_up(&err, errno != ENETUNREACH);
	}
	/* slurmstepd has just set it.  Inside there is no such file, and
	 * Slurm's commands would look for it for a minute before they give up.
	 */
	spank_unsetenv(spank, "SLURM_CONF");
	if (image)
		tell_brought(spank, image);
	if (task == 0)
		tell_policy(cwd, where);
}

bool vol_wall_stands(void)
{
	return wall.sandbox;
}

/* --- in slurmstepd, after all tasks ----------------------------------------
 */

void vol_wall_end(const char *cgroup)
{
	if (wall.sandbox)
		vol_sandbox_end(wall.sandbox, cgroup);
}

void vol_wall_destroy(void)
{
	if (wall.sandbox && wall.step.checkpoint.mode != VOL_CKMODE_OFF)
		vol_resume_tidy();
	vol_sandbox_destroy(wall.sandbox);
	wall.sandbox = NULL;
	free(wall.walls);
	wall.walls = NULL;
}
