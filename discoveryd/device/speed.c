/* SPDX-License-Identifier: GPL-2.0-or-later */
/* speed.c - how fast one core of this machine is */
#include "config.h"

#include "device/speed.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "device/sensors/sysfile.h"
#include "link.h"
#include "log.h"
#include "text.h"
#include "thread.h"

#define MIX 1 /* raised with any change of one_round */
/* Many short ones, far apart: on a machine that does other things, too, some
 * fall into a quiet moment.  (On a loaded virtual machine eight of 5 ms in a
 * row varied by a half, these by a hundredth most of the time.) */
#define SAMPLES   40
#define SAMPLE_NS 1000000
#define GAP_MS    50
/* Fits into any first level of caches: what lies behind is shared with others,
 * and varies with what they do. */
#define TABLE_BYTES (24 * 1024)
#define TABLE_SIZE  (TABLE_BYTES / sizeof(uint32_t))
#define STEPS       1024 /* of a round: a few us */
/* Makes 1000 of what the reference does: rounds in a tenth of a second. */
#define REFERENCE_NS 100000000
#define REFERENCE    40
#define FILE_BYTES   512
#define STACK_BYTES  (64 * 1024)

struct vol_speed {
	void (*done)(void *arg);
	void *arg;
	sd_event_source *io;
	char *path;
	char model[VOL_SPEED_MODEL_SIZE];
	pthread_t thread;
	bool started;
	int news; /* eventfd of the thread */
	int halt; /* and for it */
	_Atomic bool stop;
	_Atomic uint32_t measured;
	uint32_t speed;
};

/* ---- the mix ---- */

/* One cycle through all places (Sattolo), the same on every machine. */
static void make_cycle(uint32_t *table)
{
	uint64_t x = 88172645463325252u;
	uint32_t i, j, t;

	for (i = 0; i < TABLE_SIZE; i++)
		table[i] = i;
	for (i = TABLE_SIZE - 1; i > 0; i--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		j = (uint32_t)(x % i);
		t = table[i];
		table[i] = table[j];
		table[j] = t;
	}
}

/* Three chains, none of which a compiler or a CPU can shorten; what comes of
 * them is returned so that they are not left out. */
static uint32_t one_round(const uint32_t *table, uint32_t seed)
{
	uint32_t at = seed % TABLE_SIZE, hash = seed;
	double x = 1.0 + 1.0 / (1.0 + seed);

	for (int i = 0; i < STEPS; i++) {
		at = table[at];
		hash = (hash ^ at) * 16777619u;
		hash ^= hash >> 15;
		x = x * 1.0000001 + 1e-9 * at;
		x = x > 2.0 ? x * 0.5 : x;
	}
	return hash ^ (uint32_t)(x * 1000);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint32_t sample(const uint32_t *table)
{
	uint64_t begin = cpu_ns(), used, rounds = 0;
	volatile uint32_t result = 1;

	do {
		result = one_round(table, result);
		rounds++;
		used = cpu_ns() - begin;
	} while (used < SAMPLE_NS);
	rounds = rounds * REFERENCE_NS / used / REFERENCE;
	return rounds < VOL_SPEED_MAX ? (uint32_t)rounds : VOL_SPEED_MAX;
}

uint32_t vol_speed_sample(void)
{
	cleanup_free uint32_t *table = malloc(TABLE_BYTES);

	if (!table)
		return 0;
	make_cycle(table);
	return sample(table);
}

/* ---- the thread ---- */

/* Until the next sample is due; false: there will be none. */
static bool wait_on(const struct vol_speed *s)
{
	struct pollfd fd = {.fd = s->halt, .events = POLLIN};

	return poll(&fd, 1, GAP_MS) == 0 && !s->stop;
}

static void *run(void *arg)
{
	static const struct sched_param none = {0};
	const uint64_t one = 1;
	struct vol_speed *s = arg;
	uint32_t *table = malloc(TABLE_BYTES), best = 0, now;

	/* Of this thread only. */
	(void)sched_setscheduler(0, SCHED_IDLE, &none);
	if (table)
		make_cycle(table);
	for (int i = 0; table && i < SAMPLES && wait_on(s); i++) {
		now = sample(table);
		best = now > best ? now : best;
	}
	free(table);
	if (!s->stop)
		s->measured = best;
	(void)!write(s->news, &one, sizeof(one));
	return NULL;
}

static int start_thread(struct vol_speed *s, struct vol_error *err)
{
	int rc = vol_thread_start(&s->thread, STACK_BYTES, run, s);

	if (rc)
		return vol_errorf_errno(err, rc, "speed: no thread: %s",
					strerror(rc));
	s->started = true;
	return 0;
}

static void join(struct vol_speed *s)
{
	static const struct sched_param none = {0};
	const uint64_t one = 1;

	if (!s->started)
		return;
	/* At SCHED_IDLE it might not run for long on a busy machine. */
	s->stop = true;
	(void)!write(s->halt, &one, sizeof(one));
	(void)pthread_setschedparam(s->thread, SCHED_OTHER, &none);
	pthread_join(s->thread, NULL);
	s->started = false;
}

/* ---- the file ---- */

void vol_speed_model(const char *root, char model[VOL_SPEED_MODEL_SIZE])
{
	static const char *const keys[] = {"model name", "cpu model", "cpu",
					   "CPU part"};
	char text[4096];
	struct utsname uts;
	const char *at;

	*model = '\0';
	vol_sysfile_read(root, text, sizeof(text), "/proc/cpuinfo");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		at = strstr(text, keys[i]);
		if (!at || (at != text && at[-1] != '\n') ||
		    strcspn(at, ":") > strcspn(at, "\n") || !strchr(at, ':'))
			continue;
		at = strchr(at, ':') + 1;
		at += strspn(at, " \t");
		snprintf(model, VOL_SPEED_MODEL_SIZE, "%.*s",
			 (int)strcspn(at, "\n"), at);
		if (*model)
			break;
		at = NULL;
	}
	if (!*model && uname(&uts) == 0)
		snprintf(model, VOL_SPEED_MODEL_SIZE, "%s", uts.machine);
	for (char *p = model; *p; p++)
		if (!vol_char_printable((unsigned char)*p))
			*p = '?';
}

