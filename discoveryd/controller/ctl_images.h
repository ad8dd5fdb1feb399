/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_images.h - what an administrator can have done with images of jobs
 *
 * {"type": "images", "after_job": 7?, "after_number": 2?} -> as of
 *	vol_images_list
 * {"type": "verify-image", "job": 7, "number": 2} begins it, and
 * {"type": "verified-image"} tells how far it is -> as of vol_images_verified
 * {"type": "image-fits", "job": 7} -> as of vol_fits_job
 * {"type": "prune-images", "job": 7?, "older_s": 3600?} -> removed
 */
#ifndef VOL_CTL_IMAGES_H
#define VOL_CTL_IMAGES_H

#include <jansson.h>
#include <sys/types.h>

#include "error.h"

json_t *vol_ctl_images(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err);
json_t *vol_ctl_verify_image(const json_t *request, uid_t uid, void *arg,
			     struct vol_error *err);
json_t *vol_ctl_verified_image(const json_t *request, uid_t uid, void *arg,
			       struct vol_error *err);
json_t *vol_ctl_image_fits(const json_t *request, uid_t uid, void *arg,
			   struct vol_error *err);
json_t *vol_ctl_prune_images(const json_t *request, uid_t uid, void *arg,
			     struct vol_error *err);

#endif
