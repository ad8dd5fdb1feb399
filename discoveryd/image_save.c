/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_save.c - slurm-volunteer-image save: write a step down, bring it away
 *
 * A step that is frozen and has to leave is sent while it is written down.  One
 * that goes on is not: it would stand still for as long as that takes.  When
 * the connection breaks meanwhile, it is written down once more, and then sent:
 * what was written can be sent again.
 *
 * What CRIU wrote is looked at in the same way as where it will be restored:
 * what would be refused there is better not kept.
 */
#include "config.h"

#include "image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "ckmanifest.h"
#include "ckverify.h"
#include "device/ckcapture.h"
#include "device/ckdump.h"
#include "device/ckfolder.h"
#include "device/ckhere.h"
#include "device/ckimages.h"
#include "device/cklive.h"
#include "device/ckpump.h"
#include "device/ckrecord.h"
#include "device/ckstream.h"
#include "digest.h"
#include "sandbox/checkpoint.h"

#define DUMP_SECONDS     120
#define DUMP_SECONDS_MAX 3600

struct saving {
	struct image *im;
	struct vol_ckfolder folder;
	struct vol_record *record;
	char *step, *manifest; /* texts */
	size_t step_len, manifest_len;
	struct vol_ckmanifest m;
	int images; /* folder */
	/* It stands still since; what was before; it was written down. */
	uint64_t begin_ms, pre_ms, dumped_ms;
	uint64_t until_ms; /* as carrier.h has it */
	struct vol_ckdump dump;
	char program[PATH_MAX], task[16];
	int server, listener;
};

/* ---- what it is ---- */

static int read_record(struct saving *s, struct vol_error *err)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/" VOL_RECORD_FILE, s->folder.path);
	s->record = calloc(1, sizeof(*s->record));
	if (!s->record)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	s->step = vol_file_read(path, VOL_RECORD_MAX, &s->step_len, err);
	if (!s->step ||
	    vol_record_parse(path, s->step, s->step_len, s->record, err) < 0)
		return -1;
	if (s->record->job != s->im->o->job)
		return vol_errorf_errno(err, EINVAL,
					"%s: has job %" PRIu32 ", not %" PRIu64,
					s->im->o->what, s->record->job,
					s->im->o->job);
	/* Its map of ids is the only thing that a machine puts into an image.
	 */
	if (!s->record->base && !s->im->o->files)
		return vol_errorf_errno(err, EPERM,
					"a job without ids of its own");
	return 0;
}

/* Without anybody who counts them: the age of the run, in the kernel's
 * hundredths of a second.  A dump takes longer than one. */
static uint32_t sequence(const struct vol_record *r)
{
	long ticks = sysconf(_SC_CLK_TCK);
	uint64_t now =
		image_now_ms() * (uint64_t)(ticks > 0 ? ticks : 100) / 1000;
	uint64_t age = now > r->start ? now - r->start : 1;

	return age < UINT32_MAX ? (uint32_t)age : UINT32_MAX;
}

static bool is_periodic(const struct image_options *o)
{
	return o->cause &&
	       strcmp(o->cause, vol_ckcause_names[VOL_CKCAUSE_PERIODIC]) == 0;
}

static int tell_machine(struct saving *s, struct vol_error *err)
{
	const struct image *im = s->im;
	struct vol_ckmanifest *m = &s->m;
	char host[VOL_NODE_NAME_SIZE] = "";

	if (im->o->node)
		snprintf(host, sizeof(host), "%s", im->o->node);
	else if (gethostname(host, sizeof(host) - 1) == 0)
		host[strcspn(host, ".")] = '\0';
	m->restarts = (uint32_t)im->o->restarts;
	m->sequence = sequence(s->record);
	m->cause =
		is_periodic(im->o) ? VOL_CKCAUSE_PERIODIC : VOL_CKCAUSE_EVICT;
	m->when = (uint64_t)time(NULL);
	memcpy(m->cluster, im->cluster, sizeof(m->cluster));
	memcpy(m->node, host, sizeof(m->node));
	memcpy(m->device, im->device, sizeof(m->device));
	if (vol_ckhere_boot(m->boot, err) < 0 ||
	    vol_ckhere_filter(m->filter, err) < 0)
		return -1;
	/* What it has no part in is not told. */
	if (im->o->files)
		return vol_ckhere_look_around(&m->machine, err);
	if (vol_ckhere_own_places(&m->places, err) < 0 ||
	    vol_ckhere_places_of(s->record, &m->places, err) < 0)
		return -1;
	if (vol_ckhere_machine(im->o->criu, &m->machine, err) < 0)
		return -1;
	vol_ckhere_runtime(s->record, m->machine.runtime);
	return 0;
}

