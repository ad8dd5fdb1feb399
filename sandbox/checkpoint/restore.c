/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restore.c - a saved job, in place of a fresh one
 *
 *	slurmstepd
 *	 └ the process that called, slurm-volunteer-supervise to be
 *	    ├ criu	in the cgroup namespace that pid 1 is going to have, in
 *	    │		mounts of its own (stage.c), in the job's network or one
 *	    │		with nothing in it; calls hook.c when all is there and
 *	    │		nothing has run yet; ends
 *	    └ pid 1	as it was
 *
 * Of the walls, CRIU puts back what is in the images: user, pid, ipc and uts
 * namespace, ids, capabilities, no_new_privs, the seccomp filter, limits; and
 * it makes an empty network namespace below the user namespace, which hook.c
 * gives its loopback.  The machine's own are the mounts, a network that is more
 * than that and the cgroup; Landlock's domain of slurmd is inherited, as by any
 * task.  hook.c looks at the outcome.
 */
#include "config.h"

#include "../attempt.h"
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "stepwaits.h"
#include "tree.h"

#define SECONDS 120

/* The first process that pid 1 made. */
#define TASK_INSIDE 2

#define EXIT_OWN 126 /* not CRIU's: there is a report */

struct restoring {
	struct vol_attempt attempt;
	struct vol_record *record;
	const char *dir, *criu, *waits;
	unsigned int seconds;
	bool remove; /* dir, afterwards */
};

/* --- in CRIU's process to be ---------------------------------------------- */

/* slurmstepd's are lower than what a task has: limits.c. */
static int raise_limits(struct vol_error *err)
{
	static const int kinds[] = {RLIMIT_NPROC, RLIMIT_NOFILE};
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (getrlimit(kinds[i], &limit) != 0)
			return vol_errorf(err, "limits: %s", strerror(errno));
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(kinds[i], &limit) != 0)
			return vol_errorf(err, "limits: %s", strerror(errno));
	}
	return 0;
}

/* What pid 1 and all others inherit, but for a network of their own. */
static int enter_namespaces(const struct vol_attempt *a, struct vol_error *err)
{
	if (unshare(CLONE_NEWCGROUP) != 0)
		return vol_errorf(err, "new cgroup namespace: %s",
				  strerror(errno));
	if (a->net.ns >= 0) {
		if (setns(a->net.ns, CLONE_NEWNET) != 0)
			return vol_errorf(err, "network: %s", strerror(errno));
	} else {
		/* The job's is another one; should images say that it is
		 * CRIU's, there is nothing in it but a loopback, on which CRIU
		 * asks the kernel what it can. */
		if (unshare(CLONE_NEWNET) != 0)
			return vol_errorf(err, "new network namespace: %s",
					  strerror(errno));
		if (vol_raise_loopback(err) != 0)
			return -1;
	}
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 &&
	    errno != ENOSYS)
		return vol_errorf(err, "session keyring: %s", strerror(errno));
	return 0;
}

/* For CRIU that is an error, which comes when all else is done. */
static bool can_punch(const char *dir)
{
	cleanup_fd int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd >= 0 &&
	       fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			 4096) == 0;
}

static void add_args(const struct restoring *r, struct vol_args *args)
{
	static const char *const fixed[] = {"--root",
					    VOL_STAGE_ROOT,
					    "--restore-detached",
					    "--restore-sibling",
					    "--action-script",
					    VOL_STAGE_HOOK};

	vol_args_add(args, "criu");
	vol_args_add(args, "restore");
	vol_args_common(args, r->dir, VOL_RECORD_IMAGES, VOL_RESTORE_LOG);
	vol_args_network(args, r->record->network);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		vol_args_add(args, "%s", fixed[i]);
	/* Of what is memory again nothing stays in the files: else the job
	 * would be there twice, and be written to the disk for nothing. */
	if (r->remove && can_punch(r->dir))
		vol_args_add(args, "--auto-dedup");
	vol_args_add(args, "--pidfile");
	vol_args_add(args, "%s/pid", r->dir);
	for (size_t i = 0; i < r->record->mounts; i++) {
		vol_args_add(args, "--external");
		vol_args_add(args, "mnt[m%zu]:" VOL_STAGE_PART, i, i);
	}
}

static int prepare_criu(const struct restoring *r, pid_t parent,
			struct vol_error *err)
{
	const struct vol_sandbox *s = r->attempt.entry.sandbox;
	int null;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		return vol_errorf_errno(err, EPIPE, "nobody waits outside");
	umask(022);
	if (enter_namespaces(&r->attempt, err) != 0 ||
	    vol_stage_parts(s, r->record, err) != 0 || raise_limits(err) != 0)
		return -1;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3; i++)
		if (null < 0 || dup2(null, i) < 0)
			return vol_errorf(err, "/dev/null: %s",
					  strerror(errno));
	if (chdir("/") != 0 || prctl(PR_SET_SECUREBITS, 0) != 0 ||
	    close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
		return vol_errorf(err, "%s", strerror(errno));
	return 0;
}

