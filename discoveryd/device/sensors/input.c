/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input.c - sensor: the devices that a person touches
 *
 * Finds them and hands their descriptors to the reflex, which alone reads
 * them.  What is wanted is a path, or all of /dev/input/event*; the deepest
 * folder above it that exists is watched for the next name on the way, so
 * that devices, folders and FIFOs may come and go at any time.
 */
#include "config.h"

#include "device/sensors/sensor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/input.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

/* The reflex tells of input once a second while it goes on.  An owner who wants
 * to wait for less than this does not mean it so. */
#define HOLD_MS 3000

#define EVENTS "/dev/input/event"

#define WATCH_SELF (IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
/* A node may get its permissions only after it was made. */
#define WATCH_DEVICES \
	(IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM)

struct device {
	struct device *next;
	char path[];
};

struct want {
	struct want *next;
	struct input *input;
	sd_event_source *watch;
	char folder[PATH_MAX];  /* watched; "" = none */
	const char *awaited;    /* the name in it: part of path */
	struct device *devices; /* known, as long as their names are there */
	struct vol_error why;   /* the last one that does not work, or "" */
	bool all;               /* path is the beginning of many names */
	char path[PATH_MAX];
};

struct input {
	struct vol_sensor_host *host;
	sd_event_source *timer;
	uint64_t looking_ms; /* since when there is a device that works */
	bool works;
	char *devices; /* input_devices as it was last seen */
	struct want *wants;
};

static bool test_bit(const unsigned char *bits, unsigned bit)
{
	return bits[bit / 8] & 1u << bit % 8;
}

/* Lids, speakers and sensors of movement are devices, too.  Power buttons are
 * pressed by people. */
static bool moved_by_person(int fd)
{
	unsigned char types[EV_CNT / 8 + 1] = {0}, props[8] = {0};

	if (ioctl(fd, EVIOCGBIT(0, sizeof(types)), types) < 0)
		return true;
	if (ioctl(fd, EVIOCGPROP(sizeof(props)), props) >= 0 &&
	    test_bit(props, INPUT_PROP_ACCELEROMETER))
		return false;
	return test_bit(types, EV_KEY) || test_bit(types, EV_REL) ||
	       test_bit(types, EV_ABS);
}

/* -1 with the reason in err; *fifo says what it is. */
static int open_device(const char *path, bool *fifo, struct vol_error *err)
{
	const int flags = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	cleanup_fd int fd = open(path, O_RDONLY | flags);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	*fifo = S_ISFIFO(st.st_mode);
	if (!*fifo && !S_ISCHR(st.st_mode))
		return vol_errorf_errno(
			err, EINVAL, "%s is neither a device nor a FIFO", path);
	if (*fifo) {
		/* With a writer of our own it never ends. */
		close(fd);
		fd = open(path, O_RDWR | flags);
		if (fd < 0)
			return vol_errorf(err, "%s: %s", path, strerror(errno));
	}
	return steal_fd(&fd);
}

static void forget(struct want *w, struct device **link)
{
	struct device *d = *link;

	vol_reflex_remove(w->input->host->reflex, d->path);
	vol_debug("input device %s is gone", d->path);
	*link = d->next;
	free(d);
}

static struct device **find(struct want *w, const char *path)
{
	struct device **link = &w->devices;

	while (*link && strcmp((*link)->path, path))
		link = &(*link)->next;
	return link;
}

static void try_device(struct want *w, const char *path)
{
	struct vol_reflex *reflex = w->input->host->reflex;
	struct vol_error err;
	struct device *d;
	bool fifo = false, watch;
	int fd;

	if (*find(w, path))
		return;
	fd = open_device(path, &fifo, &err);
	if (fd < 0) {
		if (strcmp(w->why.text, err.text) != 0 && errno != ENOENT)
			vol_info("input device %s", err.text);
		w->why = err;
		return;
	}
	d = malloc(sizeof(*d) + strlen(path) + 1);
	watch = fifo || !w->all || moved_by_person(fd);
	if (!d || !watch)
		close(fd);
	else if (vol_reflex_add(reflex, fd, path, &err) < 0) {
		vol_warn("input device %s: %s", path, err.text);
		w->why = err;
		free(d);
		d = NULL;
	}
	if (!d)
		return;
	w->why.text[0] = '\0';
	strcpy(d->path, path);
	d->next = w->devices;
	w->devices = d;
	vol_debug("input device %s %s", path,
		  watch ? "is watched" : "is left out");
}

