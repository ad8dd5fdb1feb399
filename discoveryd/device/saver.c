/* SPDX-License-Identifier: GPL-2.0-or-later */
/* saver.c - have a frozen job saved by a process of its own */
#include "config.h"

#include "device/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "device/underling.h"
#include "text.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* Longer than a line of ours; what is longer is not looked at. */
#define LINE_SIZE 512

/* A pipe of the program's, a line at a time. */
struct lines {
	int fd;
	sd_event_source *io;
	char line[LINE_SIZE];
	size_t len;
	void (*take)(struct vol_saver *s, const char *line, size_t len);
};

struct vol_saver {
	sd_event *loop;
	struct vol_freezer *freezer;
	char *program, *conf;
	const struct vol_saver_ops *ops;
	void *arg;
	/* Of the one at hand. */
	pid_t pid; /* 0: none */
	int pidfd;
	sd_event_source *end, *timer;
	struct lines out, err;
	pid_t stepd;
	int go[2]; /* a pipe to it: a line says that the step is lent; or -1 */
	uint64_t begin_ms, until_ms;
	char late[VOL_SAVER_WHY_SIZE]; /* why it ends at until_ms */
	bool told_to_stop, written, ended;
	char stage[16];
	uint64_t stage_bytes;
	bool numbered; /* it has said what the store calls it */
	struct vol_saved result;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- what it says ---- */

static uint64_t number_of(const json_t *json, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(json, key));

	return n > 0 ? (uint64_t)n : 0;
}

static uint32_t small(uint64_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static void note_stage(struct vol_saver *s)
{
	if (s->written || strcmp(s->stage, "send") != 0)
		return;
	s->written = true;
	/* Else done says all. */
	if (!s->ended)
		s->ops->written(s->result.job, s->arg);
}

static void stop(struct vol_saver *s, const char *why, bool grace);

/* Of one that began while the step ran. */
static void stand_still(struct vol_saver *s)
{
	struct vol_error err;

	if (s->go[1] < 0 || s->told_to_stop || s->ended)
		return;
	s->ops->hold(s->result.job, s->arg);
	if (vol_freezer_lend(s->freezer, s->stepd, &err) < 0)
		stop(s, err.text, true);
	else
		(void)!write(s->go[1], "\n", 1);
}

static void take_progress(struct vol_saver *s, const char *line, size_t len)
{
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *stage = json_string_value(json_object_get(json, "stage"));
	uint64_t number = number_of(json, "number");

	if (stage) {
		snprintf(s->stage, sizeof(s->stage), "%s", stage);
		s->stage_bytes = number_of(json, "bytes");
		note_stage(s);
		if (strcmp(s->stage, "stop") == 0)
			stand_still(s);
	} else if (number && number <= UINT32_MAX) {
		s->numbered = true;
		s->result.number = (uint32_t)number;
		s->result.bytes = number_of(json, "bytes");
		s->result.memory = number_of(json, "memory");
		s->result.pre_ms = small(number_of(json, "pre_ms"));
		s->result.dump_ms = small(number_of(json, "dump_ms"));
		s->result.send_ms = small(number_of(json, "send_ms"));
	}
	json_decref(json);
}

/* The first line says it; others are of its libraries. */
static void take_reason(struct vol_saver *s, const char *line, size_t len)
{
	static const char name[] = "slurm-volunteer-image: ";
	char *why = s->result.why;

	if (*why || len == 0)
		return;
	if (len > strlen(name) && memcmp(line, name, strlen(name)) == 0) {
		line += strlen(name);
		len -= strlen(name);
	}
	snprintf(why, sizeof(s->result.why), "%.*s", (int)len, line);
	for (; *why; why++)
		if (!vol_char_printable((unsigned char)*why))
			*why = '?';
}

static void take_bytes(struct vol_saver *s, struct lines *l, const char *bytes,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			/* One that did not fit whole is still a reason. */
			l->take(s, l->line, l->len);
			l->len = 0;
		} else if (l->len < sizeof(l->line)) {
			l->line[l->len++] = bytes[i];
		}
	}
}

