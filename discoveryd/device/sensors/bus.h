/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bus.h - a connection to the system bus that comes back
 *
 * Nothing here waits: a bus that is not there yet is waited for through the
 * folder of its socket, one that broke is tried again.
 */
#ifndef VOL_SENSOR_BUS_H
#define VOL_SENSOR_BUS_H

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "error.h"

struct vol_sensor_bus;

/* changed is called from the loop: with the bus when it can be used, with NULL
 * when it broke, or is not there some seconds after create. */
struct vol_sensor_bus *vol_sensor_bus_create(sd_event *loop,
					     void (*changed)(sd_bus *bus,
							     void *arg),
					     void *arg, struct vol_error *err);
void vol_sensor_bus_destroy(struct vol_sensor_bus *b);

#endif
