/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image.c - slurm-volunteer-image: bring a job's image to the controller, or
 * fetch one; save a step, or make it ready to be restored
 *
 * slurm-volunteer-image [OPTION...] put --job=N --restarts=N [FILE]
 * slurm-volunteer-image [OPTION...] get --job=N FILE
 * slurm-volunteer-image [OPTION...] save --job=N --restarts=N CGROUP
 * slurm-volunteer-image [OPTION...] load --job=N --uid=N --gid=N --places=FILE
 *	DIR
 * slurm-volunteer-image [--conf=FILE] tidy
 *
 * For root on a device: it speaks as the device, by its key.  FILE "-" is
 * standard input (and what put takes without one) or output.  What get writes
 * has its name when it is complete and verified, not before.
 *
 * save: CGROUP is the folder of the step's tasks (.../step_batch/user).  It is
 * written down by slurm-volunteer-checkpoint, goes on as it was, and the image
 * (ckstream.h) is put: memory while it is written down if the step is frozen
 *and does not run on after it, else when it was.  --wait is for all of it.
 *--cause: why, "evict" (what is said without it) or "periodic".  --server:
 *descriptor of a socket whose other end is a slurm-volunteer-checkpoint serve,
 *which writes it down where we could not (sandbox/checkpoint.h); else it is the
 *one that slurm-volunteer-launch has started.
 *
 * --files: the program saves itself; its image are the files that the job has
 * for itself (ckfiles.h), without its processes.  Before they are saved it gets
 * --signal, and runs a little for as long as --grace says.  Loaded it needs no
 * --places, and is for vol_sandbox_bring().
 *
 * load: DIR is root's alone and empty.  The newest image is fetched and looked
 * at: is it of this job and user, is it harmless (ckverify.h), has this machine
 * what it needs (ckfit.h)?  Then DIR is as slurm-volunteer-checkpoint dump left
 * its own, for vol_sandbox_restore().  --places: what the sandbox will show of
 * the machine, a line "TARGET FLAGS" each (ckplaces.h).
 *
 * tidy: what a save that was killed has left on the disk is removed.
 *
 * On stdout: a line of JSON, number of put, and number, restarts, bytes, sha256
 * and made_s of get, unless the image goes there; with --progress lines with
 * bytes before it.  Of save: number, bytes, memory, pre_ms, dump_ms and
 * send_ms, before it stage and bytes: the stage is "send" as soon as the step
 * is needed no more, which where both are done at once is the end; of load:
 * number, restarts, made_s, node and cause, number alone with status 6.
 *
 * Exit status: 0 done, 1 failed, 2 used wrongly, 3 refused by the controller, 4
 * there is no image, 5 this job can not be saved, whoever tries, 6 this image
 * must not or can not be restored here: an earlier one may.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "ckmanifest.h"
#include "cleanup.h"
#include "device/ckfolder.h"
#include "device/device_conf.h"
#include "device/identity.h"
#include "device/pin.h"
#include "image.h"
#include "sandbox/checkpoint.h"
#include "text.h"
#include "units.h"
#include "walls.h"

/* Between two tries of what the carrier can not try again itself. */
#define AGAIN_MS   500
#define TIDY_TRIES 20

#define UNSAID UINT64_MAX

static const char usage[] =
	"Usage: slurm-volunteer-image [OPTION...] put --job=N --restarts=N "
	"[FILE]\n"
	"       slurm-volunteer-image [OPTION...] get --job=N FILE\n"
	"       slurm-volunteer-image [OPTION...] save --job=N --restarts=N "
	"CGROUP\n"
	"       slurm-volunteer-image [OPTION...] load --job=N --uid=N --gid=N "
	"\\\n"
	"           --places=FILE DIR\n"
	"       slurm-volunteer-image [--conf=FILE] tidy\n"
	"\n"
	"  --conf=FILE          instead of " VOL_CONF_DIR "/device.conf\n"
	"  --controller=ADDRESS[:PORT]\n"
	"                       instead of the one that welcomed us last\n"
	"  --wait=DURATION      try again for so long\n"
	"  --bytes=N            put: the image is at most so long\n"
	"  --before=N           get, load: the newest with a lower number\n"
	"  --cause=CAUSE        save: evict or periodic\n"
	"  --pre                save: begin while the job runs\n"
	"  --node=NAME          save: in place of the host's name\n"
	"  --server=FD          save: ask a slurm-volunteer-checkpoint serve\n"
	"  --stream=FILE        save, load: a file in place of the controller\n"
	"  --files              save, load: what the job has for itself alone\n"
	"  --signal=N --grace=DURATION\n"
	"                       save: of a job that saves itself\n"
	"  --criu=PROGRAM       instead of " VOL_CHECKPOINT_CRIU "\n"
	"  --programs=FOLDER    instead of " VOL_LIBEXEC_DIR "\n"
	"  --walls=FILE         instead of " VOL_RUN_DIR "/" VOL_WALLS_NAME "\n"
	"  --progress           say how far it is\n";

