/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slurmd.c - keep the one slurmd running that the controller expects
 *
 * phase is what we do, the reported state (down, starting, up) what the
 * controller should think of it.
 */
#include "config.h"

#include "device/slurmd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomicfile.h"
#include "backoff.h"
#include "cleanup.h"
#include "log.h"

/* Written before slurmd starts, for whoever asks whether this is a device. */
#define MARKER VOL_RUN_DIR "/device"
/* A controller host with two clusters has a munge for each, so slurm.conf,
 * which slurmd is sent, must say where that of the volunteers is: here.  A
 * device is in one cluster and has one munge. */
#define MUNGE_ALIAS VOL_RUN_DIR "/munge"
#define MUNGE       "/run/munge"

#define RESTART_MIN_MS 200
#define RESTART_MAX_MS 30000
/* A run that long was no failed start. */
#define GOOD_RUN_US (60 * 1000 * 1000ULL)
/* Without evidence (no SPANK plugin, an old controller): it lives, so it is
 * up. */
#define UP_US (5 * 1000 * 1000ULL)
/* slurmd waits for prologs and epilogs before it ends. */
#define STOP_US (10 * 1000 * 1000ULL)

/* execve puts SIGHUP back to its default, which kills: a slurmd that begins
 * again must not get another one. */
#define HUP_GAP_US (3 * 1000 * 1000ULL)

/* slurmctld takes a batch job that its node does not name for lost when that
 * was to begin BatchStartTimeout and MessageTimeout ago, 10 seconds each
 * (_purge_missing_jobs of job_mgr.c). */
#define LOST_US (25 * 1000 * 1000ULL)

enum phase {
	PHASE_NONE,     /* nothing runs, nothing is due */
	PHASE_RESTING,  /* timer: start */
	PHASE_LAUNCHED, /* systemd is at it */
	PHASE_RUNNING,  /* timer: up */
	PHASE_STOPPING, /* timer: SIGKILL */
};

struct vol_slurmd {
	sd_event *loop;
	bool systemd;
	const struct vol_slurmd_paths *paths;
	const struct vol_slurmd_ops *ops;
	void *arg;
	enum phase phase;
	enum vol_slurmd_state state;
	struct vol_slurmd_spec wanted, running;
	char last[VOL_NODE_NAME_SIZE]; /* node of the steps that may be left */
	struct vol_slurmd_unit *unit;
	pid_t pid;
	int pidfd;
	sd_event_source *end, *timer, *hup_timer, *lost_timer;
	uint64_t started_us, hup_us;
	struct vol_backoff backoff;
	bool leaving;      /* stop was asked for */
	bool unwanted;     /* an end, without an end of ours */
	bool hup_due;      /* once it is up */
	bool told_to_wait; /* logged that a new name waits for steps */
};

static void arm_hup(struct vol_slurmd *s)
{
	uint64_t now = 0, free_at = s->hup_us + HUP_GAP_US;

	s->hup_due = false;
	sd_event_now(s->loop, CLOCK_MONOTONIC, &now);
	sd_event_source_set_time(s->hup_timer, now < free_at ? free_at : 0);
	sd_event_source_set_enabled(s->hup_timer, SD_EVENT_ONESHOT);
}

static void set_state(struct vol_slurmd *s, enum vol_slurmd_state state)
{
	if (s->state == state)
		return;
	s->state = state;
	if (state == VOL_SLURMD_UP && s->hup_due)
		arm_hup(s);
	s->ops->changed(state, s->arg);
}

