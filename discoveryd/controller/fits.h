/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fits.h - which devices can go on with which saved jobs
 *
 * Each device says what its machine is (ckmachine.h); the registry remembers
 * it, and the store what the machine was that an image was made on.  From that
 * the table of images (lib/imagetable.h) is made, beside the node table, for
 * the select plugin.
 *
 * The newest image of a job that is not damaged counts.  A job whose image no
 * device fits, of those that are approved, is left out: to wait for one that
 * nobody knows would be for ever, so it may start anywhere, and begins anew
 * where the device finds that its image does not fit.  A device that never said
 * what it is fits nothing.  What a device has mapped is not known here: it
 * looks itself.
 */
#ifndef VOL_FITS_H
#define VOL_FITS_H

#include <stdint.h>

#include <jansson.h>

#include "error.h"

struct vol_controller;
struct vol_fits;
struct vol_link_msg;
struct vol_member;

/* Also c->fits; once there are members, node table and images. */
struct vol_fits *vol_fits_create(struct vol_controller *c,
				 struct vol_error *err);
/* NULL-safe. */
void vol_fits_destroy(struct vol_fits *f);

/* The device says what it is (MACHINE). */
void vol_fits_machine(struct vol_member *s, const struct vol_link_msg *msg);
/* The kind of its machine in both tables; 0: not known, or one too many. */
uint32_t vol_fits_kind(struct vol_member *s);

/* A device came or went. */
void vol_fits_changed(struct vol_fits *f);
/* Write the table, if it would be another one: before a job is requeued, and
 * now and then.  NULL-safe. */
void vol_fits_update(struct vol_fits *f);

/* About the image of a job: {job, number, node, made_at, waits (for a device
 * that fits), unfit: [{machine: kind, reason}]}; number 0: it has none, and no
 * more is said.  NULL: no memory. */
json_t *vol_fits_job(struct vol_fits *f, uint32_t job, struct vol_error *err);

/* What a device is: {cpu, arch, kernel, criu, runtime, features, kind}; null:
 * it has not said.  New reference. */
json_t *vol_fits_machine_json(struct vol_member *s);

#endif
