/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump.c - save a running step, and leave it as it was
 *
 * CRIU does it in the job's cgroup namespace, so that this is none of the
 * images': each machine makes its own.  So it does with a network that is more
 * than a loopback.
 */
#include "config.h"

#include "program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

/* For a CRIU that is not wanted any more, seconds: killed while it has them do
 * something, processes die of it. */
#define CALM_S 10

/* CRIU's, of which we want nothing. */
#define STATS "stats-dump"
#define IRMAP "irmap-cache"

struct dump {
	const struct vol_dumping *how;
	const char *dir;
	bool before; /* while the job runs (pre.c) */
	bool rest;   /* what was written before that is left out */
	struct vol_record *record;
	int pid1; /* pidfd */
	pid_t supervisor;
	char cgroup[PATH_MAX];
	bool frozen;
	struct vol_pids pids; /* that stood still when CRIU came */
	bool hurt;            /* what CRIU has left goes on no more */
	struct vol_args args;
};

static int find(struct dump *d, const char *task, struct vol_error *err)
{
	d->pid1 = vol_find_batch(task, d->record, &d->supervisor, err);
	if (d->pid1 < 0)
		return -1;
	return vol_find_cgroup(d->record->pid1, d->cgroup, sizeof(d->cgroup),
			       &d->frozen, err);
}

static int take_mount(const struct vol_mount *m, void *arg,
		      struct vol_error *err)
{
	struct dump *d = arg;
	struct vol_record *r = d->record;

	if (vol_mount_is_own(m))
		return 0;
	if (vol_mount_is_cover(m)) {
		vol_args_add(&d->args, "--skip-mnt");
		vol_args_add(&d->args, "%s", m->point);
		return 0;
	}
	if (r->mounts == VOL_RECORD_MOUNTS_MAX || strpbrk(m->point, "]:\n"))
		return vol_errorf_errno(err, EPERM, "mount %.100s: %s",
					m->point,
					"too many, or one with such a name");
	for (size_t i = 0; i < r->mounts; i++)
		if (strcmp(r->mount[i], m->point) == 0)
			return vol_errorf_errno(
				err, EPERM, "two mounts at %.100s", m->point);
	vol_args_add(&d->args, "--external");
	vol_args_add(&d->args, "mnt[%s]:m%zu", m->point, r->mounts);
	strcpy(r->mount[r->mounts++], m->point);
	return 0;
}

static int write_record(const struct dump *d, struct vol_error *err)
{
	cleanup_free char *text = vol_record_format(d->record, err);
	char path[PATH_MAX];

	if (!text)
		return -1;
	snprintf(path, sizeof(path), "%s/" VOL_RECORD_UNSAFE, d->dir);
	return vol_file_replace(path, text, strlen(text), 0600, 0, err);
}

/* Root's alone: images hold the job's memory. */
int vol_dump_folder(const char *dir, const char *images, bool exists,
		    struct vol_error *err)
{
	char path[PATH_MAX];
	struct stat st;