/* Is this the name that is waited for?  last: of a device, not of a folder on
 * the way. */
static bool is_awaited(const struct want *w, const char *name, bool *last)
{
	size_t len = strcspn(w->awaited, "/");

	*last = w->awaited[len] == '\0';
	if (*last && w->all)
		return !strncmp(name, w->awaited, len);
	return strlen(name) == len && !strncmp(name, w->awaited, len);
}

static void try_name(struct want *w, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", w->folder, name) <
	    (int)sizeof(path))
		try_device(w, path);
}

static void try_folder(struct want *w)
{
	DIR *dir = opendir(w->folder[0] ? w->folder : "/");
	struct dirent *e;
	bool last;

	while (dir && (e = readdir(dir)) != NULL)
		if (is_awaited(w, e->d_name, &last) && last)
			try_name(w, e->d_name);
	if (dir)
		closedir(dir);
}

/* The deepest folder above the path, "" for the root; what comes next. */
static const char *next_on_way(const char *path, char folder[PATH_MAX])
{
	struct stat st;
	char *slash;

	strcpy(folder, path);
	do {
		slash = strrchr(folder, '/');
		*slash = '\0';
	} while (slash > folder &&
		 (stat(folder, &st) < 0 || !S_ISDIR(st.st_mode)));
	return path + (slash - folder) + 1;
}

static int on_change(sd_event_source *source, const struct inotify_event *event,
		     void *arg);

static void look(struct want *w)
{
	sd_event *loop = w->input->host->loop;
	char folder[PATH_MAX];

	w->awaited = next_on_way(w->path, folder);
	/* A folder may appear between the look and the watch: look again. */
	for (int i = 0; i < 8 && (!w->watch || strcmp(folder, w->folder));
	     i++) {
		uint32_t mask = IN_CREATE | IN_MOVED_TO;
		int r;

		sd_event_source_disable_unref(w->watch);
		w->watch = NULL;
		strcpy(w->folder, folder);
		if (!strchr(w->awaited, '/'))
			mask = WATCH_DEVICES;
		r = sd_event_add_inotify(loop, &w->watch,
					 folder[0] ? folder : "/",
					 mask | WATCH_SELF, on_change, w);
		if (r < 0)
			vol_errorf_errno(&w->why, -r, "can not watch %s: %s",
					 folder, strerror(-r));
		w->awaited = next_on_way(w->path, folder);
	}
	if (strchr(w->awaited, '/') || strcmp(folder, w->folder))
		return;
	try_folder(w);
}

static void look_anew(struct want *w)
{
	while (w->devices)
		forget(w, &w->devices);
	w->watch = sd_event_source_disable_unref(w->watch);
	look(w);
}

static void tell(struct input *in);

static void on_name(struct want *w, const struct inotify_event *event)
{
	char path[PATH_MAX];
	struct device **known;
	bool last;

	if (!is_awaited(w, event->name, &last))
		return;
	if (!last) {
		look(w);
		return;
	}
	if (snprintf(path, sizeof(path), "%s/%s", w->folder, event->name) >=
	    (int)sizeof(path))
		return;
	/* Whatever else the name stood for before. */
	known = find(w, path);
	if (*known && !(event->mask & IN_ATTRIB))
		forget(w, known);
	if (!(event->mask & (IN_DELETE | IN_MOVED_FROM)))
		try_device(w, path);
}

static int on_change(sd_event_source *source, const struct inotify_event *event,
		     void *arg)
{
	struct want *w = arg;

	(void)source;
	if (event->mask &
	    (IN_Q_OVERFLOW | IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF))
		look_anew(w);
	else if (event->len > 0)
		on_name(w, event);
	tell(w->input);
	return 0;
}

static void why_blind(const struct input *in)
{
	const char *why = "there is none in /dev/input";

	for (const struct want *w = in->wants; w; w = w->next)
		if (w->why.text[0])
			why = w->why.text;
		else if (w->all && w->devices)
			why = "only switches and the like in /dev/input";
	vol_sensor_report(in->host->sensors, VOL_SENSOR_INPUT, VOL_SAYS_UNKNOWN,
			  0, "no input device can be read: %s", why);
}

