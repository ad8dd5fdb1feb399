/* SPDX-License-Identifier: GPL-2.0-or-later */
/* checkpoint.h - a batch script and all that it started, saved and put back
 *
 * CRIU does it, rooted at the sandbox's pid 1, which ties nothing to a machine.
 * A dump is made by a program, so that whoever calls it (root, outside) can
 * end it; a restore by the process that becomes the new supervisor, since CRIU
 * must be its child for pid 1 to become one, too.
 *
 *	slurm-volunteer-checkpoint [-c CRIU] [-t SECONDS] [-p | -i] dump TASK
 *			DIR
 *		TASK is what Slurm takes for the task (the pid of a
 *		slurm-volunteer-supervise), or the absolute path of a cgroup
 *		with one in it.  DIR (a full path, not below /tmp) is root's
 *		alone and empty; it holds then
 *			step	a record (below), complete: what restore needs
 *			img/	CRIU's images
 *		The job goes on as it was, running or frozen: whether it was
 *		saved, could not be, or CRIU was killed or took longer than
 *		SECONDS; but one that CRIU was killed in the middle of is ended,
 *		to begin again (VOL_SEIZED_HURT of programs.h).  Its cgroup (v2,
 *		its own: the one that its pid 1 is in) may be frozen; one above
 *		it may not.  After a failure the folder holds dump.log, and
 *		nothing that looks like an image.  -p: the job is going to run
 *		on after it, so what its files are in that moment is kept, too
 *		(lib/rollback.h); where that is more than
 *		may be kept, the dump fails.  -i: img/ is there already, and
 *		CRIU makes no files, but hands them to who listens in it
 *		(criu --stream; discoveryd/device/ckcapture.h), who has them
 *		after a failure, too.
 *	slurm-volunteer-checkpoint [-c CRIU] [-t SECONDS] pre TASK DIR
 *		Before that, while the job runs: write memory down (criu
 *		pre-dump), so that the dump to the same DIR, which may not be
 *		empty but for this, has to write only what was written to since.
 *		The job stands still for a moment only, while its pages are
 *		taken hold of.  DIR holds pre/ then, or nothing, where it would
 *		gain nothing or can not be: the kernel does not tell what was
 *		written (probe: dirty=no), the job is frozen, has less than
 *		32 MiB of its own, a fourth of that shared, more than 64
 *		threads or an AIO ring, its cgroup can not be frozen by itself,
 *		or there is not room for three times its memory.  A failure
 *		leaves nothing, and is no reason not to dump.  Whoever protects
 *		the machine's owner may freeze the job's cgroup meanwhile, and
 *		it is frozen when this ends.
 *			The dump that follows makes one image of both when the
 *		job has been let go, as if nothing had been before; where that
 *		can not be, it fails.  Shared memory is written in the stop
 *		each time.
 *	slurm-volunteer-checkpoint -f [-p] [-s SIGNAL -g MILLISECONDS] dump
 *			TASK DIR
 *		The same of the files that the job has for itself
 *		(lib/ckfiles.h), without its processes, and without CRIU.  Its
 *		cgroup must be frozen, and is when this ends.  -s, -g: before
 *		that the processes that do something about the signal get it,
 *		and run a little, no longer than so (grace.c).
 *	slurm-volunteer-checkpoint [-c CRIU] restore-check DIR
 *		Is DIR whole, and can this machine's CRIU restore it?
 *	slurm-volunteer-checkpoint [-c CRIU] probe
 *		Can this machine's CRIU save and restore?  One line on stdout,
 *		"criu=VERSION kernel=RELEASE sockets=yes|no dirty=yes|no".
 *		dirty: the kernel tells which pages were written since, so that
 *		pre may be of use.  Asked anew each time, of a page of our own.
 *	slurm-volunteer-checkpoint serve [SLURMD]
 *		Its standard input is a SOCK_SEQPACKET, of whoever started it
 *		or one that listens: a packet is one of the above, its words
 *		(options first) each with a NUL, and is answered by one: the
 *		exit status, a byte, and what the command wrote.  One after the
 *		other.  What it does ends when the other end is closed, and so
 *		does it, unless it listens: then it ends with the process
 *		SLURMD.
 *
 * A task is in slurmd's Landlock domain, where there is one (Linux 6.12 and
 * vol_sandbox_hide_for), and can be saved only from inside that: by a
 *descendant of slurmd, or of the process that became it.  That is what serve is
 *for: to be started there, before slurmd is.  Nobody else needs it.
 *
 * Exit status: 0; 1 with one line on stderr, something is wrong here; 3 with
 * one line on stderr, this job can not be saved, whoever tries: the line names
 * what it uses.  Nothing is taken from the environment.
 */