	if (lstat(dir, &st) != 0)
		return vol_errorf(err, "%s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & 0077))
		return vol_errorf_errno(
			err, EPERM, "%s: is no folder of root's alone", dir);
	if (strncmp(dir, "/tmp/", 5) == 0 || dir[0] != '/')
		return vol_errorf_errno(err, EINVAL,
					"%s: must be a full path that is not "
					"below /tmp",
					dir);
	if (snprintf(path, sizeof(path), "%s/%s", dir, images) >=
	    (int)sizeof(path) - NAME_MAX)
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: %s", dir,
					strerror(ENAMETOOLONG));
	if (exists ? access(path, W_OK) != 0 : mkdir(path, 0700) != 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return 0;
}

static const char *images_of(const struct dump *d)
{
	return d->before ? VOL_RECORD_PRE : VOL_RECORD_IMAGES;
}

static const char *log_of(const struct dump *d)
{
	return d->before ? VOL_PRE_LOG : VOL_DUMP_LOG;
}

static int add_args(struct dump *d, struct vol_error *err)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return vol_errorf(err, "/proc/self/exe: %s", strerror(errno));
	self[n] = '\0';
	vol_args_add(&d->args, "criu");
	vol_args_add(&d->args, d->before ? "pre-dump" : "dump");
	vol_args_common(&d->args, d->dir, images_of(d), log_of(d));
	vol_args_network(&d->args, d->record->network);
	if (d->how->streams)
		vol_args_add(&d->args, "--stream");
	if (d->before || d->rest)
		vol_args_add(&d->args, "--track-mem");
	if (d->rest) {
		vol_args_add(&d->args, "--prev-images-dir");
		vol_args_add(&d->args, "../" VOL_RECORD_PRE);
	}
	vol_args_add(&d->args, "--leave-running");
	vol_args_add(&d->args, "--network-lock");
	vol_args_add(&d->args, "skip");
	vol_args_add(&d->args, "-t");
	vol_args_add(&d->args, "%d", (int)d->record->pid1);
	vol_args_add(&d->args, "--timeout");
	vol_args_add(&d->args, "%u", d->how->seconds);
	vol_args_add(&d->args, "--action-script");
	vol_args_add(&d->args, "%s", self);
	if (vol_mounts_each(d->record->pid1, take_mount, d, err) != 0)
		return -1;
	if (d->args.failed)
		return vol_errorf_errno(err, ENOMEM, "%s", strerror(ENOMEM));
	return 0;
}

static void __attribute__((noreturn)) become_criu(struct dump *d, pid_t parent)
{
	int net = d->record->network != VOL_NETWORK_NONE ? CLONE_NEWNET : 0;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char hook[PATH_MAX + 32];

	snprintf(hook, sizeof(hook), VOL_ENV_HOOK "=%s", d->dir);
	for (int i = 0; i < 3; i++)
		if (null < 0 || dup2(null, i) < 0)
			_exit(126);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    vol_stage_tmp() != 0 || setns(d->pid1, net | CLONE_NEWCGROUP) != 0)
		_exit(126);
	vol_criu_exec(d->how->criu, &d->args, hook, NULL);
	_exit(127);
}

static volatile sig_atomic_t criu_pid, stopped;

/* CRIU has thawed what it holds: whoever ends us must not leave it so.  It is
 * done soon, as a rule. */
static void on_stop(int number)
{
	if (number == SIGALRM && criu_pid > 0)
		kill(criu_pid, SIGKILL);
	else if (!stopped)
		alarm(CALM_S);
	stopped = 1;
}

