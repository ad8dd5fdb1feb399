/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_images.c - what an administrator can have done with images of jobs */
#include "config.h"

#include "ctl_images.h"

#include <errno.h>

#include "controller.h"
#include "fits.h"
#include "images.h"
#include "log.h"

/* An optional number: 0 without it. */
static int number_of(const json_t *request, const char *name, json_int_t max,
		     json_int_t *n, struct vol_error *err)
{
	const json_t *value = json_object_get(request, name);

	*n = json_integer_value(value);
	if (value && (!json_is_integer(value) || *n < 0 || *n > max))
		return vol_errorf_errno(err, EINVAL,
					"%s: want a number up to %lld", name,
					(long long)max);
	return 0;
}

json_t *vol_ctl_images(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err)
{
	struct vol_controller *c = arg;
	json_int_t job, number;

	(void)uid;
	if (number_of(request, "after_job", UINT32_MAX, &job, err) < 0 ||
	    number_of(request, "after_number", UINT32_MAX, &number, err) < 0)
		return NULL;
	return vol_images_list(c->images, (uint32_t)job, (uint32_t)number, err);
}

json_t *vol_ctl_verify_image(const json_t *request, uid_t uid, void *arg,
			     struct vol_error *err)
{
	struct vol_controller *c = arg;
	json_int_t job, number;

	(void)uid;
	if (number_of(request, "job", UINT32_MAX, &job, err) < 0 ||
	    number_of(request, "number", UINT32_MAX, &number, err) < 0 ||
	    vol_images_verify(c->images, (uint32_t)job, (uint32_t)number, err) <
		    0)
		return NULL;
	return vol_images_verified(c->images, err);
}

json_t *vol_ctl_verified_image(const json_t *request, uid_t uid, void *arg,
			       struct vol_error *err)
{
	struct vol_controller *c = arg;

	(void)request;
	(void)uid;
	return vol_images_verified(c->images, err);
}

json_t *vol_ctl_image_fits(const json_t *request, uid_t uid, void *arg,
			   struct vol_error *err)
{
	struct vol_controller *c = arg;
	json_int_t job;

	(void)uid;
	if (number_of(request, "job", UINT32_MAX, &job, err) < 0)
		return NULL;
	return vol_fits_job(c->fits, (uint32_t)job, err);
}

json_t *vol_ctl_prune_images(const json_t *request, uid_t uid, void *arg,
			     struct vol_error *err)
{
	struct vol_controller *c = arg;
	json_int_t job, older_s;
	json_t *data;

	/* A century. */
	if (number_of(request, "job", UINT32_MAX, &job, err) < 0 ||
	    number_of(request, "older_s", INT64_C(3153600000), &older_s, err) <
		    0)
		return NULL;
	data = vol_images_prune(c->images, (uint32_t)job, (uint64_t)older_s,
				err);
	if (data)
		vol_info("%lld images removed by uid %u",
			 (long long)json_integer_value(
				 json_object_get(data, "removed")),
			 (unsigned)uid);
	return data;
}
