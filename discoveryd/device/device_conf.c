/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_conf.c - device.conf as a structure */
#include "config.h"

#include "device/device_conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"

#define FIELD(name)  offsetof(struct vol_device_conf, name)
#define PATH_MAX_LEN 4000

static const char *const supervise_words[] = {"auto", "systemd", "child", NULL};

static const struct vol_conf_option table[] = {
	{VOL_CONF_STRING, "device", "controller", FIELD(controller), NULL, 1,
	 255, NULL},
	{VOL_CONF_STRING, "device", "cluster", FIELD(cluster), NULL, 1, 40,
	 NULL},
	{VOL_CONF_STRING, "device", "state_dir", FIELD(state_dir),
	 VOL_STATE_DIR, 1, PATH_MAX_LEN, NULL},
	{VOL_CONF_STRING, "device", "control_socket", FIELD(control_socket),
	 VOL_RUN_DIR "/device.sock", 1, 100, NULL},
	{VOL_CONF_STRING, "device", "slurmd", FIELD(slurmd), "/usr/sbin/slurmd",
	 1, PATH_MAX_LEN, NULL},
	{VOL_CONF_STRING, "device", "slurmd_log", FIELD(slurmd_log),
	 VOL_LOG_DIR "/slurmd.log", 1, PATH_MAX_LEN, NULL},
	{VOL_CONF_ENUM, "device", "supervise", FIELD(supervise), "auto", 0, 0,
	 supervise_words},
	{VOL_CONF_BOOL, "device", "publish", FIELD(publish), "yes", 0, 0, NULL},
	{VOL_CONF_STRING, "device", "input_devices", FIELD(input_devices), NULL,
	 0, PATH_MAX_LEN, NULL},
	{VOL_CONF_COUNT_SHARE, "share", "cpus", FIELD(cpus), "all", 0, 0, NULL},
	/* What the desktop itself needs while a job runs must stay. */
	{VOL_CONF_SIZE_SHARE, "share", "memory", FIELD(memory), "80%", 0, 0,
	 NULL},
	{VOL_CONF_SIZE_SHARE, "share", "scratch", FIELD(scratch), "none", 0, 0,
	 NULL},
	{VOL_CONF_STRING, "share", "scratch_dir", FIELD(scratch_dir), "/tmp", 1,
	 PATH_MAX_LEN, NULL},
	{VOL_CONF_COUNT_SHARE, "share", "gpus", FIELD(gpus), "none", 0, 0,
	 NULL},
	{VOL_CONF_END, NULL, NULL, 0, NULL, 0, 0, NULL},
};

static int check_path(const char *key, const char *path, struct vol_error *err)
{
	if (path[0] != '/')
		return vol_errorf_errno(err, EINVAL,
					"%s = %s: not an absolute path", key,
					path);
	return 0;
}

static int check(const struct vol_device_conf *c, struct vol_error *err)
{
	char host[256];
	uint16_t port;

	if (check_path("state_dir", c->state_dir, err) < 0 ||
	    check_path("control_socket", c->control_socket, err) < 0 ||
	    check_path("slurmd", c->slurmd, err) < 0 ||
	    check_path("slurmd_log", c->slurmd_log, err) < 0 ||
	    check_path("scratch_dir", c->scratch_dir, err) < 0)
		return -1;
	if (c->controller && vol_device_conf_host(c->controller, host,
						  sizeof(host), &port, err) < 0)
		return vol_error_prefix(err, "controller");
	return 0;
}

int vol_device_conf_defaults(struct vol_device_conf *c, struct vol_error *err)
{
	return vol_conf_defaults(table, c, err);
}

int vol_device_conf_read(struct vol_device_conf *c, const char *path,
			 struct vol_error *err)
{
	struct vol_device_conf fresh = {0};

	if (vol_conf_defaults(table, &fresh, err) < 0 ||
	    vol_conf_read(table, path, &fresh, err) < 0)
		goto error;
	if (check(&fresh, err) < 0) {
		vol_error_prefix(err, "%s", path);
		goto error;
	}
	vol_device_conf_clear(c);
	*c = fresh;
	return 0;
error:
	vol_conf_clear(table, &fresh);
	return -1;
}

void vol_device_conf_clear(struct vol_device_conf *c)
{
	vol_conf_clear(table, c);
}

static int parse_port(const char *s, uint16_t *port)
{
	char *end;
	unsigned long n;

	if (*s < '0' || *s > '9')
		return -1;
	n = strtoul(s, &end, 10);
	if (*end || n < 1 || n > 65535)
		return -1;
	*port = (uint16_t)n;
	return 0;
}

/* Names and numeric addresses; nothing that a shell or Slurm would expand. */
static bool good_host(const char *s, size_t len)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.-_:%";

	return len > 0 && s[0] != '-' && strspn(s, good) >= len;
}

int vol_device_conf_host(const char *text, char *host, size_t size,
			 uint16_t *port, struct vol_error *err)
{
	const char *begin = text, *end, *after;
	size_t len;

	*port = VOL_LINK_PORT;
	if (*text == '[') {
		begin++;
		end = strchr(begin, ']');
		after = end ? end + 1 : NULL;
	} else {
		end = strchr(text, ':');
		/* Two colons without brackets: a bare IPv6 address. */
		if (!end || strchr(end + 1, ':'))
			end = text + strlen(text);
		after = end;
	}
	len = end ? (size_t)(end - begin) : 0;
	if (!end || len >= size || !good_host(begin, len) ||
	    (*after && *after != ':') ||
	    (*after == ':' && parse_port(after + 1, port) < 0))
		return vol_errorf_errno(err, EINVAL,
					"'%s' is not HOST or HOST:PORT", text);
	memcpy(host, begin, len);
	host[len] = '\0';
	return 0;
}