static int look_at_images(struct saving *s, const struct vol_ckimages *images,
			  struct vol_error *err)
{
	struct vol_ckmanifest *m = &s->m;
	struct vol_ckwant want = {.uid = m->uid,
				  .gid = m->gid,
				  .id_base = m->id_base,
				  .in_net = s->record->network !=
					    VOL_NETWORK_NONE,
				  .places = &m->places,
				  .sha256 = vol_sha256};
	struct vol_ckseen seen = {.processes = 0};
	int rc;

	memcpy(want.filter, m->filter, sizeof(want.filter));
	vol_ckhere_limits(NULL, &want);
	rc = vol_ckverify(images->input, images->n, &want, &seen, err);
	if (rc == 0) {
		m->processes = seen.processes;
		m->memory = seen.memory;
		m->mapped = seen.mapped;
		seen.mapped = (struct vol_ckmapped){.n = 0};
		rc = vol_ckimages_list(images, m, err);
	}
	vol_ckseen_clear(&seen);
	return rc;
}

static int describe(struct saving *s, struct vol_error *err)
{
	struct vol_ckimages images = {.n = 0};
	char path[PATH_MAX + 8];
	int rc = -1;

	if (read_record(s, err) < 0 ||
	    vol_ckrecord_tell(s->record, &s->m, err) < 0 ||
	    tell_machine(s, err) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/" VOL_RECORD_IMAGES, s->folder.path);
	s->images = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->images < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (vol_ckimages_open(path, &images, err) == 0)
		rc = s->im->o->files ? vol_ckimages_list(&images, &s->m, err)
				     : look_at_images(s, &images, err);
	vol_ckimages_close(&images);
	if (rc < 0)
		return -1;
	s->manifest = vol_ckmanifest_encode(&s->m, &s->manifest_len, err);
	if (!s->manifest)
		return -1;
	return s->im->o->files ? image_files_check(&s->m, s->step, s->step_len,
						   UINT64_MAX, err)
			       : 0;
}

/* ---- bringing it away ---- */

static int finish_stream(struct saving *s, struct vol_ckwriter *w,
			 struct vol_error *err)
{
	return vol_ckwriter_finish(w, s->manifest, s->manifest_len, s->step,
				   s->step_len, &s->m, s->images, err);
}

/* What was written down. */
static int write_stream(int fd, void *arg, struct vol_error *err)
{
	struct saving *s = arg;
	struct vol_ckwriter *w = vol_ckwriter_create(fd, err);
	int rc = w ? finish_stream(s, w, err) : -1;

	vol_ckwriter_destroy(w);
	return rc;
}

static int put_pages(void *arg, uint32_t number, const void *data, size_t len,
		     struct vol_error *err)
{
	return vol_ckwriter_pages(arg, number, data, len, err);
}

/* What is written down meanwhile. */
static int write_live(int fd, void *arg, struct vol_error *err)
{
	struct saving *s = arg;
	struct vol_ckwriter *w = vol_ckwriter_create(fd, err);
	char dir[PATH_MAX + 8];
	struct vol_ckcapture capture = {.dir = dir,
					.listener = s->listener,
					.until_ms = s->until_ms,
					.wanted = fd,
					.pages = put_pages,
					.arg = w};
	int rc = -1;

	snprintf(dir, sizeof(dir), "%s/" VOL_RECORD_IMAGES, s->folder.path);
	if (w)
		rc = vol_cklive(&s->dump, &capture, err);
	else
		close(s->listener);
	s->dumped_ms = image_now_ms();
	if (rc == 0)
		rc = describe(s, err);
	if (rc == 0)
		rc = finish_stream(s, w, err);
	vol_ckwriter_destroy(w);
	return rc;
}

typedef int (*vol_write_f)(int fd, void *arg, struct vol_error *err);

/* For as long as it takes, or until somebody stops us. */
static int wait_readable(const struct image *im, int fd, struct vol_error *err)
{
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
			      {.fd = im->carrier.stop, .events = POLLIN}};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return vol_errorf(err, "poll: %s", strerror(errno));
	return p[1].revents ? vol_errorf_errno(err, ECANCELED, "told to stop")
			    : 0;
}