uint64_t image_now_ms(void)
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

static int take_number(struct image_options *o, int c, const char *value)
{
	uint64_t n;

	switch (c) {
	case 'w':
		return vol_duration_parse(value, &o->wait_ms, NULL);
	case 'i':
		return number(value, 1, 31, &o->signal);
	case 'G':
		return vol_duration_parse(value, &o->grace_ms, NULL);
	case 'j':
		return number(value, 1, UINT32_MAX, &o->job);
	case 'r':
		return number(value, 0, UINT32_MAX, &o->restarts);
	case 'u':
		return number(value, 0, UINT32_MAX - 1, &o->uid);
	case 'g':
		return number(value, 0, UINT32_MAX - 1, &o->gid);
	case 'b':
		return number(value, 1, VOL_IMAGE_MAX, &o->bytes);
	case 'B':
		return number(value, 0, UINT32_MAX, &o->before);
	case 'S':
		if (number(value, 0, INT_MAX, &n) < 0)
			return -1;
		o->server = (int)n;
		return 0;
	default:
		return -1;
	}
}

static int take(struct image_options *o, int c, const char *value)
{
	const struct {
		int c;
		const char **text;
	} texts[] = {
		{'c', &o->conf},     {'C', &o->controller}, {'P', &o->places},
		{'n', &o->node},     {'s', &o->stream},     {'k', &o->criu},
		{'L', &o->programs}, {'W', &o->walls},      {'a', &o->cause},
	};
	const struct {
		int c;
		bool *flag;
	} flags[] = {{'F', &o->files}, {'E', &o->pre}, {'p', &o->progress}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].c == c) {
			*texts[i].text = value;
			return 0;
		}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].c == c) {
			*flags[i].flag = true;
			return 0;
		}
	return take_number(o, c, value);
}

/* What each verb needs, and what it may have besides. */
static int check(const struct image_options *o)
{
	static const struct {
		const char *verb, *needs, *may;
	} verbs[] = {
		{"put", "r", "b"},
		{"get", "", "B"},
		{"save", "r", "anskLSFiGE"},
		{"load", "ug", "BskLWFP"},
	};
	const struct {
		char c;
		bool said;
	} options[] = {
		{'r', o->restarts != UNSAID},
		{'u', o->uid != UNSAID},
		{'g', o->gid != UNSAID},
		{'P', o->places != NULL},
		{'b', o->bytes != UNSAID},
		{'B', o->before != UNSAID},
		{'n', o->node != NULL},
		{'s', o->stream != NULL},
		{'k', o->criu != NULL},
		{'L', o->programs != NULL},
		{'W', o->walls != NULL},
		{'S', o->server >= 0},
		{'a', o->cause != NULL},
		{'F', o->files},
		{'i', o->signal != 0},
		{'G', o->grace_ms != 0},
		{'E', o->pre},
	};
	size_t v = 0;

	while (v < 4 && strcmp(verbs[v].verb, o->verb) != 0)
		v++;
	if (v == 4 || o->job == UNSAID ||
	    (o->cause &&
	     strcmp(o->cause, vol_ckcause_names[VOL_CKCAUSE_EVICT]) != 0 &&
	     strcmp(o->cause, vol_ckcause_names[VOL_CKCAUSE_PERIODIC]) != 0) ||
	    ((o->signal || o->grace_ms) && !o->files) ||
	    (o->pre && (!o->cause || o->files)) ||
	    (strcmp(o->verb, "load") == 0 && o->files == (o->places != NULL)))
		return -1;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		bool needed = strchr(verbs[v].needs, options[i].c);

		if (options[i].said
			    ? !needed && !strchr(verbs[v].may, options[i].c)
			    : needed)
			return -1;
	}
	return 0;
}

