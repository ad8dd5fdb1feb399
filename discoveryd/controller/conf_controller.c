/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_controller.c - controller.conf: its table and what a table can not say
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clustername.h"
#include "conf.h"
#include "conf_controller.h"

#define AT(field) offsetof(struct vol_controller_conf, field)
#define SECTION   "controller"

/* enum vol_handout */
static const char *const handout_words[] = {"approved", "all", "no", NULL};

static const struct vol_conf_option table[] = {
	{VOL_CONF_STRING, SECTION, "approve", AT(approve), "ask", 1, 32, NULL},
	{VOL_CONF_STRING, SECTION, "cluster", AT(cluster), NULL, 1,
	 VOL_CLUSTER_NAME_SIZE - 1, NULL},
	{VOL_CONF_STRING, SECTION, "listen", AT(listen), "6830", 1, 64, NULL},
	{VOL_CONF_STRING, SECTION, "state_dir", AT(state_dir),
	 VOL_STATE_DIR "/controller", 2, 200, NULL},
	/* 107 is what fits into sun_path. */
	{VOL_CONF_STRING, SECTION, "control_socket", AT(control_socket),
	 VOL_RUN_DIR "/controller/control.sock", 2, 107, NULL},
	{VOL_CONF_STRING, SECTION, "partition", AT(partition), "volunteer", 1,
	 63, NULL},
	{VOL_CONF_DURATION, SECTION, "heartbeat", AT(heartbeat_ms), "5s", 100,
	 3600000, NULL},
	{VOL_CONF_DURATION, SECTION, "lost_after", AT(lost_after_ms), "15s",
	 300, 86400000, NULL},
	{VOL_CONF_DURATION, SECTION, "forget_after", AT(forget_after_ms), "30d",
	 60000, 0, NULL},
	{VOL_CONF_DURATION, SECTION, "drain_after", AT(drain_after_ms), "5s", 0,
	 3600000, NULL},
	{VOL_CONF_UINT, SECTION, "max_risk", AT(max_risk_pct), "30", 0, 100,
	 NULL},
	{VOL_CONF_BOOL, SECTION, "extend_time_limit", AT(extend_time_limit),
	 "yes", 0, 0, NULL},
	{VOL_CONF_ENUM, SECTION, "hand_out_key", AT(hand_out_key), "approved",
	 0, 0, handout_words},
	{VOL_CONF_STRING, SECTION, "auth_key", AT(auth_key), NULL, 2, 4000,
	 NULL},
	{VOL_CONF_STRING, SECTION, "checkpoint_dir", AT(checkpoint_dir), NULL,
	 2, 4000, NULL},
	{VOL_CONF_SIZE, SECTION, "checkpoint_quota", AT(checkpoint_quota),
	 "100G", 0, 0, NULL},
	{VOL_CONF_SIZE, SECTION, "checkpoint_user_quota",
	 AT(checkpoint_user_quota), "25G", 0, 0, NULL},
	{VOL_CONF_DURATION, SECTION, "checkpoint_keep", AT(checkpoint_keep_ms),
	 "1d", 0, 0, NULL},
	{VOL_CONF_BOOL, SECTION, "publish", AT(publish), "yes", 0, 0, NULL},
	{VOL_CONF_END, NULL, NULL, 0, NULL, 0, 0, NULL},
};

static int check(const char *path, struct vol_controller_conf *conf,
		 struct vol_error *err)
{
	struct sockaddr_storage address;
	bool any;

	if (vol_approve_parse(conf->approve, &conf->approve_mode) < 0)
		return vol_errorf_errno(err, EINVAL,
					"%s: approve: \"%s\" is not one of "
					"ask, token and all",
					path, conf->approve);
	if (conf->cluster && !vol_cluster_name_valid(conf->cluster))
		return vol_errorf_errno(err, EINVAL,
					"%s: cluster: want letters, digits, "
					"'-' and '_'",
					path);
	/* Fewer than two heartbeats would take one lost packet for a loss. */
	if (conf->lost_after_ms < 2 * conf->heartbeat_ms)
		return vol_errorf_errno(err, EINVAL,
					"%s: lost_after must be at least twice "
					"heartbeat",
					path);
	if (conf->forget_after_ms <= conf->lost_after_ms)
		return vol_errorf_errno(err, EINVAL,
					"%s: forget_after must be longer than "
					"lost_after",
					path);
	if (conf->auth_key && conf->auth_key[0] != '/')
		return vol_errorf_errno(err, EINVAL,
					"%s: auth_key: not an absolute path",
					path);
	if (conf->checkpoint_dir && conf->checkpoint_dir[0] != '/')
		return vol_errorf_errno(err, EINVAL,
					"%s: checkpoint_dir: not an absolute "
					"path",
					path);
	if (vol_listen_parse(conf->listen, &address, &any, err) < 0)
		return vol_error_prefix(err, "%s: listen", path);
	return 0;
}

int vol_controller_conf_read(const char *path, struct vol_controller_conf *conf,
			     struct vol_error *err)
{
	struct vol_controller_conf fresh = {0};

	if (vol_conf_read(table, path, &fresh, err) < 0)
		return -1;
	if (check(path, &fresh, err) < 0) {
		vol_conf_clear(table, &fresh);
		return -1;
	}
	vol_conf_clear(table, conf);
	*conf = fresh;
	return 0;
}

void vol_controller_conf_clear(struct vol_controller_conf *conf)
{
	vol_conf_clear(table, conf);
}

static int parse_port(const char *text, uint16_t *port)
{
	unsigned long value;
	char *end;

	if (!*text || strlen(text) > 5 ||
	    strspn(text, "0123456789") != strlen(text))
		return -1;
	value = strtoul(text, &end, 10);
	if (value < 1 || value > 65535)
		return -1;
	*port = (uint16_t)value;
	return 0;
}

int vol_listen_parse(const char *text, struct sockaddr_storage *address,
		     bool *any, struct vol_error *err)
{
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)address;
	struct sockaddr_in *a4 = (struct sockaddr_in *)address;
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	bool brackets = *text == '[';
	uint16_t port;
	size_t len;

	memset(address, 0, sizeof(*address));
	if (parse_port(colon ? colon + 1 : text, &port) < 0)
		return vol_errorf_errno(err, EINVAL, "\"%s\": bad port", text);
	*any = !colon;
	if (!colon) {
		a6->sin6_family = AF_INET6;
		a6->sin6_port = htons(port);
		return 0;
	}
	len = (size_t)(colon - text);
	if (brackets && (len < 3 || text[len - 1] != ']'))
		len = sizeof(host); /* no address */
	else if (brackets)
		len -= 2;
	if (len < sizeof(host)) {
		memcpy(host, text + brackets, len);
		host[len] = '\0';
		if (brackets &&
		    inet_pton(AF_INET6, host, &a6->sin6_addr) == 1) {
			a6->sin6_family = AF_INET6;
			a6->sin6_port = htons(port);
			return 0;
		}
		if (!brackets && inet_pton(AF_INET, host, &a4->sin_addr) == 1) {
			a4->sin_family = AF_INET;
			a4->sin_port = htons(port);
			return 0;
		}
	}
	return vol_errorf_errno(err, EINVAL,
				"\"%s\": want PORT, ADDRESS:PORT or "
				"[ADDRESS]:PORT",
				text);
}
