/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images_tell.c - what administrators hear of images, and have done to them */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "images_private.h"
#include "log.h"

/* A reply is one frame of 64 KiB; an image takes 300 bytes of it. */
#define PAGE 100

static json_t *done(json_t *data, struct vol_error *err)
{
	if (!data)
		vol_errorf_errno(err, ENOMEM, "out of memory");
	return data;
}

static json_t *image_json(const struct vol_store_image *i)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:s, s:s, s:I, s:I, s:s, s:b, "
			 "s:I}",
			 "job", (json_int_t)i->head.job, "number",
			 (json_int_t)i->head.number, "restarts",
			 (json_int_t)i->head.restarts, "uid",
			 (json_int_t)i->head.uid, "node", i->head.node,
			 "device", i->head.device, "bytes",
			 (json_int_t)i->bytes, "made_at",
			 (json_int_t)i->head.made, "state",
			 vol_store_state_name(i->state), "live", (int)i->live,
			 "checked_at", (json_int_t)i->checked);
}

static bool is_after(const struct vol_image_head *head, uint32_t job,
		     uint32_t number)
{
	return head->job != job ? head->job > job : head->number > number;
}

json_t *vol_images_list(struct vol_images *im, uint32_t after_job,
			uint32_t after_number, struct vol_error *err)
{
	const struct vol_controller_conf *conf = &im->c->conf;
	json_t *list;
	struct vol_store_image *images;
	bool more = false;
	size_t n;

	if (vol_images_check_store(im, err) < 0)
		return NULL;
	list = json_array();
	images = vol_store_list(im->store, &n);
	for (size_t i = 0; images && i < n && !more; i++) {
		if (!is_after(&images[i].head, after_job, after_number))
			continue;
		more = json_array_size(list) == PAGE;
		if (!more)
			json_array_append_new(list, image_json(&images[i]));
	}
	if (!images) {
		json_decref(list);
		list = NULL;
	}
	free(images);
	return done(json_pack("{s:o, s:b, s:I, s:I, s:I}", "images", list,
			      "more", (int)more, "used",
			      (json_int_t)vol_store_used(im->store), "quota",
			      (json_int_t)conf->checkpoint_quota, "user_quota",
			      (json_int_t)conf->checkpoint_user_quota),
		    err);
}

json_t *vol_images_verified(struct vol_images *im, struct vol_error *err)
{
	const struct vol_image_move *m = im->moves;
	struct vol_store_image *images;
	const char *state = "gone";
	uint64_t bytes = 0, so_far;
	size_t n;

	if (vol_images_check_store(im, err) < 0)
		return NULL;
	while (m && m->deed != VOL_IMAGE_VERIFY)
		m = m->next;
	so_far = m ? m->bytes : im->verify_bytes;
	images = vol_store_list(im->store, &n);
	for (size_t i = 0; images && i < n; i++) {
		if (images[i].head.job != im->verify_job ||
		    images[i].head.number != im->verify_number)
			continue;
		state = vol_store_state_name(images[i].state);
		bytes = images[i].bytes;
	}
	free(images);
	return done(json_pack("{s:I, s:I, s:b, s:I, s:I, s:s, s:s}", "job",
			      (json_int_t)im->verify_job, "number",
			      (json_int_t)im->verify_number, "running",
			      (int)(m != NULL), "done", (json_int_t)so_far,
			      "bytes", (json_int_t)bytes, "state", state,
			      "reason", m ? "" : im->verify_why.text),
		    err);
}

int vol_images_forget(struct vol_images *im, uint32_t job, uint32_t restarts)
{
	struct vol_error err;
	int n = 0;

	if (im)
		n = vol_images_check_store(im, &err) < 0
			    ? -1
			    : vol_store_outdate(im->store, job, restarts, &err);
	if (n < 0)
		vol_err("images of job %u: %s", (unsigned)job, err.text);
	if (n > 0)
		vol_info("job %u goes on where it is: images of this run are "
			 "dropped",
			 (unsigned)job);
	return n < 0 ? -1 : 0;
}

void vol_images_spare(struct vol_images *im, uint32_t job, uint32_t restarts)
{
	if (im && vol_images_check_store(im, NULL) == 0 &&
	    vol_store_spare(im->store, job, restarts))
		vol_info("job %u was sent on before it began: its image stays "
			 "good",
			 (unsigned)job);
}

json_t *vol_images_prune(struct vol_images *im, uint32_t job, uint64_t older_s,
			 struct vol_error *err)
{
	int n;

	if (vol_images_check_store(im, err) < 0)
		return NULL;
	if (!job && !older_s)
		n = vol_store_sweep(im->store, NULL, 0, 0, err);
	else
		n = vol_store_remove(im->store, job, older_s, err);
	return n < 0 ? NULL : done(json_pack("{s:i}", "removed", n), err);
}