/* ours: what failed is here. */
static int send_once(struct saving *s, vol_write_f write, uint32_t *number,
		     bool *ours, struct vol_error *err)
{
	struct image *im = s->im;
	struct vol_ckpump pump = {
		.run = write, .arg = s, .writes = true, .halt = im->halt};
	int from = vol_ckpump_start(&pump, err), rc, errnum, wrote;
	struct vol_error why;
	eventfd_t told;

	*ours = true;
	if (from < 0)
		return -1;
	/* The controller does not wait for long for one who says nothing. */
	rc = wait_readable(im, from, err);
	if (rc == 0)
		rc = vol_carrier_put(&im->carrier, from, (uint32_t)im->o->job,
				     (uint32_t)im->o->restarts, 0, number, err);
	errnum = errno;
	wrote = vol_ckpump_finish(&pump, &why) < 0 ? errno : 0;
	/* It was for the carrier, which is done. */
	(void)eventfd_read(im->halt, &told);
	/* Of what the carrier does not take any more it says itself why. */
	if (wrote && wrote != EPIPE)
		return vol_errorf_errno(err, wrote, "%s", why.text);
	*ours = false;
	errno = errnum;
	return rc;
}

static int send_to_controller(struct saving *s, uint32_t *number,
			      struct vol_error *err)
{
	bool ours;
	int rc;

	do
		rc = send_once(s, write_stream, number, &ours, err);
	while (rc < 0 && !ours && image_again(s->im));
	return rc;
}

static int send_to_file(struct saving *s, vol_write_f write,
			struct vol_error *err)
{
	const char *path = s->im->o->stream;
	cleanup_fd int fd =
		open(path,
		     O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		     0600);
	off_t end;

	if (fd < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (write(fd, s, err) < 0)
		return -1;
	end = lseek(fd, 0, SEEK_END);
	s->im->moved = end < 0 ? 0 : (uint64_t)end;
	return 0;
}

/* ---- the whole ---- */

/* Of the time that is left for all of it. */
static unsigned int dump_seconds(const struct image *im)
{
	uint64_t now = image_now_ms(), until = im->carrier.until_ms, s;

	s = until ? (until > now ? (until - now + 999) / 1000 : 1)
		  : DUMP_SECONDS;
	return (unsigned int)(s > DUMP_SECONDS_MAX ? DUMP_SECONDS_MAX : s);
}

/* slurmd has a view of its own of cgroups: the number of a process is the same.
 */
static int name_task(const char *cgroup, char number[16], struct vol_error *err)
{
	cleanup_free struct vol_record *r = calloc(1, sizeof(*r));
	pid_t supervisor;

	if (!r)
		return vol_errorf(err, "%s", strerror(errno));
	if (vol_record_find(cgroup, r, &supervisor, err) < 0)
		return -1;
	snprintf(number, 16, "%d", (int)supervisor);
	return 0;
}

/* Without it more is written in the stop, and that is all. */
static int write_before(struct saving *s, struct vol_error *err)
{
	uint64_t begin = image_now_ms();
	struct image *im = s->im;

	im->stage = "pre";
	image_progress(im, 0, true);
	s->dump.before = true;
	if (vol_ckdump(&s->dump, err) < 0 && errno == ECANCELED)
		return -1;
	s->dump.before = false;
	s->pre_ms = image_now_ms() - begin;
	im->stage = "stop";
	image_progress(im, 0, true);
	/* Who says that the job stands still ends us when it never does. */
	return wait_readable(im, STDIN_FILENO, err);
}

static int prepare(struct saving *s, struct vol_error *err)
{
	struct image *im = s->im;

	s->dump = (struct vol_ckdump){.program = s->program,
				      .criu = im->o->criu,
				      .cgroup = im->o->what,
				      .dir = s->folder.path,
				      .goes_on = is_periodic(im->o),
				      .files = im->o->files,
				      .signal = (int)im->o->signal,
				      .grace_ms = im->o->grace_ms,
				      .server = im->o->server,
				      .stop = im->carrier.stop};
	snprintf(s->program, sizeof(s->program),
		 "%s/slurm-volunteer-checkpoint", im->o->programs);
	im->carrier.fits_any = im->o->files;
	if (im->o->server < 0 && !im->o->stream)
		s->dump.server = s->server = vol_ckdump_server();
	if (s->dump.server < 0)
		return 0;
	s->dump.cgroup = s->task;
	return name_task(im->o->what, s->task, err);
}

static void begin_dump(struct saving *s)
{
	s->begin_ms = image_now_ms();
	s->dump.seconds = dump_seconds(s->im);
	s->im->stage = "dump";
	image_progress(s->im, 0, true);
}

/* Of what failed here with errno. */
static int status_of(void)
{
	return errno == EPERM ? IMAGE_UNMOVABLE : IMAGE_FAILED;
}

static int tell(const struct saving *s, uint32_t number)
{
	printf("{\"number\": %" PRIu32 ", \"bytes\": %" PRIu64
	       ", \"memory\": %" PRIu64 ", \"pre_ms\": %" PRIu64
	       ", \"dump_ms\": %" PRIu64 ", \"send_ms\": %" PRIu64 "}\n",
	       number, s->im->moved, s->m.memory, s->pre_ms,
	       s->dumped_ms - s->begin_ms, image_now_ms() - s->dumped_ms);
	return IMAGE_DONE;
}

/* First it is written down, then it is sent. */
static int save_in_turn(struct saving *s, struct vol_error *err)
{
	struct image *im = s->im;
	uint32_t number = 0;
	int rc;

	s->dump.streams = false;
	if (im->o->pre) {
		s->dump.seconds = dump_seconds(im);
		if (write_before(s, err) < 0)
			return status_of();
	}
	begin_dump(s);
	rc = vol_ckdump(&s->dump, err);
	s->dumped_ms = image_now_ms();
	if (rc < 0)
		return status_of();
	/* The job may go on. */
	im->stage = "send";
	image_progress(im, 0, true);
	if (describe(s, err) < 0)
		return status_of();
	if ((im->o->stream ? send_to_file(s, write_stream, err)
			   : send_to_controller(s, &number, err)) < 0)
		return image_status(im);
	return tell(s, number);
}

/* Both at once.  *again: it may be better in turn. */
static int save_live(struct saving *s, bool *again, struct vol_error *err)
{
	struct image *im = s->im;
	uint32_t number = 0;
	bool ours = true;
	int rc, status;

	s->dump.streams = true;
	begin_dump(s);
	/* What ends it in time is that nobody takes its files any more; killed
	 * it would leave the job in the middle. */
	s->dump.seconds = DUMP_SECONDS_MAX;
	if (im->o->stream) {
		rc = send_to_file(s, write_live, err);
	} else {
		/* CRIU does not wait for the next try. */
		im->carrier.until_ms = 0;
		rc = send_once(s, write_live, &number, &ours, err);
		im->carrier.until_ms = s->until_ms;
	}
	if (rc == 0)
		return tell(s, number);
	if (ours)
		return status_of();
	status = image_status(im);
	if (vol_carrier_may_pass(&im->carrier)) {
		*im->carrier.refusal.code = '\0';
		errno = EBUSY;
	}
	*again = image_again(im);
	return status;
}

static bool says(const char *cgroup, const char *file, const char *word)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", cgroup, file);
	text = vol_file_read(path, 256, NULL, NULL);
	return text && strstr(text, word);
}