/* False: there will be no more. */
static bool read_lines(struct vol_saver *s, struct lines *l)
{
	char bytes[4096];
	ssize_t n = read(l->fd, bytes, sizeof(bytes));

	if (n > 0)
		take_bytes(s, l, bytes, (size_t)n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static int on_output(sd_event_source *source, int fd, uint32_t events,
		     void *arg)
{
	struct vol_saver *s = arg;

	(void)events;
	if (!read_lines(s, fd == s->out.fd ? &s->out : &s->err))
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

/* What is in the pipe when the program has ended.  Somebody who has inherited
 * it may go on writing. */
static void read_rest(struct vol_saver *s, struct lines *l)
{
	char bytes[64 * 1024];
	ssize_t n = read(l->fd, bytes, sizeof(bytes));

	if (n > 0)
		take_bytes(s, l, bytes, (size_t)n);
	if (l->len > 0)
		l->take(s, l->line, l->len);
	l->len = 0;
}

/* ---- its end ---- */

static void close_lines(struct lines *l)
{
	l->io = sd_event_source_disable_unref(l->io);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->len = 0;
}

void vol_saver_give_back(struct vol_saver *s)
{
	if (s->stepd)
		vol_freezer_take_back(s->freezer, s->stepd);
	s->stepd = 0;
}

static void close_go(struct vol_saver *s)
{
	for (int i = 0; i < 2; i++) {
		if (s->go[i] >= 0)
			close(s->go[i]);
		s->go[i] = -1;
	}
}

/* With its process reaped, or none begun. */
static void forget(struct vol_saver *s)
{
	close_go(s);
	s->end = sd_event_source_disable_unref(s->end);
	s->timer = sd_event_source_disable_unref(s->timer);
	close_lines(&s->out);
	close_lines(&s->err);
	if (s->pidfd >= 0)
		close(s->pidfd);
	s->pidfd = -1;
	s->pid = 0;
	vol_saver_give_back(s);
}

static void judge(struct vol_saver *s, const siginfo_t *si)
{
	struct vol_saved *r = &s->result;
	bool exited = si->si_code == CLD_EXITED;

	/* Kept by the controller is kept, also at the last moment. */
	r->saved =
		exited && si->si_status == VOL_SAVER_EXIT_SAVED && s->numbered;
	r->took_ms = now_ms() - s->begin_ms;
	if (r->saved)
		*r->why = '\0';
	else if (!*r->why && exited && si->si_status == VOL_SAVER_EXIT_SAVED)
		snprintf(r->why, sizeof(r->why),
			 "no number of an image was told");
	else if (!*r->why)
		snprintf(r->why, sizeof(r->why), "%.100s ended with %s %d",
			 s->program, exited ? "status" : "signal",
			 si->si_status);
}

static void tidy_up(const struct vol_saver *s);

static int on_end(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct vol_saver *s = arg;
	struct vol_saved result;
	siginfo_t si = {0};

	(void)source;
	(void)events;
	if (waitid(P_PIDFD, (id_t)fd, &si, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    si.si_pid == 0)
		return 0;
	/* Before it is reaped: until then its number is that of its group. */
	kill(-s->pid, SIGKILL);
	(void)waitid(P_PIDFD, (id_t)fd, &si, WEXITED);
	s->ended = true;
	read_rest(s, &s->out);
	read_rest(s, &s->err);
	judge(s, &si);
	if (si.si_code != CLD_EXITED)
		tidy_up(s);
	result = s->result;
	forget(s);
	s->ops->done(&result, s->arg);
	return 0;
}

static void set_timer(struct vol_saver *s, uint64_t at_ms)
{
	sd_event_source_set_time(s->timer, at_ms * 1000);
	sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

static void stop(struct vol_saver *s, const char *why, bool grace)
{
	if (!s->told_to_stop)
		snprintf(s->result.why, sizeof(s->result.why), "%s", why);
	if (grace && !s->told_to_stop) {
		(void)pidfd_send_signal(s->pidfd, SIGTERM, NULL, 0);
		set_timer(s, now_ms() + VOL_SAVER_GRACE_MS);
	} else {
		kill(-s->pid, SIGKILL);
	}
	s->told_to_stop = true;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_saver *s = arg;

	(void)source;
	(void)usec;
	stop(s, s->late, true);
	return 0;
}

void vol_saver_limit(struct vol_saver *s, uint64_t ms, const char *why)
{
	uint64_t until_ms = now_ms() + ms;

	if (!s->pid)
		return;
	if (ms == 0) {
		stop(s, why, false);
		vol_saver_give_back(s);
	} else if (!s->told_to_stop && until_ms < s->until_ms) {
		snprintf(s->late, sizeof(s->late), "%s", why);
		s->until_ms = until_ms;
		set_timer(s, until_ms);
	}
}

/* ---- its start ---- */

/* A save that was killed can not do it.  Nobody's child: nothing waits for it.
 */
static void tidy_up(const struct vol_saver *s)
{
	char conf[PATH_MAX + 8];
	const char *argv[] = {s->program, conf, "tidy", NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = -1;

	if (null >= 0 && snprintf(conf, sizeof(conf), "--conf=%s", s->conf) <
				 (int)sizeof(conf))
		pid = fork();
	if (pid == 0) {
		pid = getpid();
		if (fork() == 0)
			vol_underling_become(argv, 0, null, null, null);
		_exit(0);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	if (null >= 0)
		close(null);
}

static int launch(struct vol_saver *s, const struct vol_step *step, uint64_t ms,
		  uint64_t grace_ms, int out, int err)
{
	cleanup_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char conf[PATH_MAX + 8], wait[48], job[32], restarts[32], cause[32];
	char signal[32], grace[48];
	char cgroup[VOL_CGROUP_SIZE + sizeof(CGROUP_ROOT "/user")];
	const char *argv[16] = {s->program, conf,     wait, "--progress",
				job,        restarts, cause};
	size_t n = 7;
	pid_t we = getpid();

	if (snprintf(conf, sizeof(conf), "--conf=%s", s->conf) >=
	    (int)sizeof(conf)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(wait, sizeof(wait), "--wait=%" PRIu64 "ms", ms);
	snprintf(job, sizeof(job), "--job=%" PRIu32, step->job);
	snprintf(restarts, sizeof(restarts), "--restarts=%" PRIu32,
		 step->restarts);
	snprintf(cause, sizeof(cause), "--cause=%s",
		 vol_ckcause_names[s->result.cause]);
	snprintf(cgroup, sizeof(cgroup), CGROUP_ROOT "%s/user", step->cgroup);
	snprintf(signal, sizeof(signal), "--signal=%" PRIu32, step->signal);
	snprintf(grace, sizeof(grace), "--grace=%" PRIu64 "ms", grace_ms);
	if (s->go[0] >= 0)
		argv[n++] = "--pre";
	if (step->signal)
		argv[n++] = "--files";
	if (step->signal && grace_ms) {
		argv[n++] = signal;
		argv[n++] = grace;
	}
	argv[n++] = "save";
	argv[n] = cgroup;
	s->pid = fork();
	if (s->pid == 0)
		vol_underling_become(argv, we, s->go[0] >= 0 ? s->go[0] : null,
				     out, err);
	if (s->pid < 0) {
		s->pid = 0;
		return -1;
	}
	/* Both do it: neither may be late. */
	(void)setpgid(s->pid, s->pid);
	return 0;
}

static int open_lines(struct vol_saver *s, struct lines *l, int *other)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	l->fd = ends[0];
	*other = ends[1];
	if (fcntl(l->fd, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	r = sd_event_add_io(s->loop, &l->io, l->fd, EPOLLIN, on_output, s);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}

static int watch(struct vol_saver *s)
{
	int r;

	s->pidfd = pidfd_open(s->pid, 0);
	if (s->pidfd < 0)
		return -1;
	r = sd_event_add_io(s->loop, &s->end, s->pidfd, EPOLLIN, on_end, s);
	if (r >= 0)
		r = sd_event_add_time(s->loop, &s->timer, CLOCK_BOOTTIME,
				      s->until_ms * 1000, 0, on_timer, s);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}

static void kill_now(struct vol_saver *s)
{
	if (!s->pid)
		return;
	/* No longer than the kernel needs. */
	kill(-s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
}

static int begin(struct vol_saver *s, const struct vol_step *step,
		 enum vol_ckcause cause, uint64_t ms, uint64_t grace_ms,
		 struct vol_error *err)
{
	cleanup_fd int out = -1, errors = -1;

	s->stepd = step->stepd;
	s->begin_ms = now_ms();
	s->until_ms = s->begin_ms + ms;
	snprintf(s->late, sizeof(s->late), "it took too long");
	s->told_to_stop = s->numbered = s->written = s->ended = false;
	*s->stage = '\0';
	s->stage_bytes = 0;
	s->result = (struct vol_saved){.job = step->job, .cause = cause};
	if (open_lines(s, &s->out, &out) == 0 &&
	    open_lines(s, &s->err, &errors) == 0 &&
	    launch(s, step, ms, grace_ms, out, errors) == 0 && watch(s) == 0)
		return 0;
	vol_errorf(err, "can not run %.60s: %s", s->program, strerror(errno));
	kill_now(s);
	forget(s);
	return -1;
}

static int check_free(const struct vol_saver *s, struct vol_error *err)
{
	return s->pid ? vol_errorf_errno(err, EBUSY,
					 "another job is being saved")
		      : 0;
}

int vol_saver_begin(struct vol_saver *s, const struct vol_step *step,
		    enum vol_ckcause cause, uint64_t ms, uint64_t grace_ms,
		    struct vol_error *err)
{
	if (check_free(s, err) < 0 ||
	    vol_freezer_lend(s->freezer, step->stepd, err) < 0)
		return -1;
	return begin(s, step, cause, ms, grace_ms, err);
}

int vol_saver_begin_before(struct vol_saver *s, const struct vol_step *step,
			   uint64_t ms, struct vol_error *err)
{
	if (check_free(s, err) < 0)
		return -1;
	if (pipe2(s->go, O_CLOEXEC) < 0) {
		s->go[0] = s->go[1] = -1;
		return vol_errorf(err, "pipe: %s", strerror(errno));
	}
	return begin(s, step, VOL_CKCAUSE_PERIODIC, ms, 0, err);
}

/* ---- questions ---- */

uint32_t vol_saver_job(const struct vol_saver *s)
{
	return s->pid ? s->result.job : 0;
}

enum vol_ckcause vol_saver_cause(const struct vol_saver *s)
{
	return s->result.cause;
}

bool vol_saver_written(const struct vol_saver *s)
{
	return s->written;
}

json_t *vol_saver_json(const struct vol_saver *s)
{
	if (!s->pid)
		return json_null();
	return json_pack("{s:I, s:s, s:s, s:I}", "job",
			 (json_int_t)s->result.job, "cause",
			 vol_ckcause_names[s->result.cause], "stage",
			 *s->stage ? s->stage : "dump", "bytes",
			 (json_int_t)s->stage_bytes);
}

/* ---- life ---- */

struct vol_saver *vol_saver_create(sd_event *loop, struct vol_freezer *freezer,
				   const char *program, const char *conf,
				   const struct vol_saver_ops *ops, void *arg,
				   struct vol_error *err)
{
	struct vol_saver *s = calloc(1, sizeof(*s));

	if (s) {
		s->loop = sd_event_ref(loop);
		s->pidfd = s->out.fd = s->err.fd = -1;
		s->go[0] = s->go[1] = -1;
		s->out.take = take_progress;
		s->err.take = take_reason;
		s->freezer = freezer;
		s->program = strdup(program);
		s->conf = strdup(conf);
		s->ops = ops;
		s->arg = arg;
	}
	if (s && s->program && s->conf) {
		/* One before us may have been killed with its program. */
		tidy_up(s);
		return s;
	}
	vol_errorf_errno(err, ENOMEM, "out of memory");
	vol_saver_destroy(s);
	return NULL;
}

void vol_saver_destroy(struct vol_saver *s)
{
	int saved = errno;

	if (!s)
		return;
	kill_now(s);
	forget(s);
	sd_event_unref(s->loop);
	free(s->program);
	free(s->conf);
	free(s);
	errno = saved;
}
