/* SPDX-License-Identifier: GPL-2.0-or-later */
/* private.h - what the parts of the sandbox share
 *
 * All that is going to be seen inside is opened by real root, in
 * vol_sandbox_create(), as detached mounts; the process that builds the walls
 * is root of a user namespace only, and just puts them into place.
 */
#ifndef VOL_SANDBOX_PRIVATE_H
#define VOL_SANDBOX_PRIVATE_H

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "netwall.h"
#include "sandbox.h"
#include "walls.h"

/* Three lists of the policy, and a handful of our own. */
#define VOL_PLACES_MAX (3 * VOL_WALLS_LIST_MAX + 64)
#define VOL_LINKS_MAX  32

/* Where the program of pid 1 is inside: an image need not hold it, but may. */
#define VOL_INIT_INSIDE "/run/slurm-volunteer-init"

/* A detached mount, and where it goes. */
struct vol_place {
	int fd; /* -1: another mount of the place before this one */
	bool folder;
	char target[VOL_WALLS_PATH_SIZE];
};

/* A symbolic link in the root folder, such as bin -> usr/bin. */
struct vol_link {
	char name[NAME_MAX + 1];
	char to[VOL_WALLS_PATH_SIZE];
};

/* errno of what the job brought on itself, until vol_sandbox_enter() says
 * EACCES for it: no call of the kernel's fails with this one. */
#define VOL_JOBS_FAULT EDOTDOT

/* In a memfd that all tasks of a step map, under a lock of that file. */
struct vol_shared {
	enum { VOL_UNBUILT, VOL_BUILT, VOL_FAILED } state;
	pid_t pid1; /* child of slurmstepd; not reaped before destroy */
	int errnum;
	struct vol_error reason;
};

struct vol_sandbox {
	struct vol_walls walls;
	struct vol_sandbox_job job;
	char script[PATH_MAX];
	char root[PATH_MAX]; /* empty folder: the new root is mounted there */
	char proc[PATH_MAX]; /* empty folder: see hide.c */
	pid_t guard_pid;     /* zombie that counts as the user's: limits.c */
	bool dumpable;       /* slurmstepd, before it */
	pid_t holder_pid;    /* of a user namespace: ids.c */
	pid_t stepd;
	bool hidden;             /* vol_sandbox_hide() */
	int passed;              /* vol_sandbox_pass(), -1: none */
	bool ids;                /* of the job's own */
	struct vol_error no_ids; /* why not */
	uint32_t base;
	int ids_fd;  /* holds the lock of the range */
	int etc_fd;  /* of the machine or the image */
	int tree_fd; /* a mount: etc.c */
	int script_fd, supervise_fd, shared_fd;
	int steps_fd;  /* program of the broker, see steps/steps.h */
	int socket_fd; /* the supervisor's to be only */
	/* With a network, see net/net.h: its program, /dev/net/tun, and who is
	 * asked for names, "": nobody. */
	int net_fd, tun_fd;
	int checkpoint_fd; /* program, -1: none, see checkpoint.h */
	char resolver[VOL_NET_ADDRESS_SIZE];
	struct vol_brought *brought; /* of the task, checkpoint/unpack.c */
	struct vol_shared *shared;
	struct vol_place place[VOL_PLACES_MAX];
	size_t places;
	struct vol_link link[VOL_LINKS_MAX];
	size_t links;
};

/* --- sandbox.c ------------------------------------------------------------ */

/* For tests: take both programs from dir in place of VOL_LIBEXEC_DIR. */
void vol_sandbox_programs(const char *dir);

/* --- ids.c: ids of the job's own ------------------------------------------ */

/* Take a free range; its lock lives as long as a copy of ids_fd. */
int vol_ids_take(struct vol_sandbox *s, const char *path,
		 struct vol_error *err);

/* Write the maps of the new user namespace of process pid. */
int vol_ids_map(const struct vol_sandbox *s, pid_t pid, struct vol_error *err);

/* What an id inside is on the machine; with the first id of the job's own, or
 * 0. */
uint32_t vol_ids_outside(const struct vol_sandbox *s, uint32_t id);
uint32_t vol_ids_of_base(uint32_t base, uint32_t id);

/* A user namespace with these maps, for id-mapped mounts; a descriptor.  Of the
 * process that it takes end reaps what is left. */
int vol_ids_userns(struct vol_sandbox *s, struct vol_error *err);
void vol_ids_end(struct vol_sandbox *s);

/* --- places.c: what of this machine is seen inside ------------------------ */

/* An O_PATH descriptor. */
int vol_open_path(const char *path, uint64_t resolve);

/* A clone of the tree at path with attributes (MOUNT_ATTR_...) and propagation
 * (MS_PRIVATE, MS_SLAVE); a descriptor.  userns >= 0: id-mapped with that. What
 * is not there: ENOENT. */
int vol_clone_tree(const char *path, uint64_t resolve, uint64_t attributes,
		   uint64_t propagation, int userns, bool *folder,
		   struct vol_error *err);

