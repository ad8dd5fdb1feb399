/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images.c - who may bring or fetch an image, and how many at once */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "admit.h"
#include "cleanup.h"
#include "images_private.h"
#include "log.h"
#include "thread.h"
#include "units.h"

/* GnuTLS takes 20 KiB of it; the chunks are elsewhere. */
#define STACK_BYTES (256 * 1024)
/* A job is looked up in milliseconds, if slurmctld is there. */
#define ASK_MS 10000
/* For those who may try again. */
#define RETRY_MS       2000
#define RETRY_STORE_MS 10000
#define RETRY_NEVER_MS 0

/* ---- refusals ---- */

/* One line in the log for each address and reason. */
static void refuse(struct vol_images *im, struct vol_conn *conn,
		   const char *code, const char *reason, uint32_t retry_ms)
{
	struct vol_link_msg msg = {.type = VOL_LINK_REFUSE,
				   .retry_ms = retry_ms};
	json_t *json;

	vol_refusals_log(&im->c->refusals, "image refused", vol_conn_peer(conn),
			 reason);
	snprintf(msg.code, sizeof(msg.code), "%s", code);
	snprintf(msg.reason, sizeof(msg.reason), "%s", reason);
	json = vol_link_encode(&msg);
	if (json)
		(void)vol_conn_send(conn, json);
	json_decref(json);
	vol_conn_finish(conn);
}

/* ---- threads ---- */

static void *run(void *arg)
{
	struct vol_image_move *m = arg;
	int done = m->im->done;

	vol_image_move_run(m);
	/* From now on it may be freed. */
	atomic_store(&m->done, true);
	(void)eventfd_write(done, 1);
	return NULL;
}

static void note_verified(struct vol_images *im, const struct vol_image_move *m)
{
	im->verify_bytes = m->bytes;
	im->verify_why = m->why;
	if (m->error)
		vol_err("%s", m->why.text);
}

static void note_moved(struct vol_images *im, const struct vol_image_move *m)
{
	char reason[VOL_REASON_SIZE], size[32];

	/* Most jobs have none. */
	if (m->deed == VOL_IMAGE_GET && m->error == ENOENT) {
		vol_debug("%s (%s): %s", m->head.node, m->address, m->why.text);
		return;
	}
	if (m->error) {
		snprintf(reason, sizeof(reason),
			 "image of job %u not %s: %.150s",
			 (unsigned)m->head.job,
			 m->deed == VOL_IMAGE_PUT ? "kept" : "fetched",
			 m->why.text);
		vol_refusals_log(&im->c->refusals, m->head.node, m->address,
				 reason);
		return;
	}
	vol_info("%s (%s): image %u of job %u %s, %s in %llu ms", m->head.node,
		 m->address, (unsigned)m->number, (unsigned)m->head.job,
		 m->deed == VOL_IMAGE_PUT ? "kept" : "fetched",
		 vol_size_format(m->bytes, size, sizeof(size)),
		 (unsigned long long)m->took_ms);
}

/* Join those that are done; all, when they were told to stop. */
static void collect(struct vol_images *im, bool all)
{
	struct vol_image_move **at = &im->moves, *m;

	while ((m = *at)) {
		if (!all && !atomic_load(&m->done)) {
			at = &m->next;
			continue;
		}
		*at = m->next;
		pthread_join(m->thread, NULL);
		close(m->stop);
		if (m->deed == VOL_IMAGE_VERIFY)
			note_verified(im, m);
		else
			note_moved(im, m);
		free(m);
	}
}

static int on_done(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	eventfd_t count;

	(void)source;
	(void)events;
	if (eventfd_read(fd, &count) == 0)
		collect(arg, false);
	return 0;
}

static int start(struct vol_images *im, struct vol_image_move *m,
		 struct vol_error *err)
{
	int rc;

	m->im = im;
	m->store = im->store;
	m->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->stop < 0)
		return vol_errorf(err, "eventfd: %s", strerror(errno));
	rc = vol_thread_start(&m->thread, STACK_BYTES, run, m);
	if (rc != 0) {
		close(m->stop);
		return vol_errorf_errno(err, rc, "no thread: %s", strerror(rc));
	}
	m->next = im->moves;
	im->moves = m;
	return 0;
}