#ifndef VOL_CHECKPOINT_H
#define VOL_CHECKPOINT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "rollback.h"
#include "sandbox.h"
#include "walls.h"

#define VOL_CHECKPOINT_CRIU "/usr/sbin/criu"
/* Its check for a newer one is no guess: older ones fail on kernels since 6.x
 * (3.17), or were never tried here. */
#define VOL_CHECKPOINT_CRIU_MIN 40100 /* 4.1 */

/* Where slurm-volunteer-launch has one listen for as long as slurmd lives. */
#define VOL_SERVE_SOCKET       VOL_RUN_DIR "/checkpoint"
#define VOL_SERVE_QUESTION_MAX 8192 /* bytes of a packet */
#define VOL_SERVE_ANSWER_MAX   1024

#define VOL_CHECKPOINT_EXIT_FAILED 1
/* Whoever asks again is told the same. */
#define VOL_CHECKPOINT_EXIT_UNMOVABLE 3

/* --- the record ------------------------------------------------------------
 *
 * What a root program needs to know of a running step.  It is a sealed memfd
 * called VOL_RECORD_NAME that the step's supervisor has open, for as long as
 * that lives: nothing to clean up, nothing stale.  Dump writes it beside the
 * images as "step", with mounts, lengths and files.
 *
 * Text, a KEY=VALUE a line; those marked * as often as needed, others once:
 *	version=2            1 had nothing of files but output; such an image is
 *	                     not used any more
 *	job=7
 *	step=4294967291
 *	uid=1000             inside, as gid
 *	gid=1000
 *	batch=yes            no: it can not be saved
 *	asked=               struct vol_sandbox_job's checkpoint, any text
 *	base=1879048192      first id of the job's own outside, 0: it has none
 *	network=none         what it got
 *	pid1=4711            outside; with start (field 22 of /proc/PID/stat)
 *	start=123456         it is that one and no other
 *	script=/var/...      as slurmd spooled it; "": none
 *	files=own            whose they are, as the user says (lib/rollback.h)
 *	folder=/campaign/a   where the task began; "": in none of the machine's
 *	began=1735000000     when the job first did, seconds since 1970
 *	goes_on=yes          it ran on after the dump; no before
 *	moment=17350000...   of the dump, nanoseconds since 1970; 0 before
 *	unlisted=            why not all of its files are below, any text: there
 *	                     is no going back to this image; "": all are
 *	output=LENGTH PATH * files that slurmstepd opened for output, their
 *	                     length in bytes in the moment of the dump; 0 before
 *	mount=PATH         * what of the machine is seen inside, in the order
 *	                     of CRIU's keys m0, m1 ...; none before
 *	entry=HOW OPENED MODE LENGTH MTIME CTIME SUM PATH
 *	                   * a struct vol_rollback_entry, numbers in decimal;
 *	                     HOW: stat, sum, copy, folder, link, target, other;
 *	                     OPENED: closed, append, write.  A folder is before
 *	                     what is in it.  What copies and targets hold is in
 *	                     VOL_RECORD_COPIES, in this order.  None before the
 *	                     dump
 */
#define VOL_RECORD_NAME       "volunteer-record"
#define VOL_RECORD_FILE       "step" /* beside the images */
#define VOL_RECORD_IMAGES     "img"
#define VOL_RECORD_MAX        (4096 * 1024) /* bytes */
#define VOL_RECORD_MOUNTS_MAX 512
#define VOL_RECORD_OUTPUTS    2
#define VOL_RECORD_COPIES     VOL_RECORD_IMAGES "/volunteer-files.img"

struct vol_record_output {
	uint64_t length;
	char path[PATH_MAX];
};

/* Large: never on a stack. */
struct vol_record {
	uint32_t job, step, uid, gid, base;
	bool batch;
	int network; /* enum vol_network */
	pid_t pid1;
	uint64_t start;
	char asked[64];
	char script[PATH_MAX];
	int files; /* enum vol_rollback_mode */
	char folder[VOL_CKPATH_SIZE];
	uint64_t began_s, moment_ns;
	bool goes_on;
	char unlisted[256];
	size_t outputs, mounts, entries;
	struct vol_record_output output[VOL_RECORD_OUTPUTS];
	char mount[VOL_RECORD_MOUNTS_MAX][VOL_WALLS_PATH_SIZE];
	struct vol_rollback_entry entry[VOL_ROLLBACK_MAX];
};

