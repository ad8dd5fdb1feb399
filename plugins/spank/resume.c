/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resume.c - a job that was saved goes on, in place of a fresh start
 *
 * slurm-volunteer-image fetches the image and judges it: nothing of it is read
 * here before.  Each restore has a folder of root's alone, on a disk, under a
 * lock that ends with this process, or when it has become the supervisor: what
 * is not locked is of somebody who was killed.
 *
 * Only an answer decides that a job starts from the beginning: that there is no
 * image of it, or none that can be put back here.  Whoever gets no answer tries
 * again, and at last lets the job be queued once more: what it has done is not
 * thrown away because a controller is being restarted.
 *
 * The kernel may stop us at any time, when the owner comes: what takes too long
 * is counted in seconds in which we ran.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "plugin.h"
#include "text.h"
#include "tree.h"
#include "units.h"

#include "sandbox/checkpoint.h"

#define PROGRAM VOL_LIBEXEC_DIR "/slurm-volunteer-image"
#define FOLDERS VOL_STATE_DIR "/restore"

/* The newest one and the one before: the store keeps no more of a job. */
#define IMAGES_MAX 2

/* Seconds without another byte: the digests of 4 GB; a restore reads as much
 * once more. */
#define LOAD_S    600
#define RESTORE_S 600

/* The program's own tries, and ours with it: a controller that is restarted, or
 * moved to another host. */
#define LOAD_WAIT "1m"
#ifndef VOL_RESUME_TRY_S /* tests have less patience */
#define VOL_RESUME_TRY_S   900
#define VOL_RESUME_PAUSE_S 5
#endif

/* For one image: CRIU may have been killed. */
#define RESTORES_MAX 2

/* Exit status of the program. */
enum { LOADED = 0, REFUSED = 3, NO_IMAGE = 4, UNFIT = 6 };

struct loading {
	int status;      /* -1: it has none, see said */
	int seconds;     /* that it took */
	char out[1024];  /* what it wrote */
	char said[1024]; /* the same of its stderr */
	uint64_t number, made_s;
	uint64_t until; /* nothing ran in a later run, up to that one */
	bool left;      /* the job, after it was made: nothing ran any more */
	char node[VOL_NODE_NAME_SIZE]; /* where it was made */
};

/* So far, of all of them. */
struct trying {
	uint64_t before; /* the next one's number is lower; 0: any */
	int images, restores;
	int seconds;      /* in vain */
	char why[1024];   /* the last one did not come */
	uint64_t brought; /* image of a program that saves itself */
};

/* --- its folder ------------------------------------------------------------
 */

static void remove_unlocked(const char *folders)
{
	DIR *dir = opendir(folders);
	char path[PATH_MAX];
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		cleanup_fd int fd = -1;

		if (e->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", folders, e->d_name) >=
			    (int)sizeof(path))
			continue;
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			vol_tree_remove(path, NULL);
	}
	if (dir)
		closedir(dir);
}

/* Nobody else makes or removes one until it is closed. */
static int lock_folders(char folders[PATH_MAX], struct vol_error *err)
{
	cleanup_fd int fd = -1;

	if (vol_spank_path(folders, PATH_MAX, err, FOLDERS) ||
	    vol_mkdir_p(folders, 0700, err))
		return -1;
	fd = open(folders, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		return vol_errorf(err, "%s: %s", folders, strerror(errno));
	return steal_fd(&fd);
}

void vol_resume_tidy(void)
{
	char folders[PATH_MAX];
	struct vol_error err;
	cleanup_fd int lock = lock_folders(folders, &err);

	if (lock >= 0)
		remove_unlocked(folders);
}

/* A descriptor that locks it; path/image is an empty folder. */
static int make_folder(uint32_t job, char path[PATH_MAX], struct vol_error *err)
{
	char folders[PATH_MAX], image[PATH_MAX + 8];
	cleanup_fd int lock = lock_folders(folders, err), fd = -1;

	if (lock < 0)
		return -1;
	remove_unlocked(folders);
	if (snprintf(path, PATH_MAX, "%s/%" PRIu32 ".XXXXXX", folders, job) >=
	    PATH_MAX)
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: %s", folders,
					strerror(ENAMETOOLONG));
	if (!mkdtemp(path))
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	snprintf(image, sizeof(image), "%s/image", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) != 0 || mkdir(image, 0700) != 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return steal_fd(&fd);
}

/* --- the program that fetches and judges ------------------------------------
 */