/* The connection becomes the thread's. */
static void hand_over(struct vol_image_ask *ask)
{
	struct vol_image_move *m = calloc(1, sizeof(*m));
	struct vol_images *im = ask->im;
	struct vol_member *member =
		vol_controller_member_by_id(im->c, ask->device);
	struct vol_error err = {"out of memory"};

	if (!m || !member)
		goto error;
	m->fd = -1;
	m->deed = ask->msg.type == VOL_LINK_IMAGE_PUT ? VOL_IMAGE_PUT
						      : VOL_IMAGE_GET;
	m->announced = ask->msg.bytes;
	m->before = ask->msg.before;
	m->head = (struct vol_image_head){.job = ask->job.id,
					  .restarts = ask->job.restarts,
					  .uid = ask->job.user};
	memcpy(m->head.device, member->id, sizeof(m->head.device));
	memcpy(m->head.node, member->node_name, sizeof(m->head.node));
	/* Not known is as good as any. */
	if (!*ask->msg.fits)
		m->head.machine = member->device->machine;
	snprintf(m->address, sizeof(m->address), "%s",
		 vol_conn_peer(ask->conn));
	m->tls = vol_conn_take(ask->conn, &m->fd, &err);
	if (!m->tls)
		goto error;
	ask->conn = NULL;
	if (start(im, m, &err) == 0)
		return;
	vol_err("image of job %u: %s", (unsigned)ask->job.id, err.text);
	vol_tls_destroy(m->tls);
	close(m->fd);
error:
	free(m);
	if (ask->conn)
		refuse(im, ask->conn, "busy", err.text, RETRY_MS);
	ask->conn = NULL;
}

/* ---- who may ---- */

static const char too_many[] = "too many images are on their way";

static size_t moving(const struct vol_images *im)
{
	size_t n = 0;

	for (const struct vol_image_move *m = im->moves; m; m = m->next)
		n += m->deed != VOL_IMAGE_VERIFY;
	return n;
}

/* NULL: it may; else why not, in buf. */
static const char *objection(const struct vol_image_ask *ask, const char *node,
			     char buf[VOL_REASON_SIZE])
{
	const struct vol_slurm_job *job = &ask->job;
	bool put = ask->msg.type == VOL_LINK_IMAGE_PUT;
	bool runs = job->state == VOL_JOB_RUNNING ||
		    (put && job->state == VOL_JOB_SUSPENDED);

	/* An image is of one device, so of a job that is on it alone. */
	if (!runs || job->completing || strcmp(job->nodes, node) != 0)
		snprintf(buf, VOL_REASON_SIZE,
			 "job %u does not run on %s, or not there alone",
			 (unsigned)ask->msg.job, node);
	else if (put && ask->msg.restarts != job->restarts)
		snprintf(buf, VOL_REASON_SIZE,
			 "job %u was restarted %u times, its image after %u",
			 (unsigned)ask->msg.job, (unsigned)job->restarts,
			 (unsigned)ask->msg.restarts);
	else
		return NULL;
	return buf;
}

static void decide(struct vol_image_ask *ask)
{
	struct vol_images *im = ask->im;
	struct vol_member *member =
		vol_controller_member_by_id(im->c, ask->device);
	char buf[VOL_REASON_SIZE];
	const char *reason = NULL;

	if (ask->error == 0 && member)
		reason = objection(ask, member->node_name, buf);
	if (!member || member->revoked)
		refuse(im, ask->conn, "not_enrolled",
		       "this device is not approved any more", RETRY_NEVER_MS);
	else if (ask->error == ENOENT || reason)
		refuse(im, ask->conn, "not_here",
		       reason ? reason : ask->why.text, RETRY_NEVER_MS);
	else if (ask->error)
		refuse(im, ask->conn, "slurm_away", ask->why.text, RETRY_MS);
	else if (moving(im) >= VOL_IMAGES_MOVING)
		refuse(im, ask->conn, "busy", too_many, RETRY_MS);
	else
		hand_over(ask);
	/* Refused or handed over. */
	ask->conn = NULL;
}

/* It waits no more; the errand is still the registrar's. */
static void leave(struct vol_image_ask *ask)
{
	struct vol_image_ask **at = &ask->im->asks;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	ask->timer = sd_event_source_disable_unref(ask->timer);
	vol_conn_destroy(ask->conn);
	ask->conn = NULL;
	ask->im = NULL;
}