/* Strict, as all our files; name stands for it in messages.  EINVAL. */
int vol_record_parse(const char *name, const char *text, size_t len,
		     struct vol_record *record, struct vol_error *err);

/* Text form, malloc'ed; NULL with EINVAL for a path with a newline. */
char *vol_record_format(const struct vol_record *record, struct vol_error *err);

/* The record of the supervisor pid, whose descriptors root can see.  ENOENT: it
 * is none, or of a version that has no record. */
int vol_record_of(pid_t pid, struct vol_record *record, struct vol_error *err);
/* That of the one supervisor that task is or holds, a pid or the folder of a
 * cgroup.  One thread at a time. */
int vol_record_find(const char *task, struct vol_record *record,
		    pid_t *supervisor, struct vol_error *err);

/* --- restore ---------------------------------------------------------------
 */

struct vol_restore {
	/* As dump left it, verified by whoever brought it here, of this job.
	 * It is used up: CRIU's tasks read it under the job's ids.  It must be
	 * where slurmstepd can write: below /run or /var/lib, in a folder with
	 * "slurm" in its name (keep.c); no folder on the way needs to be open
	 * for others. */
	const char *dir;
	const char *criu;     /* NULL: VOL_CHECKPOINT_CRIU */
	unsigned int seconds; /* 0: 120 */
	/* The job went on after the dump; so it did where the record says
	 * goes_on, whatever this is.  Cut output files to their length in the
	 * record: what the job wrote after the dump it will write again; what
	 * slurmstepd and we have said behind the last of it stays.  Else a
	 * longer one stays, and is appended to, if there are only lines of
	 * slurmstepd's and ours behind that; others are an error: the job went
	 * on.  A shorter one is an error in both cases.
	 *
	 * Other files are then made what they were, with the job's rights and
	 * no others, as lib/rollback.h says; or it is an error, before
	 * anything was changed. */
	bool roll_back;
	/* dir, as soon as the job runs; its memory bit by bit before that, so
	 * that dir is of no use any more when it failed. */
	bool remove;
	/* A folder with the mark of stepwaits.h, which ends before a file is
	 * changed, and when all is there and nothing has run yet; without the
	 * mark neither happens, and it is an error.  NULL: none is asked for.
	 */
	const char *waits;
	/* A line, with its newline, to the caller's stderr, once that was cut,
	 * if it had to be.  NULL: none. */
	const char *note;
};

/* In place of vol_sandbox_enter(), in the process of a single task: the process
 * becomes the supervisor of the restored one, with the walls of this machine's
 * vol_sandbox, in its cgroup, and does not return.  -1: nothing runs, and
 * vol_sandbox_enter() or this may be called again, in the same process; err is
 * one line.  What of the task's input and output slurmstepd opened is not used:
 * the job's own files are opened again by their names.  The log of a CRIU that
 * failed is "restore.log" in dir.  slurmstepd must not have cut the output
 * (--open-mode=append). */
int vol_sandbox_restore(struct vol_sandbox *sandbox,
			const struct vol_restore *restore,
			struct vol_error *err);

/* In place of that, before vol_sandbox_enter(), in the same process: the task
 * finds what an image without processes holds.  dir is as dump -f left it,
 * of this job, and not needed any more afterwards.  -1: the task finds nothing,
 * err says why. */
int vol_sandbox_bring(struct vol_sandbox *sandbox, const char *dir,
		      struct vol_error *err);
/* In the task, when vol_sandbox_enter() has returned 0: why nothing of that is
 * there after all; NULL: it is.  Borrowed. */
const char *vol_sandbox_unbrought(const struct vol_sandbox *sandbox);

/* Before a restore, in the same process: write to the file path what of this
 * machine a restored job would see mounted, a line "TARGET FLAGS" for each
 * mount that CRIU is told of as an external one, flags being those of mount(2)
 * among MS_RDONLY, MS_NOSUID, MS_NODEV and MS_NOEXEC, in decimal.  A target may
 * have spaces in it.  The process is in mounts of its own afterwards, its
 * working folder "/". */
int vol_sandbox_offer(struct vol_sandbox *sandbox, const char *path,
		      struct vol_error *err);

#endif
