/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image.c - slurm-volunteer-image: bring a job's image to the controller, or
 * fetch one
 *
 * slurm-volunteer-image [OPTION...] put --job=N --restarts=N [FILE]
 * slurm-volunteer-image [OPTION...] get --job=N FILE
 *
 * For root on a device: it speaks as the device, by its key.  FILE "-" is
 * standard input (and what put takes without one) or output.  What get writes
 * has its name when it is complete and verified, not before.
 *
 * On stdout: a line of JSON, number of put, and number, restarts, bytes, sha256
 * and made_s of get, unless the image goes there; with --progress lines with
 * bytes before it.  Exit status: 0 done, 1 failed, 2 used wrongly, 3 refused by
 * the controller, 4 there is no image.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "device/carrier.h"
#include "device/device_conf.h"
#include "device/identity.h"
#include "device/pin.h"
#include "text.h"
#include "units.h"

enum { DONE, FAILED, USAGE, REFUSED, NO_IMAGE };

struct options {
	bool put, progress;
	const char *conf, *controller, *file;
	uint64_t job, restarts, bytes, before, wait_ms;
};

static const char usage[] =
	"Usage: slurm-volunteer-image [OPTION...] put --job=N --restarts=N "
	"[FILE]\n"
	"       slurm-volunteer-image [OPTION...] get --job=N FILE\n"
	"\n"
	"  --conf=FILE          instead of " VOL_CONF_DIR "/device.conf\n"
	"  --controller=ADDRESS[:PORT]\n"
	"                       instead of the one that welcomed us last\n"
	"  --wait=DURATION      try again for so long\n"
	"  --bytes=N            put: the image is at most so long\n"
	"  --before=N           get: the newest with a lower number\n"
	"  --progress           say how far it is\n";

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the command line ---- */

static int number(const char *text, uint64_t min, uint64_t max, uint64_t *n)
{
	return vol_text_number(text, strlen(text), min, max, n);
}

static int take(struct options *o, int c, const char *value)
{
	switch (c) {
	case 'c':
		o->conf = value;
		return 0;
	case 'C':
		o->controller = value;
		return 0;
	case 'w':
		return vol_duration_parse(value, &o->wait_ms, NULL);
	case 'j':
		return number(value, 1, UINT32_MAX, &o->job);
	case 'r':
		return number(value, 0, UINT32_MAX, &o->restarts);
	case 'b':
		return number(value, 1, VOL_IMAGE_MAX, &o->bytes);
	case 'B':
		return number(value, 0, UINT32_MAX, &o->before);
	case 'p':
		o->progress = true;
		return 0;
	default:
		return -1;
	}
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"conf", required_argument, NULL, 'c'},
		{"controller", required_argument, NULL, 'C'},
		{"wait", required_argument, NULL, 'w'},
		{"job", required_argument, NULL, 'j'},
		{"restarts", required_argument, NULL, 'r'},
		{"bytes", required_argument, NULL, 'b'},
		{"before", required_argument, NULL, 'B'},
		{"progress", no_argument, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	int c, left;

	o->restarts = UINT64_MAX;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1)
		if (take(o, c, optarg) < 0)
			return -1;
	left = argc - optind;
	if (left < 1 || left > 2 || !o->job)
		return -1;
	o->put = strcmp(argv[optind], "put") == 0;
	o->file = left == 2 ? argv[optind + 1] : "-";
	if (o->put)
		return o->restarts == UINT64_MAX || o->before ? -1 : 0;
	return strcmp(argv[optind], "get") != 0 || left != 2 || o->bytes ||
			       o->restarts != UINT64_MAX
		       ? -1
		       : 0;
}

/* ---- who we are, and to whom we speak ---- */

static int find_controller(struct vol_carrier *c, const struct options *o,
			   const struct vol_device_conf *conf,
			   struct vol_error *err)
{
	struct vol_remembered last;
	struct vol_pin pin;

	if (vol_pin_load(conf->state_dir, &pin, err) < 0)
		return -1;
	vol_pin_choose(&pin, conf, &c->pin);
	if (c->pin.bytes < VOL_FINGERPRINT_BYTES)
		return vol_errorf_errno(err, ENOENT,
					"this device knows no controller yet");
	if (o->controller)
		return vol_device_conf_host(o->controller, c->address,
					    sizeof(c->address), &c->port, err);
	if (vol_remembered_load(conf->state_dir, &last, err) < 0)
		return -1;
	if (!*last.address)
		return vol_errorf_errno(err, ENOENT,
					"no controller has welcomed this "
					"device yet");
	memcpy(c->address, last.address, sizeof(c->address));
	c->port = last.port;
	return 0;
}

