/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_conf.h - device.conf as a structure; see
 * slurm-volunteer-device.conf(5) */
#ifndef VOL_DEVICE_CONF_H
#define VOL_DEVICE_CONF_H

#include <stdbool.h>

#include "conf.h"
#include "device/sandbox_conf.h"
#include "policy.h"
#include "units.h"

enum vol_supervise {
	VOL_SUPERVISE_AUTO,
	VOL_SUPERVISE_SYSTEMD,
	VOL_SUPERVISE_CHILD,
};

struct vol_device_conf {
	char *controller;     /* host[:port], NULL: look for it */
	char *cluster;        /* NULL: any */
	char *controller_key; /* 64 hex digits; NULL: see pin.h */
	int trust;            /* enum vol_trust_mode */
	char *state_dir;
	char *control_socket;
	char *slurmd;
	char *slurmd_log;
	char *auth_key;     /* where the Slurm key goes; "none" */
	char *auth_restart; /* what makes it be read; "none" */
	int supervise;      /* enum vol_supervise */
	bool publish;
	char *input_devices; /* "PATH, PATH ..."; NULL: all there are */
	struct vol_share cpus, memory, scratch, gpus;
	char *scratch_dir;
	struct vol_policy policy;
	char *hours, *unknown_is_present; /* as written; see policy */
	char *owners;    /* "ann, bob": may pause, resume and set; NULL: none
			  * besides root and whoever sits at the machine */
	bool checkpoint; /* save jobs before they are moved away */
	uint64_t checkpoint_ms;       /* for at most so long, each */
	uint64_t checkpoint_every_ms; /* those that run: no more often */
	uint64_t checkpoint_grace_ms; /* those that save themselves: for that */
	char *users, *accounts;       /* for vol_list_welcomes; NULL: all */
	struct vol_sandbox_conf sandbox;
};

/* The settings of an empty file. */
int vol_device_conf_defaults(struct vol_device_conf *c, struct vol_error *err);

/* Defaults, then path; the rules between keys are checked too.  On error *c is
 * unchanged.  *c must be zeroed or hold the result of an earlier call. */
int vol_device_conf_read(struct vol_device_conf *c, const char *path,
			 struct vol_error *err);

/* The same from memory; name stands for the file in messages. */
int vol_device_conf_parse(const char *name, const char *text, size_t len,
			  struct vol_device_conf *c, struct vol_error *err);

/* Its keys, for vol_conf_show. */
const struct vol_conf_option *vol_device_conf_table(void);

void vol_device_conf_clear(struct vol_device_conf *c);

/* Take "host", "host:port", "1.2.3.4:port", "::1" or "[::1]:port" apart; port
 * is VOL_LINK_PORT when not given.  EINVAL for anything else. */
int vol_device_conf_host(const char *text, char *host, size_t size,
			 uint16_t *port, struct vol_error *err);

#endif