static void set_timer(struct vol_slurmd *s, uint64_t usec)
{
	sd_event_source_set_time_relative(s->timer, usec);
	sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

static void rest(struct vol_slurmd *s)
{
	s->phase = PHASE_RESTING;
	set_timer(s, vol_backoff_next(&s->backoff) * 1000);
}

/* ---- the end of a slurmd ---- */

static void log_end(struct vol_slurmd *s)
{
	siginfo_t si = {0};

	/* An adopted one is not our child. */
	if (waitid(P_PIDFD, (id_t)s->pidfd, &si, WEXITED | WNOHANG) < 0)
		si.si_pid = 0;
	if (s->phase == PHASE_STOPPING)
		vol_info("slurmd[%d] ended", s->pid);
	else if (si.si_pid && si.si_code == CLD_EXITED)
		vol_warn("slurmd[%d] ended with status %d; its log: %s", s->pid,
			 si.si_status,
			 s->systemd ? "journalctl -u slurm-volunteer-slurmd"
				    : s->paths->log);
	else if (si.si_pid)
		vol_warn("slurmd[%d] was killed by signal %d", s->pid,
			 si.si_status);
	else
		vol_warn("slurmd[%d] ended", s->pid);
}

static void forget(struct vol_slurmd *s)
{
	s->end = sd_event_source_disable_unref(s->end);
	if (s->pidfd >= 0)
		close(s->pidfd);
	s->pidfd = -1;
	s->pid = 0;
	s->hup_due = false;
	memset(&s->running, 0, sizeof(s->running));
}

static void reconcile(struct vol_slurmd *s);

/* It also says whose the steps are that outlive slurmd. */
static void remove_marker(struct vol_slurmd *s)
{
	if (!s->ops->busy(s->arg))
		unlink(MARKER);
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct vol_slurmd *s = arg;
	bool expected = s->phase == PHASE_STOPPING;
	uint64_t now = 0;

	(void)source;
	(void)fd;
	(void)events;
	log_end(s);
	forget(s);
	sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	sd_event_now(s->loop, CLOCK_MONOTONIC, &now);
	if (now - s->started_us > GOOD_RUN_US)
		vol_backoff_reset(&s->backoff);
	s->phase = PHASE_NONE;
	set_state(s, VOL_SLURMD_DOWN);
	if (s->leaving) {
		remove_marker(s);
		s->ops->stopped(s->arg);
	} else if (expected) {
		reconcile(s);
	} else {
		rest(s);
	}
	return 0;
}

/* ---- the start of one ---- */

static void watch(struct vol_slurmd *s, pid_t pid)
{
	int r;

	memcpy(s->last, s->running.node, sizeof(s->last));
	s->pid = pid;
	s->pidfd = pidfd_open(pid, 0);
	r = s->pidfd < 0 ? -errno
			 : sd_event_add_io(s->loop, &s->end, s->pidfd, EPOLLIN,
					   on_end, s);
	if (r < 0) {
		/* It has ended already, or we are out of descriptors. */
		vol_warn("can not watch slurmd[%d]: %s", pid, strerror(-r));
		forget(s);
		rest(s);
		return;
	}
	sd_event_now(s->loop, CLOCK_MONOTONIC, &s->started_us);
	s->phase = PHASE_RUNNING;
	set_timer(s, UP_US);
}

static void on_unit(pid_t pid, const char *reason, void *arg)
{
	struct vol_slurmd *s = arg;

	vol_slurmd_unit_destroy(s->unit);
	s->unit = NULL;
	if (pid > 0) {
		vol_info("slurmd[%d] started as node %s by systemd", pid,
			 s->running.node);
		watch(s, pid);
	} else {
		vol_warn("slurmd did not start: %s", reason);
		memset(&s->running, 0, sizeof(s->running));
		set_state(s, VOL_SLURMD_DOWN);
		rest(s);
	}
	if (s->leaving)
		vol_slurmd_stop(s);
	else
		reconcile(s); /* with what was wished for meanwhile */
}

static void launch(struct vol_slurmd *s, struct vol_error *err)
{
	pid_t pid;

	if (s->systemd) {
		s->unit = vol_slurmd_start_unit(s->loop, s->paths, &s->running,
						on_unit, s, err);
		if (s->unit)
			s->phase = PHASE_LAUNCHED;
		return;
	}
	pid = vol_slurmd_start_child(s->paths, &s->running, err);
	if (pid > 0) {
		vol_info("slurmd[%d] started as node %s, controller %s", pid,
			 s->running.node, s->running.conf_server);
		watch(s, pid);
	}
}

/* One that runs although we do not know of it: we were killed, or lost sight of
 * it while it began. */
static bool adopt(struct vol_slurmd *s)
{
	struct vol_slurmd_spec spec;
	pid_t pid = vol_procs_find_slurmd("", &spec);

	if (pid == 0)
		return false;
	s->running = spec;
	vol_info("slurmd[%d] runs already as node %s, controller %s", pid,
		 s->running.node, s->running.conf_server);
	watch(s, pid);
	return s->phase == PHASE_RUNNING;
}

static void start(struct vol_slurmd *s)
{
	struct vol_error err;

	if (symlink(MUNGE, MUNGE_ALIAS) < 0 && errno != EEXIST)
		vol_warn("%s: %s", MUNGE_ALIAS, strerror(errno));
	if (vol_file_replace(MARKER, s->wanted.node, strlen(s->wanted.node),
			     0644, 0, &err) < 0)
		vol_warn("%s", err.text);
	s->running = s->wanted;
	s->phase = PHASE_NONE;
	launch(s, &err);
	if (s->phase != PHASE_NONE) {
		set_state(s, VOL_SLURMD_STARTING);
		return;
	}
	vol_err("slurmd can not be started: %s", err.text);
	memset(&s->running, 0, sizeof(s->running));
	rest(s);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_slurmd *s = arg;

	(void)source;
	(void)usec;
	switch (s->phase) {
	case PHASE_RESTING:
		s->phase = PHASE_NONE;
		reconcile(s);
		break;
	case PHASE_RUNNING:
		set_state(s, VOL_SLURMD_UP);
		break;
	case PHASE_STOPPING:
		vol_warn("slurmd[%d] does not end, killing it", s->pid);
		pidfd_send_signal(s->pidfd, SIGKILL, NULL, 0);
		break;
	case PHASE_NONE:
	case PHASE_LAUNCHED:
		break;
	}
	return 0;
}

static int on_hup_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_slurmd *s = arg;

	(void)source;
	(void)usec;
	if (s->phase != PHASE_RUNNING || s->state != VOL_SLURMD_UP)
		return 0;
	sd_event_now(s->loop, CLOCK_MONOTONIC, &s->hup_us);
	/* It would die of it. */
	if (!vol_procs_catches("", s->pid, SIGHUP)) {
		arm_hup(s);
		return 0;
	}
	if (pidfd_send_signal(s->pidfd, SIGHUP, NULL, 0) < 0)
		vol_warn("slurmd[%d]: %s", s->pid, strerror(errno));
	return 0;
}