/* c->tls is the caller's. */
static int introduce(struct vol_carrier *c, const struct options *o,
		     struct vol_error *err)
{
	struct vol_device_conf conf = {.state_dir = NULL};
	char id[VOL_DEVICE_ID_SIZE], path[PATH_MAX];
	struct vol_keypair *key = NULL;
	int rc = -1;

	if (vol_device_conf_read(&conf, o->conf, err) < 0)
		return -1;
	/* Nobody else makes a key than discoveryd. */
	if (snprintf(path, sizeof(path), "%s/device.key", conf.state_dir) >=
	    (int)sizeof(path))
		vol_errorf(err, "%.60s...: too long", conf.state_dir);
	else if (access(path, R_OK) < 0)
		vol_errorf(err, "%s: %s", path, strerror(errno));
	else
		key = vol_identity_load(conf.state_dir, id, err);
	if (key)
		c->tls = vol_tls_context_create(key, err);
	if (c->tls)
		rc = find_controller(c, o, &conf, err);
	vol_keypair_destroy(key);
	vol_device_conf_clear(&conf);
	return rc;
}

/* ---- what it does ---- */

static void on_progress(uint64_t bytes, void *arg)
{
	static time_t said;
	time_t now = time(NULL);

	(void)arg;
	if (now == said)
		return;
	said = now;
	printf("{\"bytes\": %" PRIu64 "}\n", bytes);
	fflush(stdout);
}

static int put(struct vol_carrier *c, const struct options *o,
	       struct vol_error *err)
{
	cleanup_fd int fd = -1;
	uint32_t n;

	fd = strcmp(o->file, "-") == 0 ? dup(STDIN_FILENO)
				       : open(o->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return vol_errorf(err, "%s: %s", o->file, strerror(errno));
	if (vol_carrier_put(c, fd, (uint32_t)o->job, (uint32_t)o->restarts,
			    o->bytes, &n, err) < 0)
		return -1;
	printf("{\"number\": %u}\n", (unsigned)n);
	return 0;
}

static int get_file(struct vol_carrier *c, const struct options *o,
		    struct vol_link_msg *here, struct vol_error *err)
{
	char part[PATH_MAX];
	cleanup_fd int fd = -1;
	int saved;

	if (snprintf(part, sizeof(part), "%s.part", o->file) >=
	    (int)sizeof(part))
		return vol_errorf_errno(err, ENAMETOOLONG, "%.60s...: too long",
					o->file);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	if (fd < 0)
		return vol_errorf(err, "%s: %s", part, strerror(errno));
	if (vol_carrier_get(c, fd, (uint32_t)o->job, (uint32_t)o->before, here,
			    err) == 0) {
		if (rename(part, o->file) == 0)
			return 0;
		vol_errorf(err, "%s: %s", o->file, strerror(errno));
	}
	saved = errno;
	(void)unlink(part);
	errno = saved;
	return -1;
}

static int get(struct vol_carrier *c, const struct options *o,
	       struct vol_error *err)
{
	struct vol_link_msg here;

	if (strcmp(o->file, "-") == 0)
		return vol_carrier_get(c, STDOUT_FILENO, (uint32_t)o->job,
				       (uint32_t)o->before, &here, err);
	if (get_file(c, o, &here, err) < 0)
		return -1;
	printf("{\"number\": %u, \"restarts\": %u, \"bytes\": %" PRIu64
	       ", \"sha256\": \"%s\", \"made_s\": %" PRIu64 "}\n",
	       (unsigned)here.number, (unsigned)here.restarts, here.bytes,
	       here.sha256, here.made_s);
	return 0;
}

static int watch_signals(struct vol_error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? vol_errorf(err, "signals: %s", strerror(errno)) : fd;
}

static int status_of(const struct vol_carrier *c)
{
	if (!*c->refusal.code)
		return FAILED;
	return strcmp(c->refusal.code, "no_image") == 0 ? NO_IMAGE : REFUSED;
}

int main(int argc, char **argv)
{
	struct options o = {.conf = VOL_CONF_DIR "/device.conf"};
	struct vol_carrier c = {.stop = -1};
	struct vol_error err = {""};
	int rc = -1;

	if (parse(argc, argv, &o) < 0) {
		fputs(usage, stderr);
		return USAGE;
	}
	if (o.wait_ms)
		c.until_ms = now_ms() + o.wait_ms;
	if (o.progress && (o.put || strcmp(o.file, "-") != 0))
		c.progress = on_progress;
	c.stop = watch_signals(&err);
	if (c.stop >= 0 && introduce(&c, &o, &err) == 0)
		rc = o.put ? put(&c, &o, &err) : get(&c, &o, &err);
	vol_tls_context_destroy(c.tls);
	if (c.stop >= 0)
		close(c.stop);
	if (rc == 0)
		return fflush(stdout) == EOF ? FAILED : DONE;
	fprintf(stderr, "slurm-volunteer-image: %s\n", err.text);
	return status_of(&c);
}