static void ask_free(struct vol_errand *errand)
{
	struct vol_image_ask *ask = (struct vol_image_ask *)errand;

	vol_slurm_job_clear(&ask->job);
	free(ask);
}

static bool ask_run(struct vol_errand *errand, struct vol_error *why)
{
	struct vol_image_ask *ask = (struct vol_image_ask *)errand;

	ask->error = 0;
	if (vol_slurm_job_get(ask->msg.job, &ask->job, &ask->why) == 0)
		return true;
	ask->error = errno;
	if (ask->error != EAGAIN)
		return true;
	*why = ask->why;
	return false;
}

static void ask_done(struct vol_errand *errand)
{
	struct vol_image_ask *ask = (struct vol_image_ask *)errand;

	if (ask->im) {
		decide(ask);
		leave(ask);
	}
	ask_free(errand);
}

static int on_asked(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_image_ask *ask = arg;

	(void)source;
	(void)usec;
	refuse(ask->im, ask->conn, "slurm_away", "slurmctld does not answer",
	       RETRY_MS);
	ask->conn = NULL;
	leave(ask);
	return 0;
}

static void on_message(struct vol_conn *conn, const json_t *msg, void *arg)
{
	struct vol_image_ask *ask = arg;

	(void)msg;
	refuse(ask->im, conn, "bad_message",
	       "something was said before its turn", RETRY_NEVER_MS);
	ask->conn = NULL;
	leave(ask);
}

static void on_closed(struct vol_conn *conn, const char *reason, bool protocol,
		      void *arg)
{
	struct vol_image_ask *ask = arg;

	if (protocol)
		vol_refusals_log(&ask->im->c->refusals, "image refused",
				 vol_conn_peer(conn), reason);
	leave(ask);
}

/* ---- begin ---- */

/* May this device have one more? */
static bool has_place(const struct vol_images *im, const char *device)
{
	size_t own = 0, asking = 0;

	for (const struct vol_image_ask *a = im->asks; a; a = a->next) {
		asking++;
		own += strcmp(a->device, device) == 0;
	}
	for (const struct vol_image_move *m = im->moves; m; m = m->next)
		own += m->deed != VOL_IMAGE_VERIFY &&
		       strcmp(m->head.device, device) == 0;
	return own < VOL_IMAGES_EACH && asking < VOL_IMAGES_ASKING &&
	       moving(im) < VOL_IMAGES_MOVING;
}

static struct vol_member *whose(struct vol_images *im, struct vol_conn *conn)
{
	const struct vol_fingerprint *key = vol_conn_peer_key(conn);
	char id[VOL_DEVICE_ID_SIZE];
	struct vol_device *device;

	if (!key)
		return NULL;
	vol_fingerprint_id(key, id);
	device = vol_registry_by_id(im->c->registry, id);
	if (vol_admit_standing(device, key) != VOL_STANDING_APPROVED)
		return NULL;
	return vol_controller_member_by_id(im->c, id);
}

static void look_up(struct vol_images *im, struct vol_conn *conn,
		    const struct vol_member *member,
		    const struct vol_link_msg *msg)
{
	static const struct vol_conn_ops ops = {
		.message = on_message,
		.closed = on_closed,
	};
	struct vol_image_ask *ask = calloc(1, sizeof(*ask));

	if (!ask) {
		refuse(im, conn, "busy", "out of memory", RETRY_MS);
		return;
	}
	ask->errand.run = ask_run;
	ask->errand.done = ask_done;
	ask->errand.drop = ask_free;
	ask->im = im;
	ask->conn = conn;
	ask->msg = *msg;
	memcpy(ask->device, member->id, sizeof(ask->device));
	ask->next = im->asks;
	im->asks = ask;
	vol_conn_pass(conn, &ops, ask);
	vol_conn_join(conn, vol_server_pool(im->c->server, true));
	if (sd_event_add_time_relative(im->c->loop, &ask->timer, CLOCK_BOOTTIME,
				       ASK_MS * 1000ULL, 0, on_asked, ask) < 0)
		vol_err("images: no timer");
	vol_registrar_errand(im->c->registrar, &ask->errand);
}