static void __attribute__((noreturn))
become_program(char *argv[], const int out[2], const int said[2], pid_t parent)
{
	char *env[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	umask(022);
	/* A change of ids would take the wish to end with us away. */
	if (setgroups(0, NULL) == 0 && prctl(PR_SET_SECUREBITS, 0) == 0 &&
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
	    dup2(null, 0) == 0 && dup2(out[1], 1) == 1 &&
	    dup2(said[1], 2) == 2 && chdir("/") == 0 &&
	    close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0 &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0)
		execve(argv[0], argv, env);
	dprintf(said[1], "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Keep the beginning of its last line, or of the first one.  false: it was the
 * end. */
static bool take_text(int fd, char *text, size_t size, bool last)
{
	size_t len = strlen(text);
	char more[256];
	ssize_t n;

	do
		n = read(fd, more, sizeof(more));
	while (n < 0 && errno == EINTR);
	for (ssize_t i = 0; i < n; i++) {
		if (last && len > 0 && text[len - 1] == '\n')
			len = 0;
		/* The last place is for the newline. */
		if (len < size - 2 || (more[i] == '\n' && len < size - 1))
			text[len++] = more[i];
	}
	text[len] = '\0';
	return n > 0;
}

/* Until it has closed both.  false: it takes too long. */
static bool listen_to(struct loading *l, int out, int said)
{
	struct pollfd p[2] = {{.fd = out, .events = POLLIN},
			      {.fd = said, .events = POLLIN}};

	for (int s = 0; s < LOAD_S && (p[0].fd >= 0 || p[1].fd >= 0);) {
		int n = poll(p, 2, 1000);

		s += n == 0;
		l->seconds += n == 0;
		if (n <= 0)
			continue;
		/* It tells of each byte, or of a second with some. */
		s = 0;
		if (p[0].revents &&
		    !take_text(out, l->out, sizeof(l->out), true))
			p[0].fd = -1;
		if (p[1].revents &&
		    !take_text(said, l->said, sizeof(l->said), false))
			p[1].fd = -1;
	}
	return p[0].fd < 0 && p[1].fd < 0;
}

static void wait_for(struct loading *l, pid_t pid, bool done)
{
	int status = 0;

	if (!done)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	l->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (!done)
		snprintf(l->said, sizeof(l->said), "nothing came for %d s",
			 LOAD_S);
	else if (l->status < 0)
		snprintf(l->said, sizeof(l->said), "killed by signal %d",
			 WTERMSIG(status));
}

static int run(struct loading *l, char *argv[], struct vol_error *err)
{
	cleanup_fd int out = -1, said = -1;
	pid_t parent = getpid(), pid = -1;
	int o[2] = {-1, -1}, s[2] = {-1, -1};

	if (pipe2(o, O_CLOEXEC) == 0 && pipe2(s, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0)
		become_program(argv, o, s, parent);
	if (pid < 0)
		vol_errorf(err, "%s: %s", argv[0], strerror(errno));
	out = o[0];
	said = s[0];
	if (o[1] >= 0)
		close(o[1]);
	if (s[1] >= 0)
		close(s[1]);
	if (pid < 0)
		return -1;
	wait_for(l, pid, listen_to(l, out, said));
	return 0;
}

/* --- what it said ----------------------------------------------------------
 */

/* Behind a name and a colon, in one object without others in it. */
static const char *find(const char *text, const char *name)
{
	char quoted[32];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", name);
	at = strstr(text, quoted);
	return at ? at + strlen(quoted) + strspn(at + strlen(quoted), " ") : "";
}

static int find_number(const char *text, const char *name, uint64_t *number)
{
	const char *at = find(text, name);

	return vol_text_number(at, strspn(at, "0123456789"), 0, INT64_MAX,
			       number);
}

static void find_node(struct loading *l)
{
	const char *at = find(l->out, "node");
	size_t len = *at == '"' ? strcspn(at + 1, "\"") : 0;

	if (len > 0 && len < sizeof(l->node)) {
		memcpy(l->node, at + 1, len);
		l->node[len] = '\0';
	}
	if (!vol_node_name_valid(l->node))
		snprintf(l->node, sizeof(l->node), "another device");
}

/* Its first line, which may have names in it that strangers wrote, without its
 * own name. */
static const char *reason(struct loading *l)
{
	static const char prefix[] = "slurm-volunteer-image: ";
	char *text = l->said;

	if (!strncmp(text, prefix, sizeof(prefix) - 1))
		text += sizeof(prefix) - 1;
	text[strcspn(text, "\n")] = '\0';
	for (char *c = text; *c; c++)
		if (!vol_char_printable((unsigned char)*c))
			*c = '?';
	return *text ? text : "no reason is known";
}

/* -1: it can not be run.  else status and the rest are set. */
static int load(struct loading *l, const struct vol_resume *r,
		const char *folder, uint64_t before, struct vol_error *err)
{
	char program[PATH_MAX], job[32], uid[32], gid[32], older[32];
	char places[PATH_MAX + 32], image[PATH_MAX + 8];
	char *argv[] = {program,
			(char *)"--wait=" LOAD_WAIT,
			job,
			uid,
			gid,
			r->app ? (char *)"--files" : places,
			older,
			(char *)"--progress",
			(char *)"load",
			image,
			NULL};

	*l = (struct loading){.status = -1};
	if (vol_spank_path(program, sizeof(program), err, PROGRAM))
		return -1;
	snprintf(job, sizeof(job), "--job=%" PRIu32, r->job);
	snprintf(uid, sizeof(uid), "--uid=%u", (unsigned)r->uid);
	snprintf(gid, sizeof(gid), "--gid=%u", (unsigned)r->gid);
	/* 0: the newest of all. */
	snprintf(older, sizeof(older), "--before=%" PRIu64, before);
	snprintf(places, sizeof(places), "--places=%s/places", folder);
	snprintf(image, sizeof(image), "%s/image", folder);
	if (run(l, argv, err))
		return -1;
	if ((l->status == LOADED &&
	     (find_number(l->out, "until", &l->until) ||
	      find_number(l->out, "made_s", &l->made_s))) ||
	    ((l->status == LOADED || l->status == UNFIT) &&
	     (find_number(l->out, "number", &l->number) || !l->number)))
		return vol_errorf_errno(
			err, EPROTO, "%s: does not say which image", PROGRAM);
	/* By the word of the device, which could write what it likes into the
	 * image as well. */
	l->left = !strncmp(find(l->out, "cause"), "\"evict\"", 7);
	find_node(l);
	return 0;
}

/* --- one image after the other ----------------------------------------------
 */

#define WHICH_SIZE (VOL_NODE_NAME_SIZE + 128)

static void tell_which(const struct loading *l, bool app, char text[WHICH_SIZE])
{
	uint64_t now = (uint64_t)time(NULL);
	char age[32];

	/* The clocks of two machines differ. */
	vol_duration_format((now > l->made_s ? now - l->made_s : 0) * 1000, age,
			    sizeof(age));
	snprintf(text, WHICH_SIZE,
		 "volunteer: %s image %" PRIu64 ", made %s ago on %s\n",
		 app ? "starts again with its files of" : "goes on from",
		 l->number, age, l->node);
}

/* Returns if that fails.  again: it did before, and the job may have run for a
 * moment then, unless waits.c knows.  newest: there is no image after it. */
static void restore(const struct vol_resume *r, const struct loading *l,
		    const char *folder, bool again, bool newest)
{
	char image[PATH_MAX + 8], which[WHICH_SIZE];
	struct vol_restore how = {
		.dir = image,
		.seconds = RESTORE_S,
		/* What ran on, or in a run after that in which it was saved,
		 * may have written more: it is written again. */
		.roll_back = (again && vol_waits_ended()) || !l->left ||
			     !newest || l->until + 1 != r->restarts,
		.remove = true,
		.waits = vol_waits_folder(),
		.note = vol_wall_is_heard() ? which : NULL,
	};
	struct vol_error err = {""};

	vol_waits_check();
	snprintf(image, sizeof(image), "%s/image", folder);
	tell_which(l, false, which);
	vol_sandbox_restore(r->sandbox, &how, &err);
	vol_waits_check();
	vol_wall_say("volunteer: image %" PRIu64 " can not be put back on "
		     "%s: %s\n",
		     l->number, r->device, err.text);
}

/* Its files are there when the task begins. */
static bool bring(const struct vol_resume *r, const struct loading *l,
		  const char *folder)
{
	char image[PATH_MAX + 8], which[WHICH_SIZE];
	struct vol_error err = {""};

	snprintf(image, sizeof(image), "%s/image", folder);
	if (vol_sandbox_bring(r->sandbox, image, &err)) {
		vol_wall_say("volunteer: image %" PRIu64 " can not be put back "
			     "on %s: %s\n",
			     l->number, r->device, err.text);
		return false;
	}
	tell_which(l, true, which);
	vol_wall_say("%s", which);
	return true;
}

enum outcome {
	BROUGHT,
	OLDER, /* this one is none for us: look for one before *before */
	AGAIN, /* no answer */
	NONE,
};

/* A reason is told when it is another one than the last. */
static enum outcome no_answer(const struct vol_resume *r, struct trying *t,
			      const char *why)
{
	if (strcmp(t->why, why) != 0)
		vol_wall_say("volunteer: no image comes to %s: %s; trying "
			     "again\n",
			     r->device, why);
	snprintf(t->why, sizeof(t->why), "%s", why);
	return AGAIN;
}

static enum outcome judge(const struct vol_resume *r, struct trying *t,
			  struct loading *l, const char *folder)
{
	switch (l->status) {
	case LOADED:
		if (r->app && bring(r, l, folder)) {
			t->brought = l->number;
			return BROUGHT;
		}
		if (r->app)
			break;
		restore(r, l, folder, t->restores > 0, t->before == 0);
		/* Once more the same. */
		if (++t->restores < RESTORES_MAX)
			return OLDER;
		break;
	case UNFIT:
		vol_wall_say("volunteer: image %" PRIu64 " is not for %s: %s\n",
			     l->number, r->device, reason(l));
		break;
	case NO_IMAGE:
		vol_wall_say("volunteer: there is no %simage of this job\n",
			     t->before ? "older " : "");
		return NONE;
	default:
		return no_answer(r, t, reason(l));
	}
	t->before = l->number;
	t->restores = 0;
	return ++t->images < IMAGES_MAX ? OLDER : NONE;
}

static enum outcome try_one(const struct vol_resume *r, struct trying *t)
{
	struct vol_error err = {""};
	char folder[PATH_MAX] = "", places[PATH_MAX + 8];
	cleanup_fd int lock = make_folder(r->job, folder, &err);
	enum outcome outcome = AGAIN;
	struct loading l;

	snprintf(places, sizeof(places), "%s/places", folder);
	if (lock < 0 ||
	    (!r->app && vol_sandbox_offer(r->sandbox, places, &err)) ||
	    load(&l, r, folder, t->before, &err)) {
		outcome = no_answer(r, t, err.text);
	} else {
		t->seconds += l.seconds;
		outcome = judge(r, t, &l, folder);
	}
	if (lock >= 0)
		vol_tree_remove(folder, NULL);
	return outcome;
}

/* false: nobody has answered. */
static bool try_all(const struct vol_resume *r, uint64_t *brought)
{
	struct trying t = {.before = 0};
	enum outcome outcome;

	while ((outcome = try_one(r, &t)) != NONE && outcome != BROUGHT) {
		if (outcome == OLDER)
			continue;
		if (t.seconds >= VOL_RESUME_TRY_S)
			return false;
		/* Time for which we are stopped does not count. */
		sleep(VOL_RESUME_PAUSE_S);
		t.seconds += VOL_RESUME_PAUSE_S;
	}
	*brought = t.brought;
	return true;
}

/* The folder that slurmstepd had gone to is still the task's. */
static int try_as_root(const struct vol_resume *r, bool *answered,
		       uint64_t *brought, struct vol_error *err)
{
	char cwd[PATH_MAX];
	struct vol_spank_ids ids;

	if (!getcwd(cwd, sizeof(cwd)))
		snprintf(cwd, sizeof(cwd), "/tmp");
	if (vol_spank_become_root(&ids, err))
		return -1;
	*answered = try_all(r, brought);
	if (vol_spank_step_back(&ids, err))
		return -1;
	return chdir(cwd) == 0
		       ? 0
		       : vol_errorf(err, "%s: %s", cwd, strerror(errno));
}

uint64_t vol_resume(const struct vol_resume *r)
{
	struct vol_error err;
	bool answered = true;
	uint64_t brought = 0;

	if (try_as_root(r, &answered, &brought, &err))
		vol_wall_say("volunteer: %s: %s\n", r->device, err.text);
	if (!answered) {
		vol_wall_say("volunteer: nobody says whether there is an image "
			     "of this job, which is queued again\n");
		_exit(VOL_EXIT_REQUEUE);
	}
	if (!brought)
		vol_wall_say("volunteer: the job starts from the beginning\n");
	return brought;
}
