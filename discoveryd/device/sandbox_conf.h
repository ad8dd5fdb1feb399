/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox_conf.h - [sandbox] of device.conf, and the walls it means; pure */
#ifndef VOL_SANDBOX_CONF_H
#define VOL_SANDBOX_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "walls.h"

struct vol_sandbox_conf {
	bool on;
	int ids;     /* enum vol_walls_users */
	int network; /* enum vol_network */
	uint64_t tmp_bytes;
	uint64_t network_rate; /* bytes/s */
	uint32_t tasks, open_files;
	char *image; /* folder or image file (runtime.h); NULL: none */
	/* "/a, /b" as written; NULL: none besides the defaults */
	char *read, *etc, *work, *devices, *network_deny;
};

/* What stands around a job: the defaults of walls.h and what conf says.  EINVAL
 * for what can not be built and for places that would let a job at the system's
 * or at somebody's files; *walls is undefined then.  An image file is the
 * folder where it will be mounted. */
int vol_sandbox_conf_walls(const struct vol_sandbox_conf *conf,
			   struct vol_walls *walls, struct vol_error *err);

/* Only the errors of the above. */
int vol_sandbox_conf_check(const struct vol_sandbox_conf *conf,
			   struct vol_error *err);

/* Refuse working folders that are, or hold, the home of one of owners ("ann,
 * bob"; NULL: nobody) according to the file passwd; accounts that are not in it
 * are not looked for.  EINVAL. */
int vol_sandbox_conf_homes(const struct vol_walls *walls, const char *owners,
			   const char *passwd, struct vol_error *err);

#endif