static int format(const struct vol_speed *s, uint32_t speed,
		  char text[FILE_BYTES])
{
	return snprintf(text, FILE_BYTES, "%d %" PRIu32 " %s\n", MIX, speed,
			s->model);
}

static uint32_t load(const struct vol_speed *s)
{
	cleanup_free char *text =
		vol_file_read(s->path, FILE_BYTES - 1, NULL, NULL);
	char again[FILE_BYTES];
	uint32_t speed;

	/* Of another mix, another CPU, or damaged: measured again. */
	if (!text || sscanf(text, "%*d %" SCNu32, &speed) != 1 || speed == 0 ||
	    speed > VOL_SPEED_MAX)
		return 0;
	format(s, speed, again);
	return strcmp(text, again) == 0 ? speed : 0;
}

static int on_news(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct vol_speed *s = arg;
	char text[FILE_BYTES];
	struct vol_error err;
	uint64_t n;

	(void)source;
	(void)events;
	(void)!read(fd, &n, sizeof(n));
	s->io = sd_event_source_disable_unref(s->io);
	join(s);
	if (s->measured <= s->speed)
		return 0;
	s->speed = s->measured;
	vol_info("speed of a core: %" PRIu32 " (%s)", s->speed, s->model);
	if (vol_file_replace(s->path, text, (size_t)format(s, s->speed, text),
			     0644, 1, &err) < 0)
		vol_warn("%s", err.text);
	s->done(s->arg);
	return 0;
}

/* ---- life ---- */

struct vol_speed *vol_speed_create(sd_event *loop, const char *state_dir,
				   const char *root, void (*done)(void *arg),
				   void *arg, struct vol_error *err)
{
	struct vol_speed *s = calloc(1, sizeof(*s));
	int r;

	if (!s || asprintf(&s->path, "%s/speed", state_dir) < 0) {
		free(s);
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	s->done = done;
	s->arg = arg;
	s->news = s->halt = -1;
	vol_speed_model(root, s->model);
	s->speed = load(s);
	s->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->halt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->news < 0 || s->halt < 0) {
		vol_errorf(err, "speed: %s", strerror(errno));
		goto error;
	}
	r = sd_event_add_io(loop, &s->io, s->news, EPOLLIN, on_news, s);
	if (r < 0) {
		vol_errorf_errno(err, -r, "speed: %s", strerror(-r));
		goto error;
	}
	if (start_thread(s, err) < 0)
		goto error;
	return s;
error:
	vol_speed_destroy(s);
	return NULL;
}

void vol_speed_destroy(struct vol_speed *s)
{
	int saved = errno;

	if (!s)
		return;
	join(s);
	sd_event_source_disable_unref(s->io);
	if (s->news >= 0)
		close(s->news);
	if (s->halt >= 0)
		close(s->halt);
	free(s->path);
	free(s);
	errno = saved;
}

uint32_t vol_speed_get(const struct vol_speed *s)
{
	return s->speed;
}
