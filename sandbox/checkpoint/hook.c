/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook.c - what CRIU lets us do while nothing of the job runs */
#include "config.h"

#include "program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

static struct vol_record *read_record(const char *dir, const char *name,
				      struct vol_error *err)
{
	struct vol_record *r = calloc(1, sizeof(*r));

	if (r && vol_record_read(dir, name, r, err) == 0)
		return r;
	free(r);
	return NULL;
}

/* --- after a dump ----------------------------------------------------------
 */

static int64_t length_inside(pid_t pid1, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve =
				       RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	cleanup_fd int root = -1, fd = -1;
	char link[64];
	struct stat st;

	snprintf(link, sizeof(link), "/proc/%d/root", (int)pid1);
	root = open(link, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
		       ? (int64_t)st.st_size
		       : -1;
}

/* One that the job has removed has none, and needs none. */
static void measure(struct vol_record *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->outputs; i++) {
		int64_t length = length_inside(r->pid1, r->output[i].path);

		if (length < 0)
			continue;
		r->output[n] = r->output[i];
		r->output[n++].length = (uint64_t)length;
	}
	r->outputs = n;
}

static int record_files(const char *dir, struct vol_error *err)
{
	cleanup_free struct vol_record *r =
		read_record(dir, VOL_RECORD_UNSAFE, err);
	cleanup_free char *text = NULL;
	char path[PATH_MAX];

	if (!r)
		return -1;
	measure(r);
	if (vol_take_files(r, dir, err) != 0)
		return -1;
	text = vol_record_format(r, err);
	if (!text)
		return -1;
	snprintf(path, sizeof(path), "%s/" VOL_RECORD_UNSAFE, dir);
	return vol_file_replace(path, text, strlen(text), 0600, 0, err);
}

int vol_hook_dumped(const char *dir, struct vol_error *err)
{
	char path[PATH_MAX];

	if (vol_hold_again(dir, err) == 0 && record_files(dir, err) == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/" VOL_DUMP_REASON, dir);
	vol_file_replace(path, err->text, strlen(err->text), 0600, 0, NULL);
	return -1;
}

/* --- during and after a restore --------------------------------------------
 */

/* VOL_ENV_HOOK */
static struct vol_record *read_told(const char *what, unsigned int *uid,
				    unsigned int *gid, struct vol_error *err)
{
	unsigned int id[2];
	int n = 0;

	if (sscanf(what, "%u %u %n", &id[0], &id[1], &n) != 2 || n == 0) {
		vol_errorf_errno(err, EINVAL, "hook: no such thing");
		return NULL;
	}
	if (uid)
		*uid = id[0];
	if (gid)
		*gid = id[1];
	return read_record(what + n, VOL_RECORD_FILE, err);
}

/* Before there are sockets: like make_net() in inside.c. */
int vol_hook_network(pid_t pid1, const char *what, struct vol_error *err)
{
	cleanup_free struct vol_record *r = NULL;
	cleanup_fd int ns = -1;
	char path[64];

	r = read_told(what, NULL, NULL, err);
	if (!r)
		return -1;
	if (r->network != VOL_NETWORK_NONE)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid1);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) != 0)
		return vol_errorf(err, "network: %s", strerror(errno));
	return vol_raise_loopback(err);
}

struct expected {
	pid_t pid1;
	char uid[64], gid[64]; /* lines of status */
	const struct vol_record *record;
};

/* CRIU is in those that the job is to have; of the others it has made new ones,
 * a network among them if that is but a loopback.
 */
static int check_namespaces(const struct expected *x, const char *pid,
			    struct vol_error *err)
{
	const struct {
		const char *name;
		bool ours;
	} all[] = {{"net", x->record->network != VOL_NETWORK_NONE},
		   {"cgroup", true},
		   {"ipc", false},
		   {"mnt", false},
		   {"pid", false},
		   {"user", x->record->base == 0},
		   {"uts", false}};
	char first[16];

	snprintf(first, sizeof(first), "%d", (int)x->pid1);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ino_t its = vol_process_namespace(pid, all[i].name);
		bool is_ours =
			its == vol_process_namespace("self", all[i].name);
		if (its == 0 || is_ours != all[i].ours ||
		    its != vol_process_namespace(first, all[i].name))
			return vol_errorf_errno(err, EPERM,
						"restored process %s: another "
						"%s namespace",
						pid, all[i].name);
	}
	return 0;
}

static int check_status(const struct expected *x, const char *path,
			struct vol_error *err)
{
	const char *const lines[] = {x->uid,
				     x->gid,
				     "\nGroups:\t \n",
				     "\nCapInh:\t0000000000000000\n",
				     "\nCapPrm:\t0000000000000000\n",
				     "\nCapEff:\t0000000000000000\n",
				     "\nCapBnd:\t0000000000000000\n",
				     "\nCapAmb:\t0000000000000000\n",
				     "\nNoNewPrivs:\t1\n",
				     "\nSeccomp:\t2\n"};
	cleanup_free char *text =
		vol_file_read(path, VOL_STATUS_MAX, NULL, NULL);