/* Attach it at a place that exists. */
int vol_attach(int fd, const char *target, struct vol_error *err);

/* One more place.  What is not there is not shown. */
int vol_places_add(struct vol_sandbox *s, const char *source,
		   const char *target, uint64_t resolve, uint64_t attributes,
		   int userns, struct vol_error *err);

/* The last one, at another target, too. */
int vol_places_again(struct vol_sandbox *s, const char *target,
		     struct vol_error *err);

/* The file that is the program of pid 1: the image's own at that place, if it
 * has one, else the machine's.  A saved process 1 goes on with the program that
 * it began with, and ours is another one where it was built otherwise. */
void vol_places_init(const char *image, const char *programs, char *path,
		     size_t size);

int vol_places_open(struct vol_sandbox *s, const char *init, int userns,
		    struct vol_error *err);
void vol_places_close(struct vol_sandbox *s);

/* --- etc.c ----------------------------------------------------------------
 */

/* Open tree_fd, the one that is kept in root's own folder dir or a new one. */
int vol_etc_open(struct vol_sandbox *s, const char *dir, struct vol_error *err);

/* --- root.c, dev.c, proc.c, own.c: the file system inside -----------------
 */

/* Files of it are what names of /etc lead to. */
#define VOL_OWN_DIR "/run/etc"
extern const char *const vol_own_names[]; /* NULL at the end */

/* Where the machine's tree is until all is built. */
#define VOL_OLD_ROOT "/old"

/* Of the tmpfs that is the root folder: it holds a copy of the script; Slurm's
 * own limit for a script is 4 MiB (max_script_size). */
#define VOL_ROOT_OPTIONS "mode=755,size=48m,nr_inodes=16k"

/* All of it, in the first process of new namespaces, root there. */
int vol_root_build(const struct vol_sandbox *s, struct vol_error *err);
/* The mount at path, for good. */
int vol_root_seal(const char *path, struct vol_error *err);
/* What of it a restored job's images do not hold, in a process whose root
 * folder is that tmpfs, real root; the script also as script, or "".  The
 * places of s can be attached once more. */
int vol_root_stage(struct vol_sandbox *s, const char *script,
		   struct vol_error *err);
int vol_dev_build(const struct vol_sandbox *s, struct vol_error *err);
int vol_proc_build(struct vol_error *err);
/* Of a /proc that is there. */
int vol_proc_cover(struct vol_error *err);
/* left: a folder of the old root, to be covered. */
int vol_etc_attach(const struct vol_sandbox *s, int left,
		   struct vol_error *err);
/* When all that is seen inside is in its place. */
int vol_own_build(const struct vol_sandbox *s, struct vol_error *err);

/* What the machine is called inside. */
void vol_host_name(const struct vol_sandbox *s, char name[64]);

/* mkdir -p; an empty file at its end. */
int vol_make_file(const char *path, struct vol_error *err);
/* A file that holds text. */
int vol_write_file(const char *path, mode_t mode, const char *text,
		   struct vol_error *err);
/* The whole of a regular file; a descriptor with an offset of its own. */
int vol_copy_fd(int from, int to);

/* --- privileges.c ----------------------------------------------------------
 */

/* Root of the namespace (or of the machine) again. */
int vol_privileges_root(struct vol_error *err);
/* The job's ids, and nothing that is worth more: for good. */
int vol_privileges_drop(uid_t uid, gid_t gid, struct vol_error *err);

/* --- limits.c --------------------------------------------------------------
 */

/* No program may be run as the job's user by slurmstepd itself: start what that
 * needs, which takes its time; see to it. */
int vol_limits_guard(struct vol_sandbox *s, struct vol_error *err);
int vol_limits_stepd(struct vol_sandbox *s, struct vol_error *err);
void vol_limits_end(struct vol_sandbox *s);
/* In the task, root. */
int vol_limits_task(const struct vol_sandbox *s, struct vol_error *err);
/* The same for what carries the step's network: fewer files, each of which is a
 * port of the machine's. */
int vol_limits_net(const struct vol_sandbox *s, struct vol_error *err);
/* pids.max of the step this process is in, where there is such a file. */
int vol_limits_cgroup(const struct vol_sandbox *s, struct vol_error *err);
/* First to go when the machine runs out of memory. */
int vol_limits_oom(pid_t pid, struct vol_error *err);

/* --- filter.c --------------------------------------------------------------
 */

/* In the task, and in a pid 1 that it could trace, for good. */
int vol_filter_apply(struct vol_error *err);

/* --- stdio.c ---------------------------------------------------------------
 */

struct vol_stdio {
	struct {
		bool reopen;
		bool null;
		int flags;
		off_t at;
		dev_t dev;
		ino_t ino;
		char path[PATH_MAX];
	} fd[3];
};

/* Outside: what are 0, 1 and 2?  -1 for a file that is in no working folder. */
int vol_stdio_look(const struct vol_sandbox *s, struct vol_stdio *io,
		   struct vol_error *err);