static pid_t start_criu(struct dump *d)
{
	pid_t parent = getpid(), pid;

	signal(SIGALRM, on_stop);
	signal(SIGTERM, on_stop);
	pid = fork();
	if (pid == 0) {
		alarm(0);
		signal(SIGALRM, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		become_criu(d, parent);
	}
	criu_pid = pid;
	return pid;
}

/* hook.c's, for which CRIU has a status only. */
static bool read_reason(const struct dump *d, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	int saved = errno;

	snprintf(path, sizeof(path), "%s/" VOL_DUMP_REASON, d->dir);
	text = vol_file_read(path, 4096, NULL, NULL);
	errno = saved;
	if (!text)
		return false;
	unlink(path);
	vol_errorf_errno(err, EIO, "%s", text);
	return true;
}

static int failed(const struct dump *d, const struct vol_error *how, int errnum,
		  struct vol_error *err)
{
	char log[PATH_MAX];

	if (stopped)
		return vol_errorf_errno(err, ECANCELED, "told to stop");
	if (read_reason(d, err))
		return -1;
	snprintf(log, sizeof(log), "%s/%s", d->dir, log_of(d));
	if (errnum != ECHILD || access(log, R_OK) != 0)
		return vol_errorf_errno(err, EIO, "%s", how->text);
	return vol_criu_reason(log, err);
}

/* Of a CRIU that did not do what it was to do; killed: nor end by itself.  A
 * job that is hurt does not go on, but begins again from an image, or anew.
 * What has CRIU's memory when that ended by itself was let go, as a rule. */
static void look_after(struct dump *d, bool killed)
{
	bool hurt;

	/* Who runs may come to an end while we look. */
	if (killed && d->cgroup[0] && !d->before)
		(void)vol_hold(d->cgroup, NULL);
	hurt = vol_hurt_by_criu(d->record->pid1,
				killed && d->pids.n > 0 ? &d->pids : NULL);
	d->hurt = hurt && killed;
	if (d->hurt) {
		vol_record_seize(d->supervisor, VOL_HURT);
		(void)pidfd_send_signal(d->pid1, SIGKILL, NULL, 0);
	} else if (!hurt && !killed) {
		vol_record_seize(d->supervisor, VOL_NOT_SEIZED);
	}
}

/* Its end.  before: what the cgroup is to be is no matter of ours. */
static int wait_criu(struct dump *d, pid_t pid, unsigned int seconds,
		     struct vol_error *err)
{
	struct vol_error how;
	int rc = vol_criu_wait(pid, seconds, &how), errnum = errno;

	vol_criu_end_children(0);
	criu_pid = 0;
	alarm(0);
	if (rc == 0)
		vol_record_seize(d->supervisor, VOL_NOT_SEIZED);
	else
		look_after(d, errnum != ECHILD);
	/* One that was killed leaves it as it is. */
	if (d->cgroup[0] && !d->before &&
	    vol_cgroup_freeze(d->cgroup, d->frozen, err) != 0 && !d->hurt)
		return -1;
	if (rc == 0 && !stopped)
		return 0;
	failed(d, &how, errnum, err);
	return d->hurt ? vol_error_prefix(err, "the job was hurt by CRIU, and "
					       "begins again")
		       : -1;
}

static int run(struct dump *d, struct vol_error *err)
{
	pid_t pid;

	/* CRIU stops children of its own, to see what the kernel can do; killed
	 * meanwhile it leaves them so. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (d->cgroup[0] &&
	    ((d->frozen && vol_hold_note(d->dir, d->cgroup, err) != 0) ||
	     vol_hold(d->cgroup, err) != 0 ||
	     vol_pids_find(d->record->pid1, &d->pids, err) != 0)) {
		vol_cgroup_freeze(d->cgroup, d->frozen, NULL);
		return -1;
	}
	vol_record_seize(d->supervisor, VOL_SEIZED);
	pid = start_criu(d);
	if (pid < 0)
		return vol_errorf(err, "fork: %s", strerror(errno));
	if (d->cgroup[0] &&
	    vol_hold_until_traced(d->cgroup, d->record->pid1, pid,
				  d->how->seconds, err) != 0)
		kill(pid, SIGKILL);
	return wait_criu(d, pid, d->how->seconds, err);
}

/* The same of a job that stands still only where CRIU has it do so. */
static int run_before(struct dump *d, struct vol_error *err)
{
	unsigned int left;
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* Those that come to their end by themselves until it is done are not
	 * told from others; that counts only if CRIU is killed. */
	if (vol_pids_find(d->record->pid1, &d->pids, err) != 0)
		return -1;
	vol_record_seize(d->supervisor, VOL_SEIZED);
	pid = start_criu(d);
	if (pid < 0)
		return vol_errorf(err, "fork: %s", strerror(errno));
	left = vol_hold_mind(d->cgroup, d->record->pid1, pid, d->how->seconds);
	return wait_criu(d, pid, left, err);
}

static void remove_images(const struct dump *d, const char *prefix)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/" VOL_RECORD_IMAGES, d->dir);
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' &&
		    strncmp(e->d_name, prefix, strlen(prefix)) == 0)
			unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
	if (!prefix[0])
		rmdir(path);
}

static void remove_file(const struct dump *d, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", d->dir, name);
	unlink(path);
}

