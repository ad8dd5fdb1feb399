/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_conf.h - device.conf as a structure; see
 * slurm-volunteer-device.conf(5) */
#ifndef VOL_DEVICE_CONF_H
#define VOL_DEVICE_CONF_H

#include <stdbool.h>

#include "conf.h"
#include "units.h"

enum vol_supervise {
	VOL_SUPERVISE_AUTO,
	VOL_SUPERVISE_SYSTEMD,
	VOL_SUPERVISE_CHILD,
};

struct vol_device_conf {
	char *controller; /* host[:port], NULL: look for it */
	char *cluster;    /* NULL: any */
	char *state_dir;
	char *control_socket;
	char *slurmd;
	char *slurmd_log;
	int supervise; /* enum vol_supervise */
	bool publish;
	char *input_devices; /* reserved: accepted, not used */
	struct vol_share cpus, memory, scratch, gpus;
	char *scratch_dir;
};

/* The settings of an empty file. */
int vol_device_conf_defaults(struct vol_device_conf *c, struct vol_error *err);

/* Defaults, then path; the rules between keys are checked too.  On error *c is
 * unchanged.  *c must be zeroed or hold the result of an earlier call. */
int vol_device_conf_read(struct vol_device_conf *c, const char *path,
			 struct vol_error *err);

void vol_device_conf_clear(struct vol_device_conf *c);

/* Take "host", "host:port", "1.2.3.4:port", "::1" or "[::1]:port" apart; port
 * is VOL_LINK_PORT when not given.  EINVAL for anything else. */
int vol_device_conf_host(const char *text, char *host, size_t size,
			 uint16_t *port, struct vol_error *err);

#endif