static void terminate(struct vol_slurmd *s)
{
	if (pidfd_send_signal(s->pidfd, SIGTERM, NULL, 0) < 0)
		vol_debug("slurmd[%d]: %s", s->pid, strerror(errno));
	s->phase = PHASE_STOPPING;
	set_timer(s, STOP_US);
}

/* Under another name slurmd would not know its steps: they end first. */
static bool wait_for_steps(struct vol_slurmd *s)
{
	if (!s->last[0] || !strcmp(s->last, s->wanted.node) ||
	    !s->ops->busy(s->arg)) {
		s->told_to_wait = false;
		return false;
	}
	if (!s->told_to_wait)
		vol_warn("node %s is to become %s as soon as its job steps "
			 "have ended",
			 s->last, s->wanted.node);
	s->told_to_wait = true;
	return true;
}

/* Bring what runs in line with what is wanted. */
static void reconcile(struct vol_slurmd *s)
{
	bool renamed;

	if (s->unwanted && s->phase == PHASE_RUNNING) {
		vol_info("stopping slurmd[%d]: no controller wants it", s->pid);
		terminate(s);
	}
	if (!s->wanted.node[0] || s->leaving)
		return;
	if (s->phase == PHASE_NONE && adopt(s))
		set_state(s, VOL_SLURMD_STARTING);
	if (s->phase == PHASE_NONE && !wait_for_steps(s))
		start(s);
	renamed = strcmp(s->running.node, s->wanted.node) != 0;
	if (s->phase != PHASE_RUNNING ||
	    (!renamed && !strcmp(s->running.conf, s->wanted.conf) &&
	     !strcmp(s->running.conf_server, s->wanted.conf_server) &&
	     !strcmp(s->running.view, s->wanted.view)) ||
	    wait_for_steps(s))
		return;
	vol_info("restarting slurmd[%d]: %s", s->pid,
		 renamed ? "the node has another name"
			 : "its settings have changed");
	terminate(s);
}

/* ---- interface ---- */

/* The node whose steps may still be here though its slurmd is not. */
static void read_marker(struct vol_slurmd *s)
{
	cleanup_free char *node = NULL;
	size_t len;

	node = vol_file_read(MARKER, sizeof(s->last) - 1, &len, NULL);
	if (node && vol_node_name_valid(node))
		memcpy(s->last, node, len + 1);
}

static int on_lost_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	vol_slurmd_reregister(arg, "a slurmstepd was killed");
	return 0;
}

