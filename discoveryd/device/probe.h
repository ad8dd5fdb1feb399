/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.h - is it only the controller's discoveryd that is gone?
 *
 * Connects to the link port and, when that is refused, to slurmctld's.  A
 * refusal alone could come from a firewall or from another machine that has
 * got the address; together with a slurmctld that takes connections it means
 * that the host is there and no discoveryd runs on it.
 */
#ifndef VOL_PROBE_H
#define VOL_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "error.h"

/* For both connections. */
#define VOL_PROBE_MS 2000

struct vol_probe;

/* Called once, from the loop.  nobody: link refused, slurmctld there. */
typedef void (*vol_probe_f)(bool nobody, void *arg);

/* address: numeric. */
struct vol_probe *vol_probe_start(sd_event *loop, const char *address,
				  uint16_t link_port, uint16_t slurmctld_port,
				  vol_probe_f done, void *arg,
				  struct vol_error *err);

/* Give up or clean up; NULL-safe, legal inside the callback. */
void vol_probe_destroy(struct vol_probe *p);

#endif
