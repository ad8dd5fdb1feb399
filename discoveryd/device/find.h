/* SPDX-License-Identifier: GPL-2.0-or-later */
/* find.h - find controllers and be seen: names, memory and mDNS
 *
 * Feeds choose.h from the configuration, from the controller remembered in
 * state_dir and from mDNS, and publishes this device.
 */
#ifndef VOL_FIND_H
#define VOL_FIND_H

#include <systemd/sd-event.h>

#include "device/choose.h"
#include "device/device_conf.h"
#include "error.h"

struct vol_find;

/* found is called from the loop when there is somebody new to dial.  id is this
 * device's.  conf is borrowed until destroy. */
struct vol_find *vol_find_create(sd_event *loop,
				 const struct vol_device_conf *conf,
				 const char *id, void (*found)(void *arg),
				 void *arg, struct vol_error *err);
void vol_find_destroy(struct vol_find *f);

/* As vol_choose_next; a host name that keeps failing is asked for again. */
const struct vol_candidate *vol_find_next(struct vol_find *f);

size_t vol_find_count(const struct vol_find *f);

/* May we join this cluster, met at a candidate of this source?  The reason not
 * to goes into err. */
bool vol_find_accepts(struct vol_find *f, enum vol_source source,
		      const char *cluster, struct vol_error *err);

/* This controller has welcomed us as node: remember it, publish the name. */
void vol_find_welcomed(struct vol_find *f, const char *address, uint16_t port,
		       const char *cluster, const char *node);

#endif