struct vol_slurmd *vol_slurmd_create(sd_event *loop, bool systemd,
				     const struct vol_slurmd_paths *paths,
				     const struct vol_slurmd_ops *ops,
				     void *arg, struct vol_error *err)
{
	struct vol_slurmd *s = calloc(1, sizeof(*s));
	int r;

	if (!s) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	s->loop = sd_event_ref(loop);
	s->systemd = systemd;
	s->paths = paths;
	s->ops = ops;
	s->arg = arg;
	s->pidfd = -1;
	vol_backoff_init(&s->backoff, RESTART_MIN_MS, RESTART_MAX_MS,
			 (uint64_t)getpid());
	r = sd_event_add_time_relative(loop, &s->timer, CLOCK_MONOTONIC, 0, 0,
				       on_timer, s);
	if (r >= 0)
		r = sd_event_add_time(loop, &s->hup_timer, CLOCK_MONOTONIC, 0,
				      0, on_hup_timer, s);
	if (r >= 0)
		r = sd_event_add_time(loop, &s->lost_timer, CLOCK_MONOTONIC, 0,
				      0, on_lost_timer, s);
	if (r < 0) {
		vol_errorf_errno(err, -r, "slurmd timer: %s", strerror(-r));
		vol_slurmd_destroy(s);
		return NULL;
	}
	sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(s->hup_timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(s->lost_timer, SD_EVENT_OFF);
	read_marker(s);
	if (adopt(s))
		s->state = VOL_SLURMD_UP;
	return s;
}

void vol_slurmd_destroy(struct vol_slurmd *s)
{
	int saved = errno;

	if (!s)
		return;
	vol_slurmd_unit_destroy(s->unit);
	forget(s);
	sd_event_source_disable_unref(s->timer);
	sd_event_source_disable_unref(s->hup_timer);
	sd_event_source_disable_unref(s->lost_timer);
	sd_event_unref(s->loop);
	free(s);
	errno = saved;
}

void vol_slurmd_want(struct vol_slurmd *s, const struct vol_slurmd_spec *spec)
{
	bool news = memcmp(&s->wanted, spec, sizeof(*spec)) != 0;

	s->wanted = *spec;
	s->unwanted = false;
	/* Another controller or other figures: what failed may work now. */
	if (news && s->phase == PHASE_RESTING) {
		vol_backoff_reset(&s->backoff);
		rest(s);
	}
	reconcile(s);
}

void vol_slurmd_unwant(struct vol_slurmd *s)
{
	memset(&s->wanted, 0, sizeof(s->wanted));
	s->unwanted = true;
	reconcile(s);
}

void vol_slurmd_reregister(struct vol_slurmd *s, const char *reason)
{
	if (s->phase != PHASE_RUNNING)
		return;
	vol_info("slurmd[%d] is to register again: %s", s->pid, reason);
	/* One that is starting may not handle the signal yet. */
	s->hup_due = true;
	if (s->state == VOL_SLURMD_UP)
		arm_hup(s);
}

void vol_slurmd_lost(struct vol_slurmd *s)
{
	sd_event_source_set_time_relative(s->lost_timer, LOST_US);
	sd_event_source_set_enabled(s->lost_timer, SD_EVENT_ONESHOT);
}

void vol_slurmd_confirm(struct vol_slurmd *s)
{
	if (s->phase != PHASE_RUNNING)
		return;
	sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	set_state(s, VOL_SLURMD_UP);
}

void vol_slurmd_idle(struct vol_slurmd *s)
{
	reconcile(s);
}

void vol_slurmd_stop(struct vol_slurmd *s)
{
	s->leaving = true;
	switch (s->phase) {
	case PHASE_RUNNING:
		terminate(s);
		break;
	case PHASE_LAUNCHED: /* on_unit comes back here */
	case PHASE_STOPPING:
		break;
	case PHASE_NONE:
	case PHASE_RESTING:
		sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
		s->phase = PHASE_NONE;
		remove_marker(s);
		s->ops->stopped(s->arg);
		break;
	}
}

enum vol_slurmd_state vol_slurmd_state(const struct vol_slurmd *s)
{
	return s->state;
}

pid_t vol_slurmd_pid(const struct vol_slurmd *s)
{
	return s->pid;
}

const char *vol_slurmd_node(const struct vol_slurmd *s)
{
	return s->running.node;
}