/* It, or each folder in it that has tasks. */
static bool is_frozen(const char *cgroup)
{
	bool frozen = true;
	struct dirent *e;
	DIR *dir;

	if (says(cgroup, "cgroup.freeze", "1"))
		return true;
	dir = opendir(cgroup);
	if (!dir)
		return false;
	while (frozen && (e = readdir(dir))) {
		char path[PATH_MAX + 16];

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%.200s", cgroup, e->d_name);
		frozen = says(path, "cgroup.freeze", "1") ||
			 !says(path, "cgroup.events", "populated 1");
	}
	closedir(dir);
	return frozen && !says(cgroup, "cgroup.procs", "\n");
}

/* What CRIU hands over is what the job has in its memory when it is read, so
 * that must not run.  A socket that has no place there is no reason not to
 * save.
 */
static bool can_go_live(struct saving *s)
{
	char dir[PATH_MAX + 8];

	if (s->dump.goes_on || s->dump.files || s->im->o->pre ||
	    !is_frozen(s->im->o->what))
		return false;
	snprintf(dir, sizeof(dir), "%s/" VOL_RECORD_IMAGES, s->folder.path);
	s->listener = vol_ckcapture_listen(dir, NULL);
	return s->listener >= 0;
}

static void forget(struct saving *s)
{
	vol_ckmanifest_clear(&s->m);
	if (s->images >= 0)
		close(s->images);
	free(s->record);
	free(s->step);
	free(s->manifest);
	s->images = -1;
	s->record = NULL;
	s->step = s->manifest = NULL;
}

static int save(struct saving *s, struct vol_error *err)
{
	bool again = false;
	int status;

	if (vol_ckfolder_make(s->im->state_dir, &s->folder, err) < 0)
		return IMAGE_FAILED;
	if (prepare(s, err) < 0)
		return status_of();
	if (can_go_live(s)) {
		status = save_live(s, &again, err);
		if (!again)
			return status;
		forget(s);
		if (vol_ckfolder_empty(s->folder.path, err) < 0)
			return IMAGE_FAILED;
	}
	return save_in_turn(s, err);
}

int image_save(struct image *im, struct vol_error *err)
{
	struct saving s = {.im = im,
			   .folder = {.lock = -1},
			   .m = VOL_CKMANIFEST_INIT,
			   .until_ms = im->carrier.until_ms,
			   .images = -1,
			   .server = -1};
	int status = save(&s, err);

	if (s.server >= 0)
		close(s.server);
	vol_ckfolder_remove(&s.folder);
	forget(&s);
	return status;
}