static int finish(struct dump *d, struct vol_error *err)
{
	char from[PATH_MAX], to[PATH_MAX];

	/* Whatever cgroup it is that the job comes to. */
	remove_images(d, "cgroup");
	remove_file(d, VOL_DUMP_LOG);
	remove_file(d, VOL_DUMP_FREEZE);
	remove_file(d, STATS);
	snprintf(from, sizeof(from), "%s/" VOL_RECORD_UNSAFE, d->dir);
	snprintf(to, sizeof(to), "%s/" VOL_RECORD_FILE, d->dir);
	if (d->how->goes_on) {
		/* The hook has added to it. */
		if (vol_record_read(d->dir, VOL_RECORD_UNSAFE, d->record,
				    err) != 0 ||
		    vol_take_sync(d->record, err) != 0)
			return -1;
	}
	if (d->rest && vol_merge(d->dir, err) != 0)
		return -1;
	if (rename(from, to) != 0)
		return vol_errorf(err, "%s: %s", to, strerror(errno));
	return 0;
}

static int dump_once(struct dump *d, struct vol_error *err)
{
	int saved;

	if (vol_dump_folder(d->dir, VOL_RECORD_IMAGES, d->how->streams, err) !=
	    0)
		return -1;
	if (add_args(d, err) == 0 && write_record(d, err) == 0 &&
	    run(d, err) == 0 && finish(d, err) == 0)
		return 0;
	saved = errno;
	/* Whoever takes what CRIU said is not done with it yet. */
	if (!d->how->streams)
		remove_images(d, "");
	remove_file(d, VOL_RECORD_UNSAFE);
	remove_file(d, VOL_DUMP_FREEZE);
	remove_file(d, STATS);
	errno = saved;
	return -1;
}

/* What CRIU takes for unchanged was not in what was written before: then all of
 * it is written. */
static bool lacks_what_was_before(const struct dump *d,
				  const struct vol_error *err)
{
	return d->rest && strstr(err->text, VOL_CRIU_NOT_BEFORE);
}

static int dump(struct dump *d, const char *task, struct vol_error *err)
{
	int rc;

	if (find(d, task, err) != 0)
		return -1;
	d->record->goes_on = d->how->goes_on;
	d->rest = vol_pre_is_there(d->dir);
	rc = dump_once(d, err);
	if (rc != 0 && !d->hurt && lacks_what_was_before(d, err)) {
		vol_args_free(&d->args);
		vol_pids_clear(&d->pids);
		d->record->mounts = 0;
		d->rest = false;
		rc = dump_once(d, err);
	}
	vol_pre_remove(d->dir);
	return rc;
}

static int dump_before(struct dump *d, const char *task, struct vol_error *err)
{
	int rc;

	if (find(d, task, err) != 0)
		return -1;
	d->before = true;
	/* One that stands still loses nothing by a dump. */
	if (d->frozen || !vol_pre_pays(d->cgroup, d->dir))
		return 0;
	if (vol_dump_folder(d->dir, VOL_RECORD_PRE, false, err) != 0)
		return -1;
	rc = add_args(d, err) == 0 ? run_before(d, err) : -1;
	remove_file(d, STATS);
	remove_file(d, IRMAP);
	if (rc == 0) {
		remove_file(d, VOL_PRE_LOG);
		vol_pre_forget_shared(d->dir);
	} else {
		vol_pre_remove(d->dir);
	}
	return rc;
}

static int with_dump(int (*f)(struct dump *d, const char *task,
			      struct vol_error *err),
		     const struct vol_dumping *how, const char *task,
		     const char *dir, struct vol_error *err)
{
	struct dump *d = calloc(1, sizeof(*d));
	int rc = -1, saved;

	if (!d)
		return vol_errorf(err, "%s", strerror(errno));
	d->how = how;
	d->dir = dir;
	d->pid1 = -1;
	d->record = calloc(1, sizeof(*d->record));
	if (!d->record)
		vol_errorf(err, "%s", strerror(errno));
	else
		rc = f(d, task, err);
	saved = errno;
	if (d->pid1 >= 0)
		close(d->pid1);
	vol_pids_clear(&d->pids);
	vol_args_free(&d->args);
	free(d->record);
	free(d);
	errno = saved;
	return rc;
}

int vol_dump(const struct vol_dumping *how, const char *task, const char *dir,
	     struct vol_error *err)
{
	return with_dump(dump, how, task, dir, err);
}

int vol_dump_before(const struct vol_dumping *how, const char *task,
		    const char *dir, struct vol_error *err)
{
	return with_dump(dump_before, how, task, dir, err);
}