static void __attribute__((noreturn))
become_criu(const struct restoring *r, pid_t parent)
{
	const struct vol_sandbox *s = r->attempt.entry.sandbox;
	struct vol_args args = {.n = 0};
	struct vol_error err = {""};
	char hook[PATH_MAX + 128], waits[PATH_MAX + 32];
	sigset_t none;

	snprintf(hook, sizeof(hook), VOL_ENV_HOOK "=%u %u %s",
		 vol_ids_outside(s, s->job.uid), vol_ids_outside(s, s->job.gid),
		 r->dir);
	snprintf(waits, sizeof(waits), VOL_ENV_WAITS "=%s",
		 r->waits ? r->waits : "");
	add_args(r, &args);
	if (args.failed)
		vol_errorf_errno(&err, ENOMEM, "%s", strerror(ENOMEM));
	else if (prepare_criu(r, parent, &err) == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		vol_criu_exec(r->criu, &args, hook, r->waits ? waits : NULL);
		vol_errorf(&err, "%s: %s", r->criu, strerror(errno));
	}
	vol_report_failed(r->attempt.report[1], &err);
	_exit(EXIT_OWN);
}

/* --- in the process that called ------------------------------------------- */

static int tell_failure(const struct restoring *r, const char *log,
			int status_errnum, const struct vol_error *how,
			struct vol_error *err)
{
	/* Its own words. */
	if (vol_report_wait(r->attempt.report[0], NULL, err) != 0 &&
	    errno != VOL_JOBS_FAULT)
		return -1;
	if (status_errnum == ETIMEDOUT || access(log, R_OK) != 0)
		return vol_errorf_errno(err, EIO, "%s", how->text);
	vol_criu_reason(log, err);
	errno = EIO;
	return -1;
}

static int run_criu(struct restoring *r, struct vol_error *err)
{
	struct vol_attempt *a = &r->attempt;
	struct vol_error how = {""};
	pid_t parent = getpid(), pid;
	char log[PATH_MAX];
	int rc;

	snprintf(log, sizeof(log), "%s/" VOL_RESTORE_LOG, r->dir);
	if (vol_report_open(a->report, err) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		become_criu(r, parent);
	close(a->report[1]);
	a->report[1] = -1;
	if (pid < 0)
		return vol_errorf(err, "fork: %s", strerror(errno));
	rc = vol_criu_wait_restored(pid, r->seconds, &how);
	if (rc != 0)
		rc = tell_failure(r, log, errno, &how, err);
	else
		rc = vol_criu_veto(log, err);
	close(a->report[0]);
	a->report[0] = -1;
	return rc;
}

static int read_pid(const char *dir)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/pid", dir);
	text = vol_file_read(path, 32, NULL, NULL);
	unlink(path);
	return text ? atoi(text) : 0;
}

static int number_inside(pid_t pid)
{
	cleanup_free char *text = NULL;
	char path[64], *line;
	int inside = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	text = vol_file_read(path, 16384, NULL, NULL);
	line = text ? strstr(text, "\nNSpid:") : NULL;
	if (line) {
		line[1 + strcspn(line + 1, "\n")] = '\0';
		line = strrchr(line, '\t');
		inside = line ? atoi(line + 1) : 0;
	}
	return inside;
}

/* One that has ended since: its pid 1 tells how. */
static int open_task(const struct vol_attempt *a)
{
	cleanup_free char *text = NULL;
	char path[64], *at;
	int n, pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)a->child,
		 (int)a->child);
	text = vol_file_read(path, 1 << 20, NULL, NULL);
	for (at = text; at && sscanf(at, "%d%n", &pid, &n) == 1; at += n)
		if (number_inside(pid) == TASK_INSIDE)
			return pidfd_open(pid, 0);
	return fcntl(a->pid1, F_DUPFD_CLOEXEC, 3);
}

static int take_over(struct restoring *r, struct vol_error *err)
{
	struct vol_attempt *a = &r->attempt;
	const struct vol_sandbox *s = a->entry.sandbox;

	a->child = read_pid(r->dir);
	/* Not reaped yet: the number is its own. */
	a->pid1 = a->child > 0 ? pidfd_open(a->child, 0) : -1;
	if (a->pid1 < 0)
		return vol_errorf_errno(err, ECHILD,
					"criu does not say what pid 1 is");
	a->task = open_task(a);
	if (a->task < 0)
		return vol_errorf(err, "task: %s", strerror(errno));
	r->record->base = s->ids ? s->base : 0;
	r->record->pid1 = a->child;
	r->record->start = vol_process_start(a->child);
	r->record->mounts = r->record->entries = 0;
	r->record->moment_ns = 0;
	r->record->goes_on = false;
	r->record->unlisted[0] = '\0';
	snprintf(r->record->asked, sizeof(r->record->asked), "%s",
		 s->job.checkpoint);
	a->record = vol_record_keep(r->record, err);
	return a->record < 0 ? -1 : vol_net_tie(&a->net, a->pid1, err);
}

