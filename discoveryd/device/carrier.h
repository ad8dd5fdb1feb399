/* SPDX-License-Identifier: GPL-2.0-or-later */
/* carrier.h - bring an image to the controller, or fetch one; waits
 *
 * For a program of its own (image.c).  Speaks to the controller that this
 * device knows, as this device.
 */
#ifndef VOL_CARRIER_H
#define VOL_CARRIER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "imagefile.h"
#include "link.h"
#include "registry.h"
#include "tls.h"

struct vol_carrier {
	struct vol_tls_context *tls; /* with the device's key */
	struct vol_tls_pin pin;      /* must be the whole key */
	char address[VOL_ADDRESS_SIZE];
	uint16_t port;
	int stop;          /* readable: stop (ECANCELED); -1: none */
	uint64_t until_ms; /* no try begins after that, CLOCK_BOOTTIME; 0: one
			    * try */
	/* Optional: so many bytes of the stream are through. */
	void (*progress)(uint64_t bytes, void *arg);
	void *arg;
	bool fits_any; /* what is put: any machine can use it */
	/* What the controller said last, if it refused: code and reason. */
	struct vol_link_msg refusal;
};

/* The two below try again, with backoff, what may be different next time: a
 * controller that is not there or busy, a connection that broke.  errno of what
 * fails: ECANCELED, EACCES (refused, see refusal), ENOENT (no_image), EDQUOT
 * (no_room), ENODEV (no_store), EBADMSG (damaged), ETIMEDOUT and those of
 * sockets.
 */

/* Of a refusal: could it be different the next time? */
bool vol_carrier_may_pass(const struct vol_carrier *c);

/* from: the stream, read from where it is to its end; what can not be sought
 * can only be tried again before its first byte.  bytes: as in image_put.
 * *number: what it is called now. */
int vol_carrier_put(struct vol_carrier *c, int from, uint32_t job,
		    uint32_t restarts, uint64_t bytes, uint32_t *number,
		    struct vol_error *err);

/* into: where the stream is written, from where it is; *here: image_here.
 * Complete and verified when 0 is returned; before that its bytes are authentic
 * but may end at any point.  What can not be cut to its former length can only
 * be tried again before its first byte. */
int vol_carrier_get(struct vol_carrier *c, int into, uint32_t job,
		    uint32_t before, struct vol_link_msg *here,
		    struct vol_error *err);

#endif