	/* It ended: nothing of it is left to be more than it may. */
	if (!text || strstr(text, "\nState:\tZ") || strstr(text, "\nState:\tX"))
		return 0;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			return vol_errorf_errno(
				err, EPERM, "%s is not \"%.*s\"", path,
				(int)strcspn(lines[i] + 1, "\n"), lines[i] + 1);
	return 0;
}

static int check_threads(const struct expected *x, const char *pid,
			 struct vol_error *err)
{
	char path[320];
	struct dirent *e;
	int rc = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.16s/task", pid);
	dir = opendir(path);
	while (dir && rc == 0 && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/task/%.16s/status",
			 pid, e->d_name);
		rc = check_status(x, path, err);
	}
	if (dir)
		closedir(dir);
	return rc;
}

/* All that are in pid 1's namespace. */
static int check_processes(const struct expected *x, struct vol_error *err)
{
	char first[16];
	DIR *dir = opendir("/proc");
	struct dirent *e;
	ino_t ns;
	int rc = 0;

	snprintf(first, sizeof(first), "%d", (int)x->pid1);
	ns = vol_process_namespace(first, "pid");
	if (!dir || ns == 0)
		rc = vol_errorf(err, "/proc: %s", strerror(errno));
	while (rc == 0 && (e = readdir(dir))) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9' ||
		    vol_process_namespace(e->d_name, "pid") != ns ||
		    vol_process_is_zombie(e->d_name))
			continue;
		rc = check_namespaces(x, e->d_name, err);
		if (rc == 0)
			rc = check_threads(x, e->d_name, err);
		if (rc == 0)
			rc = vol_timers_wind_up(atoi(e->d_name), err);
	}
	if (dir)
		closedir(dir);
	return rc;
}

static int check_mount(const struct vol_mount *m, void *arg,
		       struct vol_error *err)
{
	const struct vol_record *r = ((struct expected *)arg)->record;

	if (vol_mount_is_own(m))
		return strcmp(m->type, "proc") == 0 ||
				       strstr(m->options, "nosuid")
			       ? 0
			       : vol_errorf_errno(err, EPERM,
						  "restored mount %.100s: %s",
						  m->point, m->options);
	for (size_t i = 0; i < r->mounts; i++)
		if (strcmp(r->mount[i], m->point) == 0)
			return 0;
	return vol_errorf_errno(err, EPERM, "restored mount %.100s: not ours",
				m->point);
}

/* As root.c does at its end. */
static int finish_mounts(pid_t pid1, struct vol_error *err)
{
	cleanup_fd int ns = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid1);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNS) != 0)
		return vol_errorf(err, "mounts: %s", strerror(errno));
	if (vol_proc_cover(err) != 0 || vol_root_seal("/dev", err) != 0)
		return -1;
	return vol_root_seal("/", err);
}

/* CRIU would only log that we failed, and go on, or wait for ever for what has
 * ended meanwhile.  Whoever has a SIGKILL does not run any more, also when
 * CRIU, which stopped it, is gone. */
static void end_all(pid_t pid1)
{
	DIR *dir = opendir("/proc");
	char first[16];
	struct dirent *e;
	ino_t ns;

	snprintf(first, sizeof(first), "%d", (int)pid1);
	ns = vol_process_namespace(first, "pid");
	while (dir && ns && (e = readdir(dir)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' &&
		    vol_process_namespace(e->d_name, "pid") == ns)
			kill(atoi(e->d_name), SIGKILL);
	if (dir)
		closedir(dir);
	kill(pid1, SIGKILL);
}

static int check(struct expected *x, struct vol_error *err)
{
	if (check_processes(x, err) != 0 ||
	    vol_mounts_each(x->pid1, check_mount, x, err) != 0)
		return -1;
	return finish_mounts(x->pid1, err);
}

int vol_hook_restored(pid_t pid1, const char *what, struct vol_error *err)
{
	cleanup_fd int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	struct expected x = {.pid1 = pid1};
	cleanup_free struct vol_record *r = NULL;
	unsigned int uid = 0, gid = 0;
	int rc = -1;

	r = read_told(what, &uid, &gid, err);
	snprintf(x.uid, sizeof(x.uid), "\nUid:\t%u\t%u\t%u\t%u\n", uid, uid,
		 uid, uid);
	snprintf(x.gid, sizeof(x.gid), "\nGid:\t%u\t%u\t%u\t%u\n", gid, gid,
		 gid, gid);
	x.record = r;
	if (r)
		rc = check(&x, err);
	if (rc != 0) {
		if (own >= 0)
			setns(own, CLONE_NEWNS);
		end_all(pid1);
	}
	return rc;
}