static void set_defaults(struct image_options *o)
{
	if (o->bytes == UNSAID)
		o->bytes = 0;
	if (o->before == UNSAID)
		o->before = 0;
	if (!o->criu)
		o->criu = VOL_CHECKPOINT_CRIU;
	if (!o->programs)
		o->programs = VOL_LIBEXEC_DIR;
	if (!o->walls)
		o->walls = VOL_RUN_DIR "/" VOL_WALLS_NAME;
}

static int parse(int argc, char **argv, struct image_options *o)
{
	static const struct option longs[] = {
		{"conf", required_argument, NULL, 'c'},
		{"controller", required_argument, NULL, 'C'},
		{"wait", required_argument, NULL, 'w'},
		{"job", required_argument, NULL, 'j'},
		{"restarts", required_argument, NULL, 'r'},
		{"uid", required_argument, NULL, 'u'},
		{"gid", required_argument, NULL, 'g'},
		{"places", required_argument, NULL, 'P'},
		{"bytes", required_argument, NULL, 'b'},
		{"before", required_argument, NULL, 'B'},
		{"cause", required_argument, NULL, 'a'},
		{"node", required_argument, NULL, 'n'},
		{"stream", required_argument, NULL, 's'},
		{"criu", required_argument, NULL, 'k'},
		{"programs", required_argument, NULL, 'L'},
		{"walls", required_argument, NULL, 'W'},
		{"server", required_argument, NULL, 'S'},
		{"files", no_argument, NULL, 'F'},
		{"pre", no_argument, NULL, 'E'},
		{"signal", required_argument, NULL, 'i'},
		{"grace", required_argument, NULL, 'G'},
		{"progress", no_argument, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	int c, left;

	o->job = o->restarts = o->uid = o->gid = UNSAID;
	o->bytes = o->before = UNSAID;
	o->server = -1;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1)
		if (take(o, c, optarg) < 0)
			return -1;
	left = argc - optind;
	if (left < 1 || left > 2)
		return -1;
	o->verb = argv[optind];
	if (strcmp(o->verb, "tidy") == 0)
		return left == 1 ? 0 : -1;
	if (check(o) < 0 || (left == 1 && strcmp(o->verb, "put") != 0))
		return -1;
	o->what = left == 2 ? argv[optind + 1] : "-";
	set_defaults(o);
	return 0;
}

/* ---- who we are, and to whom we speak ---- */

static int find_controller(struct image *im, const struct vol_device_conf *conf,
			   const struct vol_remembered *last,
			   struct vol_error *err)
{
	struct vol_carrier *c = &im->carrier;
	struct vol_pin pin;

	if (vol_pin_load(conf->state_dir, &pin, err) < 0)
		return -1;
	vol_pin_choose(&pin, conf, &c->pin);
	if (c->pin.bytes < VOL_FINGERPRINT_BYTES)
		return vol_errorf_errno(err, ENOENT,
					"this device knows no controller yet");
	if (im->o->controller)
		return vol_device_conf_host(im->o->controller, c->address,
					    sizeof(c->address), &c->port, err);
	if (!*last->address)
		return vol_errorf_errno(err, ENOENT,
					"no controller has welcomed this "
					"device yet");
	memcpy(c->address, last->address, sizeof(c->address));
	c->port = last->port;
	return 0;
}

/* The carrier's tls is the caller's. */
static int take_key(struct image *im, struct vol_error *err)
{
	struct vol_keypair *key = NULL;
	char path[PATH_MAX + 16];

	/* Nobody else makes a key than discoveryd. */
	snprintf(path, sizeof(path), "%s/device.key", im->state_dir);
	if (access(path, R_OK) < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	key = vol_identity_load(im->state_dir, im->device, err);
	if (key)
		im->carrier.tls = vol_tls_context_create(key, err);
	vol_keypair_destroy(key);
	return im->carrier.tls ? 0 : -1;
}

static int learn(struct image *im, const struct vol_device_conf *conf,
		 struct vol_error *err)
{
	struct vol_remembered last;

	if (snprintf(im->state_dir, sizeof(im->state_dir), "%s",
		     conf->state_dir) >= (int)sizeof(im->state_dir))
		return vol_errorf_errno(err, ENAMETOOLONG, "%.60s...: too long",
					conf->state_dir);
	if (vol_remembered_load(conf->state_dir, &last, err) < 0)
		return -1;
	snprintf(im->cluster, sizeof(im->cluster), "%s",
		 *last.cluster   ? last.cluster
		 : conf->cluster ? conf->cluster
				 : "");
	if (!im->o->stream)
		return take_key(im, err) < 0
			       ? -1
			       : find_controller(im, conf, &last, err);
	/* A file is nobody's. */
	memset(im->device, '0', sizeof(im->device) - 1);
	return 0;
}

static int introduce(struct image *im, struct vol_error *err)
{
	struct vol_device_conf conf = {.state_dir = NULL};
	int rc;

	if (vol_device_conf_read(&conf, im->o->conf, err) < 0)
		return -1;
	rc = learn(im, &conf, err);
	vol_device_conf_clear(&conf);
	return rc;
}

/* ---- what it does ---- */

void image_progress(struct image *im, uint64_t bytes, bool always)
{
	static time_t said;
	time_t now = time(NULL);

	if (!im->o->progress || (now == said && !always))
		return;
	said = now;
	if (im->stage)
		printf("{\"stage\": \"%s\", \"bytes\": %" PRIu64 "}\n",
		       im->stage, bytes);
	else
		printf("{\"bytes\": %" PRIu64 "}\n", bytes);
	fflush(stdout);
}

static void on_progress(uint64_t bytes, void *arg)
{
	struct image *im = arg;

	im->moved = bytes;
	image_progress(im, bytes, false);
}

bool image_again(const struct image *im)
{
	const struct vol_carrier *c = &im->carrier;
	struct pollfd p = {.fd = c->stop, .events = POLLIN};
	int saved = errno;

	if (*c->refusal.code || saved == ECANCELED || saved == EKEYREJECTED ||
	    saved == EACCES || saved == EINVAL || saved == ENOMEM ||
	    !c->until_ms || image_now_ms() + AGAIN_MS >= c->until_ms)
		return false;
	(void)poll(&p, 1, AGAIN_MS);
	errno = p.revents ? ECANCELED : saved;
	return !p.revents;
}

static int put(struct image *im, struct vol_error *err)
{
	const struct image_options *o = im->o;
	cleanup_fd int fd = -1;
	uint32_t n;

	fd = strcmp(o->what, "-") == 0 ? dup(STDIN_FILENO)
				       : open(o->what, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return vol_errorf(err, "%s: %s", o->what, strerror(errno));
	if (vol_carrier_put(&im->carrier, fd, (uint32_t)o->job,
			    (uint32_t)o->restarts, o->bytes, &n, err) < 0)
		return -1;
	printf("{\"number\": %u}\n", (unsigned)n);
	return 0;
}

static int get_file(struct image *im, struct vol_link_msg *here,
		    struct vol_error *err)
{
	const struct image_options *o = im->o;
	char part[PATH_MAX];
	cleanup_fd int fd = -1;
	int saved;

	if (snprintf(part, sizeof(part), "%s.part", o->what) >=
	    (int)sizeof(part))
		return vol_errorf_errno(err, ENAMETOOLONG, "%.60s...: too long",
					o->what);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	if (fd < 0)
		return vol_errorf(err, "%s: %s", part, strerror(errno));
	if (vol_carrier_get(&im->carrier, fd, (uint32_t)o->job,
			    (uint32_t)o->before, here, err) == 0) {
		if (rename(part, o->what) == 0)
			return 0;
		vol_errorf(err, "%s: %s", o->what, strerror(errno));
	}
	saved = errno;
	(void)unlink(part);
	errno = saved;
	return -1;
}

static int get(struct image *im, struct vol_error *err)
{
	const struct image_options *o = im->o;
	struct vol_link_msg here;

	if (strcmp(o->what, "-") == 0)
		return vol_carrier_get(&im->carrier, STDOUT_FILENO,
				       (uint32_t)o->job, (uint32_t)o->before,
				       &here, err);
	if (get_file(im, &here, err) < 0)
		return -1;
	printf("{\"number\": %u, \"restarts\": %u, \"bytes\": %" PRIu64
	       ", \"sha256\": \"%s\", \"made_s\": %" PRIu64 "}\n",
	       (unsigned)here.number, (unsigned)here.restarts, here.bytes,
	       here.sha256, here.made_s);
	return 0;
}

/* Who is being ended with the one that was killed may write a little more. */
static int tidy(const struct image_options *o, struct vol_error *err)
{
	struct vol_device_conf conf = {.state_dir = NULL};
	int tries = TIDY_TRIES;

	if (vol_device_conf_read(&conf, o->conf, err) < 0)
		return IMAGE_FAILED;
	while (!vol_ckfolder_tidy(conf.state_dir) && --tries > 0)
		(void)poll(NULL, 0, AGAIN_MS);
	if (!tries)
		vol_errorf(err, "%s/" VOL_CKFOLDER_DIR ": not tidied",
			   conf.state_dir);
	vol_device_conf_clear(&conf);
	return tries ? IMAGE_DONE : IMAGE_FAILED;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Readable when a signal came or halt was written to. */
static int watch(struct image *im, struct vol_error *err)
{
	struct epoll_event event = {.events = EPOLLIN};
	int signals = open_signals();

	im->halt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	im->carrier.stop = epoll_create1(EPOLL_CLOEXEC);
	if (signals < 0 || im->halt < 0 || im->carrier.stop < 0 ||
	    epoll_ctl(im->carrier.stop, EPOLL_CTL_ADD, signals, &event) < 0 ||
	    epoll_ctl(im->carrier.stop, EPOLL_CTL_ADD, im->halt, &event) < 0)
		return vol_errorf(err, "signals: %s", strerror(errno));
	return 0;
}

int image_status(const struct image *im)
{
	if (!*im->carrier.refusal.code)
		return IMAGE_FAILED;
	return strcmp(im->carrier.refusal.code, "no_image") == 0
		       ? IMAGE_NONE
		       : IMAGE_REFUSED;
}

static int run(struct image *im, struct vol_error *err)
{
	const char *verb = im->o->verb;

	if (strcmp(verb, "save") == 0)
		return image_save(im, err);
	if (strcmp(verb, "load") == 0)
		return image_load(im, err);
	if ((strcmp(verb, "put") == 0 ? put(im, err) : get(im, err)) == 0)
		return IMAGE_DONE;
	return image_status(im);
}

int main(int argc, char **argv)
{
	struct image_options o = {.conf = VOL_CONF_DIR "/device.conf"};
	struct image im = {.o = &o, .halt = -1, .carrier = {.stop = -1}};
	struct vol_error err = {""};
	int status = IMAGE_FAILED;

	if (parse(argc, argv, &o) < 0) {
		fputs(usage, stderr);
		return IMAGE_USAGE;
	}
	/* The image itself goes there. */
	if (strcmp(o.verb, "get") == 0 && strcmp(o.what, "-") == 0)
		o.progress = false;
	if (o.wait_ms)
		im.carrier.until_ms = image_now_ms() + o.wait_ms;
	im.carrier.progress = on_progress;
	im.carrier.arg = &im;
	if (strcmp(o.verb, "tidy") == 0)
		status = tidy(&o, &err);
	else if (watch(&im, &err) == 0 && introduce(&im, &err) == 0)
		status = run(&im, &err);
	vol_tls_context_destroy(im.carrier.tls);
	if (status == IMAGE_DONE)
		return fflush(stdout) == EOF ? IMAGE_FAILED : IMAGE_DONE;
	fprintf(stderr, "slurm-volunteer-image: %s\n", err.text);
	return status;
}
