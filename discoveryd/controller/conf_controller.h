/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_controller.h - controller.conf */
#ifndef VOL_CONF_CONTROLLER_H
#define VOL_CONF_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "admit.h"
#include "error.h"

struct vol_controller_conf {
	char *approve;
	enum vol_approve approve_mode; /* of that */
	char *listen;
	char *state_dir;
	char *control_socket;
	char *partition;
	char *cluster; /* of clusterdir.h; NULL: the host's own */
	uint64_t heartbeat_ms, lost_after_ms, forget_after_ms;
	uint64_t drain_after_ms;
	uint32_t max_risk_pct; /* as of jobs with a time limit, see score.h */
	bool extend_time_limit;
	bool publish;
	int hand_out_key;     /* enum vol_handout, authkey.h */
	char *auth_key;       /* NULL: see keyring_work.c */
	char *checkpoint_dir; /* NULL: STATE_DIR/checkpoints */
	uint64_t checkpoint_quota, checkpoint_user_quota; /* 0: none */
	uint64_t checkpoint_keep_ms;
};

/* Read and check as a whole; *conf must be zeroed or hold an earlier result,
 * and is untouched on error. */
int vol_controller_conf_read(const char *path, struct vol_controller_conf *conf,
			     struct vol_error *err);
void vol_controller_conf_clear(struct vol_controller_conf *conf);

/* "6830", "192.0.2.1:6830" or "[2001:db8::1]:6830".  any: no address given. */
int vol_listen_parse(const char *text, struct sockaddr_storage *address,
		     bool *any, struct vol_error *err);

#endif