static void tell(struct input *in)
{
	struct vol_sensors *s = in->host->sensors;
	uint64_t idle_ms = in->host->policy->idle_after_ms;
	uint64_t hold = idle_ms < HOLD_MS ? idle_ms : HOLD_MS;
	uint64_t now = vol_sensor_now_ms();
	struct vol_reflex_state st;
	uint64_t since;

	vol_reflex_state(in->host->reflex, &st);
	if (st.devices == 0) {
		in->works = false;
		why_blind(in);
		return;
	}
	if (!in->works)
		in->looking_ms = now;
	in->works = true;
	if (st.last_input_ms != 0 && now < st.last_input_ms + hold) {
		vol_sensor_report(s, VOL_SENSOR_INPUT, VOL_SAYS_PRESENT, 0,
				  "input at %s", st.last_device);
		sd_event_source_set_time_relative(
			in->timer, (st.last_input_ms + hold - now) * 1000);
		sd_event_source_set_enabled(in->timer, SD_EVENT_ONESHOT);
		return;
	}
	/* What was before the last blindness says nothing about it. */
	since = st.last_input_ms >= in->looking_ms ? st.last_input_ms : 0;
	vol_sensor_report(s, VOL_SENSOR_INPUT, VOL_SAYS_AWAY, since,
			  "input devices: %u", st.devices);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	tell(arg);
	return 0;
}

static void drop_wants(struct input *in)
{
	struct want *w;

	while ((w = in->wants) != NULL) {
		while (w->devices)
			forget(w, &w->devices);
		sd_event_source_disable_unref(w->watch);
		in->wants = w->next;
		free(w);
	}
}

static int add_want(struct input *in, const char *path, size_t len, bool all)
{
	struct want *w = calloc(1, sizeof(*w));

	if (!w)
		return -1;
	w->input = in;
	w->all = all;
	w->next = in->wants;
	in->wants = w;
	if (path[0] != '/' ||
	    snprintf(w->path, sizeof(w->path), "%s%.*s", in->host->root,
		     (int)len, path) >= (int)sizeof(w->path)) {
		vol_errorf_errno(&w->why, EINVAL,
				 "\"%.*s\" is not an absolute path", (int)len,
				 path);
		vol_warn("input_devices: %s", w->why.text);
		return 0;
	}
	look(w);
	if (!all && !w->devices && !w->why.text[0])
		vol_errorf_errno(&w->why, ENOENT, "%s does not exist", w->path);
	return 0;
}

static int add_wants(struct input *in)
{
	const char *p = in->devices;
	size_t len;

	if (add_want(in, EVENTS, strlen(EVENTS), true) < 0)
		return -1;
	for (; p && *p; p += len) {
		p += strspn(p, ", \t");
		len = strcspn(p, ", \t");
		if (len > 0 && add_want(in, p, len, false) < 0)
			return -1;
	}
	return 0;
}

static void input_reload(void *self)
{
	struct input *in = self;
	const char *devices = in->host->input_devices;

	if (strcmp(devices ? devices : "", in->devices)) {
		char *copy = strdup(devices ? devices : "");

		if (!copy) {
			vol_warn("input_devices: out of memory");
			return;
		}
		free(in->devices);
		in->devices = copy;
		drop_wants(in);
		if (add_wants(in) < 0)
			vol_warn("input_devices: out of memory");
	}
	tell(in);
}

static void input_destroy(void *self)
{
	struct input *in = self;

	if (!in)
		return;
	drop_wants(in);
	sd_event_source_disable_unref(in->timer);
	free(in->devices);
	free(in);
}

static void *input_create(struct vol_sensor_host *host, struct vol_error *err)
{
	struct input *in = calloc(1, sizeof(*in));
	const char *devices = host->input_devices;

	if (!in || !(in->devices = strdup(devices ? devices : "")) ||
	    sd_event_add_time(host->loop, &in->timer, CLOCK_MONOTONIC, 0, 0,
			      on_timer, in) < 0)
		goto error;
	sd_event_source_set_enabled(in->timer, SD_EVENT_OFF);
	in->host = host;
	if (add_wants(in) < 0)
		goto error;
	tell(in);
	return in;
error:
	vol_errorf_errno(err, ENOMEM, "out of memory");
	input_destroy(in);
	return NULL;
}

static void input_input(void *self)
{
	tell(self);
}

const struct vol_sensor_ops vol_sensor_input = {
	.id = VOL_SENSOR_INPUT,
	.create = input_create,
	.destroy = input_destroy,
	.reload = input_reload,
	.input = input_input,
};