/* Inside, as the job: the same files, through the mounts of the inside. */
int vol_stdio_reopen(const struct vol_stdio *io, struct vol_error *err);

/* --- steps/attach.c: an srun for the job, outside (steps/steps.h) ----------
 */

/* In slurmstepd: over Slurm's programs inside lies one of ours. */
int vol_steps_places(struct vol_sandbox *s, const char *programs,
		     struct vol_error *err);
/* In the supervisor to be: a socket, and its place inside, for a step that may
 * start others. */
int vol_steps_listen(struct vol_sandbox *s, struct vol_error *err);
/* As it was before, with so many places. */
void vol_steps_unlisten(struct vol_sandbox *s, size_t places);
/* Inside it has its place: the broker behind it, a child in the task's
 * cgroup. */
int vol_steps_start(const struct vol_sandbox *s, struct vol_error *err);
/* Remove its name outside, if there is one. */
void vol_steps_forget(const struct vol_sandbox *s);

/* --- net/attach.c: a network of the step's (net/net.h) -------------------- */

/* Of the process that becomes the first task's supervisor. */
struct vol_net {
	pid_t pid;    /* slurm-volunteer-net, until it is tied; 0: none */
	int channel;  /* to it */
	int ns, host; /* network namespaces: the step's, and the host's */
};

/* In slurmstepd: what that takes, if the job gets one at all.  dir: as of
 * vol_sandbox_create. */
int vol_net_open(struct vol_sandbox *s, const char *programs, const char *dir,
		 struct vol_error *err);
/* Filtered and connected when it returns; nobody is in there yet. */
int vol_net_start(const struct vol_sandbox *s, struct vol_net *net,
		  struct vol_error *err);
/* Between these two calls, processes that are made are made in there. */
int vol_net_enter(struct vol_net *net, struct vol_error *err);
int vol_net_leave(struct vol_net *net, struct vol_error *err);
/* In one that was. */
void vol_net_close(struct vol_net *net);
/* From now on it ends with pid 1, a pidfd. */
int vol_net_tie(struct vol_net *net, int pid1, struct vol_error *err);
/* What is not tied ends; frees. */
void vol_net_stop(struct vol_net *net);

/* --- report.c: from the processes inside to the one that called ------------
 */

/* A socket pair: [0] stays outside. */
int vol_report_open(int fd[2], struct vol_error *err);
void vol_report_failed(int fd, const struct vol_error *err);
/* The task is ready; hands over a descriptor of itself. */
int vol_report_ready(int fd, struct vol_error *err);
/* The same with another descriptor. */
int vol_report_hand(int fd, int handed, struct vol_error *err);
/* Ready: 0 and *pidfd, what was handed over, if that is not NULL. */
int vol_report_wait(int fd, int *pidfd, struct vol_error *err);
/* A word in the other direction. */
int vol_report_go(int fd, struct vol_error *err);
int vol_report_wait_go(int fd, struct vol_error *err);
/* Until nobody has the other end any more. */
int vol_report_wait_end(int fd, struct vol_error *err);

/* --- inside.c --------------------------------------------------------------
 */

/* What a task needs to know to become one. */
struct vol_entry {
	const struct vol_sandbox *sandbox;
	int report;    /* inside's end */
	int outside;   /* the other end, to be closed inside */
	int execed;    /* slurm-volunteer-init says here that it is there */
	int started;   /* a word to the task; its end: the supervisor is one */
	int start;     /* the other end, to be closed inside */
	bool net_made; /* they begin in the step's network namespace; else: */
	int net[2];    /* from pid 1 to the task: the one that it made */
	int stepd;     /* pidfd, for a pid 1 that outlives tasks */
	bool shared;   /* pid 1 waits for processes that join */
	sigset_t mask; /* the task's */
	mode_t umask;  /* the task's */
	char where[VOL_WALLS_PATH_SIZE];
	struct vol_stdio stdio;
};

/* In the first process of new namespaces, whose own e is.  Returns 0 in the
 * task, if pid 1 makes it, and never otherwise. */
int vol_inside_first(struct vol_entry *e);
/* In a process that joined them: 0 or it ends. */
int vol_inside_task(const struct vol_entry *e);

/* Of the network namespace that this process is in. */
int vol_raise_loopback(struct vol_error *err);
/* That namespace; a descriptor. */
int vol_net_namespace(struct vol_error *err);

/* Does not return. */
void vol_inside_fail(int report, const struct vol_error *err)
	__attribute__((noreturn));

/* --- checkpoint/keep.c ---------------------------------------------------
 */

/* What a root program needs to know of the step whose pid 1 that is, and whose
 * task begins in folder, or "" (checkpoint.h); a descriptor, closed on exec. */
int vol_record_begin(const struct vol_sandbox *s, pid_t pid1,
		     const struct vol_stdio *io, const char *folder,
		     struct vol_error *err);

#endif