void vol_images_serve(struct vol_images *im, struct vol_conn *conn,
		      const struct vol_link_msg *msg)
{
	struct vol_member *member = whose(im, conn);
	struct vol_error err;

	if (msg->proto != VOL_LINK_PROTO) {
		refuse(im, conn, "version",
		       "another version of the link's protocol is spoken here",
		       RETRY_NEVER_MS);
		return;
	}
	if (!member) {
		refuse(im, conn, "not_enrolled",
		       "images are for approved devices", RETRY_NEVER_MS);
		return;
	}
	if (vol_images_check_store(im, &err) < 0)
		refuse(im, conn, "no_store", err.text, RETRY_STORE_MS);
	else if (has_place(im, member->id))
		look_up(im, conn, member, msg);
	else
		refuse(im, conn, "busy", too_many, RETRY_MS);
}

void vol_images_revoke(struct vol_images *im, const char *device)
{
	struct vol_image_ask *ask, *next;

	for (ask = im->asks; ask; ask = next) {
		next = ask->next;
		if (strcmp(ask->device, device) == 0)
			leave(ask);
	}
	for (struct vol_image_move *m = im->moves; m; m = m->next)
		if (m->deed != VOL_IMAGE_VERIFY &&
		    strcmp(m->head.device, device) == 0)
			(void)eventfd_write(m->stop, 1);
}

/* ---- life ---- */

struct vol_store *vol_images_store(struct vol_images *im)
{
	return im ? im->store : NULL;
}

void vol_images_reload(struct vol_images *im)
{
	struct vol_store_limits limits;

	vol_images_limits(im, &limits);
	if (im->store)
		vol_store_limit(im->store, &limits);
}

void vol_images_open(struct vol_images *im)
{
	bool first = !*im->no_store.text;
	struct vol_error err = {""};

	if (im->store)
		return;
	im->store = vol_images_open_store(im, &err);
	if (im->store && !first)
		vol_info("images of jobs are kept again");
	else if (!im->store && strcmp(err.text, im->no_store.text) != 0)
		vol_err("jobs that leave a device are not saved: %s", err.text);
	im->no_store = err;
}

int vol_images_check_store(const struct vol_images *im, struct vol_error *err)
{
	return im->store
		       ? 0
		       : vol_errorf_errno(err, ENODEV, "no images are kept: %s",
					  im->no_store.text);
}

struct vol_images *vol_images_create(struct vol_controller *c,
				     struct vol_error *err)
{
	struct vol_images *im = calloc(1, sizeof(*im));
	int rc;

	if (!im) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	im->c = c;
	im->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (im->done < 0) {
		vol_errorf(err, "eventfd: %s", strerror(errno));
		goto error;
	}
	rc = sd_event_add_io(c->loop, &im->wake, im->done, EPOLLIN, on_done,
			     im);
	if (rc < 0) {
		vol_errorf_errno(err, -rc, "event loop: %s", strerror(-rc));
		goto error;
	}
	/* All else goes on without. */
	vol_images_open(im);
	if (vol_images_sweep_begin(im, err) == 0)
		return im;
error:
	vol_images_destroy(im);
	return NULL;
}

void vol_images_destroy(struct vol_images *im)
{
	int saved = errno;

	if (!im)
		return;
	while (im->asks)
		leave(im->asks);
	/* All at once, so that their goodbyes do not add up. */
	for (struct vol_image_move *m = im->moves; m; m = m->next)
		(void)eventfd_write(m->stop, 1);
	collect(im, true);
	vol_images_sweep_end(im);
	sd_event_source_disable_unref(im->wake);
	if (im->done >= 0)
		close(im->done);
	vol_store_close(im->store);
	free(im);
	errno = saved;
}

/* ---- the control socket ---- */

int vol_images_verify(struct vol_images *im, uint32_t job, uint32_t number,
		      struct vol_error *err)
{
	struct vol_image_move *m;
	int saved;

	if (vol_images_check_store(im, err) < 0)
		return -1;
	for (m = im->moves; m; m = m->next)
		if (m->deed == VOL_IMAGE_VERIFY)
			return vol_errorf_errno(
				err, EBUSY,
				"image %u of job %u is being read; try again",
				(unsigned)m->number, (unsigned)m->head.job);
	m = calloc(1, sizeof(*m));
	if (!m)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	m->deed = VOL_IMAGE_VERIFY;
	m->fd = -1;
	m->head.job = job;
	m->number = number;
	if (start(im, m, err) < 0) {
		saved = errno;
		free(m);
		errno = saved;
		return -1;
	}
	im->verify_job = job;
	im->verify_number = number;
	return 0;
}