int vol_record_check_job(const struct vol_record *r,
			 const struct vol_sandbox *s, struct vol_error *err)
{
	if (s->job.tasks != 1 || !s->job.batch || !r->batch)
		return vol_errorf_errno(err, EINVAL,
					"only a batch script is restored");
	if (r->job != s->job.job || r->uid != s->job.uid ||
	    r->gid != s->job.gid)
		return vol_errorf_errno(err, EINVAL,
					"the image is of job %u of user %u, "
					"this is job %u of user %u",
					r->job, r->uid, s->job.job, s->job.uid);
	return 0;
}

static int check_record(const struct vol_sandbox *s, const struct vol_record *r,
			struct vol_error *err)
{
	if (vol_record_check_job(r, s, err) != 0)
		return -1;
	/* The image must not say what is the user's to say. */
	if (r->files != s->job.files)
		return vol_errorf_errno(err, EINVAL,
					"the image is of a job whose files are "
					"%s, here they are %s",
					vol_rollback_mode_name(r->files),
					vol_rollback_mode_name(s->job.files));
	if (r->network != s->job.network)
		return vol_errorf_errno(err, EINVAL,
					"the image is of a job with network "
					"%s, here it has %s",
					vol_network_name(r->network),
					vol_network_name(s->job.network));
	if ((r->base != 0) != s->ids)
		return vol_errorf_errno(err, EINVAL,
					"the image is of a job %s ids of its "
					"own",
					r->base ? "with" : "without");
	return 0;
}

static int read_record(struct restoring *r, struct vol_error *err)
{
	r->record = calloc(1, sizeof(*r->record));
	if (!r->record)
		return vol_errorf(err, "record: %s", strerror(errno));
	if (vol_record_read(r->dir, VOL_RECORD_FILE, r->record, err) != 0)
		return -1;
	return check_record(r->attempt.entry.sandbox, r->record, err);
}

/* None is changed before all were looked at. */
static int settle_files(const struct restoring *r, struct vol_sandbox *s,
			bool roll_back, struct vol_error *err)
{
	struct vol_files f = {
		.sandbox = s, .record = r->record, .dir = r->dir, .root = -1};
	int rc;

	if (vol_stage_outputs(s, r->record, roll_back, false, err) != 0)
		return -1;
	if (!roll_back)
		return 0;
	rc = vol_files_judge(&f, err);
	/* An image that is not put back after all has changed files, and the
	 * next one may be another. */
	if (rc == 0 && r->waits)
		rc = vol_step_waits_end(r->waits, err);
	if (rc == 0)
		rc = vol_stage_outputs(s, r->record, true, true, err);
	if (rc == 0)
		rc = vol_files_apply(&f, err);
	vol_files_free(&f);
	return rc;
}

static int restore(struct restoring *r, struct vol_sandbox *s,
		   const struct vol_restore *how, struct vol_error *err)
{
	struct vol_attempt *a = &r->attempt;

	if (s->checkpoint_fd < 0)
		return vol_errorf_errno(err, ENOENT,
					"slurm-volunteer-checkpoint: %s",
					strerror(ENOENT));
	if (read_record(r, err) != 0 || vol_attempt_watch(a, err) != 0 ||
	    vol_limits_cgroup(s, err) != 0 ||
	    vol_images_adopt(s, r->dir, err) != 0 ||
	    vol_stage_begin(err) != 0 || vol_steps_listen(s, err) != 0 ||
	    vol_stage_build(s, r->record, err) != 0 ||
	    settle_files(r, s, how->roll_back || r->record->goes_on, err) != 0)
		return -1;
	if (how->note)
		(void)!write(STDERR_FILENO, how->note, strlen(how->note));
	if (vol_net_start(s, &a->net, err) != 0)
		return -1;
	if (run_criu(r, err) != 0 || take_over(r, err) != 0) {
		/* CRIU makes pid 1 our child, and may be killed before it has
		 * said so. */
		vol_criu_end_children(a->net.pid);
		a->child = 0;
		return -1;
	}
	vol_net_close(&a->net);
	vol_stage_remove(s);
	if (r->remove)
		vol_tree_remove(r->dir, NULL);
	return vol_steps_start(s, err);
}

int vol_sandbox_restore(struct vol_sandbox *s, const struct vol_restore *how,
			struct vol_error *err)
{
	struct restoring r = {.attempt = VOL_ATTEMPT_NONE,
			      .dir = how->dir,
			      .criu = how->criu ? how->criu
						: VOL_CHECKPOINT_CRIU,
			      .seconds = how->seconds ? how->seconds : SECONDS,
			      .waits = how->waits,
			      .remove = how->remove};
	struct vol_error reason = {""};
	size_t places = s->places;
	int rc;

	r.attempt.entry.sandbox = s;
	rc = vol_attempt_root(&r.attempt.caller, &reason);
	if (rc == 0)
		rc = restore(&r, s, how, &reason);
	if (rc == 0)
		vol_attempt_supervise(&r.attempt, &reason);
	vol_attempt_end(&r.attempt);
	vol_stage_remove(s);
	vol_steps_unlisten(s, places);
	if (r.attempt.stepd >= 0)
		close(r.attempt.stepd);
	free(r.record);
	vol_attempt_caller(&r.attempt.caller);
	return vol_errorf(err, "%s", reason.text);
}
