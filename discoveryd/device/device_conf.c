/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_conf.c - device.conf as a structure */
#include "config.h"

#include "device/device_conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fingerprint.h"
#include "link.h"
#include "text.h"

#define FIELD(name)  offsetof(struct vol_device_conf, name)
#define PATH_MAX_LEN 4000
#define MINUTE_MS    (60 * UINT64_C(1000))
#define HOUR_MS      (60 * MINUTE_MS)
#define DAY_MS       (24 * HOUR_MS)

/* enum vol_trust_mode */
static const char *const trust_words[] = {"code", "first", NULL};
static const char *const supervise_words[] = {"auto", "systemd", "child", NULL};
/* enum vol_reaction */
static const char *const reaction_words[] = {"freeze", "throttle", "evict",
					     NULL};
/* enum vol_walls_users */
static const char *const ids_words[] = {"auto", "always", "never", NULL};
/* enum vol_network */
static const char *const network_words[] = {"none", "internet", "lan", NULL};

static const struct vol_conf_option table[] = {
	{VOL_CONF_STRING, "device", "controller", FIELD(controller), NULL, 1,
	 255, NULL},
	{VOL_CONF_STRING, "device", "cluster", FIELD(cluster), NULL, 1, 40,
	 NULL},
	{VOL_CONF_STRING, "device", "controller_key", FIELD(controller_key),
	 NULL, 1, 255, NULL},
	{VOL_CONF_ENUM, "device", "trust", FIELD(trust), "code", 0, 0,
	 trust_words},
	{VOL_CONF_STRING, "device", "state_dir", FIELD(state_dir),
	 VOL_STATE_DIR, 1, PATH_MAX_LEN, NULL},
	{VOL_CONF_STRING, "device", "control_socket", FIELD(control_socket),
	 VOL_RUN_DIR "/device.sock", 1, 100, NULL},
	{VOL_CONF_STRING, "device", "slurmd", FIELD(slurmd), "/usr/sbin/slurmd",
	 1, PATH_MAX_LEN, NULL},
	{VOL_CONF_STRING, "device", "slurmd_log", FIELD(slurmd_log),
	 VOL_LOG_DIR "/slurmd.log", 1, PATH_MAX_LEN, NULL},
	{VOL_CONF_STRING, "device", "auth_key", FIELD(auth_key),
	 "/etc/munge/munge.key", 1, PATH_MAX_LEN, NULL},
	{VOL_CONF_STRING, "device", "auth_restart", FIELD(auth_restart),
	 "/usr/bin/systemctl restart munge.service", 1, PATH_MAX_LEN, NULL},
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
	{VOL_CONF_DURATION, "owner", "idle_after", FIELD(policy.idle_after_ms),
	 "5m", 0, DAY_MS, NULL},
	{VOL_CONF_STRING, "owner", "hours", FIELD(hours), "always", 1, 0, NULL},
	{VOL_CONF_BOOL, "owner", "on_battery", FIELD(policy.on_battery), "no",
	 0, 0, NULL},
	{VOL_CONF_UINT, "owner", "max_load", FIELD(policy.max_load_pct), "25",
	 1, 100, NULL},
	/* Processors throttle at 95 to 105 degrees, fans are loud before. */
	{VOL_CONF_UINT, "owner", "max_temperature", FIELD(policy.max_celsius),
	 "90", 0, 150, NULL},
	{VOL_CONF_ENUM, "owner", "reaction", FIELD(policy.reaction), "freeze",
	 0, 0, reaction_words},
	{VOL_CONF_DURATION, "owner", "parked_max", FIELD(policy.parked_max_ms),
	 "10m", 0, 7 * DAY_MS, NULL},
	{VOL_CONF_DURATION, "owner", "interactive_max",
	 FIELD(policy.interactive_max_ms), "30m", 0, 7 * DAY_MS, NULL},
	{VOL_CONF_UINT, "owner", "max_pressure", FIELD(policy.max_pressure_pct),
	 "10", 1, 100, NULL},
	{VOL_CONF_BOOL, "owner", "checkpoint", FIELD(checkpoint), "yes", 0, 0,
	 NULL},
	{VOL_CONF_DURATION, "owner", "checkpoint_time", FIELD(checkpoint_ms),
	 "60s", 1000, HOUR_MS, NULL},
	{VOL_CONF_DURATION, "owner", "checkpoint_every",
	 FIELD(checkpoint_every_ms), "60s", 1000, 7 * DAY_MS, NULL},
	{VOL_CONF_DURATION, "owner", "checkpoint_grace",
	 FIELD(checkpoint_grace_ms), "10s", 0, 10 * MINUTE_MS, NULL},
	{VOL_CONF_STRING, "owner", "unknown_is_present",
	 FIELD(unknown_is_present), "input", 1, 0, NULL},
	{VOL_CONF_STRING, "owner", "owners", FIELD(owners), NULL, 1, 0, NULL},
	{VOL_CONF_STRING, "jobs", "users", FIELD(users), NULL, 1, 0, NULL},
	{VOL_CONF_STRING, "jobs", "accounts", FIELD(accounts), NULL, 1, 0,
	 NULL},
	{VOL_CONF_BOOL, "sandbox", "sandbox", FIELD(sandbox.on), "yes", 0, 0,
	 NULL},
	{VOL_CONF_ENUM, "sandbox", "ids", FIELD(sandbox.ids), "auto", 0, 0,
	 ids_words},
	{VOL_CONF_ENUM, "sandbox", "network", FIELD(sandbox.network), "none", 0,
	 0, network_words},
	{VOL_CONF_SIZE, "sandbox", "network_rate", FIELD(sandbox.network_rate),
	 "4M", VOL_WALLS_RATE_MIN, VOL_WALLS_RATE_MAX, NULL},
	{VOL_CONF_STRING, "sandbox", "network_deny",
	 FIELD(sandbox.network_deny), NULL, 1, 0, NULL},
	{VOL_CONF_SIZE, "sandbox", "tmp", FIELD(sandbox.tmp_bytes), "1G",
	 VOL_WALLS_SCRATCH_MIN, VOL_WALLS_SCRATCH_MAX, NULL},
	{VOL_CONF_UINT, "sandbox", "tasks", FIELD(sandbox.tasks), "4096",
	 VOL_WALLS_TASKS_MIN, VOL_WALLS_TASKS_MAX, NULL},
	{VOL_CONF_UINT, "sandbox", "open_files", FIELD(sandbox.open_files),
	 "65536", VOL_WALLS_OPEN_FILES_MIN, VOL_WALLS_OPEN_FILES_MAX, NULL},
	{VOL_CONF_STRING, "sandbox", "read", FIELD(sandbox.read), NULL, 1, 0,
	 NULL},
	{VOL_CONF_STRING, "sandbox", "etc", FIELD(sandbox.etc), NULL, 1, 0,
	 NULL},
	{VOL_CONF_STRING, "sandbox", "work", FIELD(sandbox.work), NULL, 1, 0,
	 NULL},
	{VOL_CONF_STRING, "sandbox", "image", FIELD(sandbox.image), NULL, 1,
	 VOL_WALLS_PATH_SIZE - 1, NULL},
	{VOL_CONF_STRING, "sandbox", "devices", FIELD(sandbox.devices), NULL, 1,
	 0, NULL},
	{VOL_CONF_END, NULL, NULL, 0, NULL, 0, 0, NULL},
};

/* As vol_list_welcomes and the sensors split lists. */
#define LIST_BETWEEN ", \t"

static int check_path(const char *key, const char *path, struct vol_error *err)
{
	if (path[0] != '/')
		return vol_errorf_errno(err, EINVAL,
					"%s = %s: not an absolute path", key,
					path);
	return 0;
}

/* Call f for each word of list ("ann, bob"); -1 as soon as one f is. */
static int each_word(const char *list,
		     int (*f)(const char *word, size_t len, void *arg),
		     void *arg)
{
	size_t len;

	for (;; list += len) {
		list += strspn(list, LIST_BETWEEN);
		len = strcspn(list, LIST_BETWEEN);
		if (len == 0)
			return 0;
		if (f(list, len, arg) < 0)
			return -1;
	}
}

struct list_check {
	const char *key;
	struct vol_error *err;
	unsigned words;
	bool all;
};

static int check_name(const char *word, size_t len, void *arg)
{
	struct list_check *check = arg;
	char shown[VOL_EXCERPT_SIZE];

	/* Colons end a name in passwd(5); what looks like an option or a
	 * pattern is not a name, and would be believed to be one. */
	for (size_t i = 0; i < len; i++)
		if (strchr(":;*?!()[]{}<>|&\"'`", word[i]))
			return vol_errorf_errno(
				check->err, EINVAL, "%s: %s is not a name",
				check->key, vol_text_excerpt(word, len, shown));
	check->words++;
	check->all |= len == 3 && memcmp(word, "all", 3) == 0;
	return 0;
}

/* A list of names that is not set is fine; one without a name is a slip, and
 * would mean everybody to some and nobody to others. */
static int check_names(const char *key, const char *list, bool may_be_all,
		       struct vol_error *err)
{
	struct list_check check = {.key = key, .err = err};

	if (!list)
		return 0;
	if (each_word(list, check_name, &check) < 0)
		return -1;
	if (check.words == 0)
		return vol_errorf_errno(err, EINVAL, "%s: names nobody", key);
	/* Jobs are users of this machine, too. */
	if (check.all && !may_be_all)
		return vol_errorf_errno(err, EINVAL,
					"%s: name the users; all is too many",
					key);
	if (check.all && strcmp(list, "all") != 0)
		return vol_errorf_errno(err, EINVAL, "%s: all stands alone",
					key);
	return 0;
}

static int check_input_device(const char *word, size_t len, void *arg)
{
	char shown[VOL_EXCERPT_SIZE];

	if (word[0] == '/')
		return 0;
	return vol_errorf_errno(arg, EINVAL,
				"input_devices: %s is not an absolute path",
				vol_text_excerpt(word, len, shown));
}

/* What is read into policy from a text. */
static int read_policy(struct vol_device_conf *c, struct vol_error *err)
{
	if (vol_hours_parse(c->hours, &c->policy.hours, err) < 0)
		return vol_error_prefix(err, "hours");
	if (vol_sensor_set_parse(c->unknown_is_present,
				 &c->policy.unknown_is_present, err) < 0)
		return vol_error_prefix(err, "unknown_is_present");
	return 0;
}

static int check_owner(const struct vol_device_conf *c, struct vol_error *err)
{
	char parked[32], interactive[32];

	if (c->policy.interactive_max_ms != 0 &&
	    c->policy.interactive_max_ms < c->policy.parked_max_ms)
		return vol_errorf_errno(
			err, EINVAL,
			"interactive_max = %s is shorter than parked_max = %s",
			vol_duration_format(c->policy.interactive_max_ms,
					    interactive, sizeof(interactive)),
			vol_duration_format(c->policy.parked_max_ms, parked,
					    sizeof(parked)));
	if (check_names("owners", c->owners, false, err) < 0 ||
	    check_names("users", c->users, true, err) < 0 ||
	    check_names("accounts", c->accounts, true, err) < 0)
		return -1;
	return c->input_devices
		       ? each_word(c->input_devices, check_input_device, err)
		       : 0;
}

static int check_device(const struct vol_device_conf *c, struct vol_error *err)
{
	struct vol_fingerprint key;
	char host[256];
	uint16_t port;

	if (check_path("state_dir", c->state_dir, err) < 0 ||
	    check_path("control_socket", c->control_socket, err) < 0 ||
	    check_path("slurmd", c->slurmd, err) < 0 ||
	    check_path("slurmd_log", c->slurmd_log, err) < 0 ||
	    check_path("scratch_dir", c->scratch_dir, err) < 0)
		return -1;
	if ((strcmp(c->auth_key, "none") != 0 &&
	     check_path("auth_key", c->auth_key, err) < 0) ||
	    (strcmp(c->auth_restart, "none") != 0 &&
	     check_path("auth_restart", c->auth_restart, err) < 0))
		return -1;
	if (c->controller && vol_device_conf_host(c->controller, host,
						  sizeof(host), &port, err) < 0)
		return vol_error_prefix(err, "controller");
	if (c->controller_key &&
	    vol_fingerprint_parse(c->controller_key, &key, err) < 0)
		return vol_error_prefix(err, "controller_key");
	return 0;
}

/* The rules between keys; then *fresh moves to *c, or is freed. */
static int finish(struct vol_device_conf *fresh, const char *name,
		  struct vol_device_conf *c, struct vol_error *err)
{
	if (read_policy(fresh, err) < 0 || check_device(fresh, err) < 0 ||
	    check_owner(fresh, err) < 0 ||
	    vol_sandbox_conf_check(&fresh->sandbox, err) < 0) {
		vol_conf_clear(table, fresh);
		return vol_error_prefix(err, "%s", name);
	}
	vol_conf_clear(table, c);
	*c = *fresh;
	return 0;
}

int vol_device_conf_defaults(struct vol_device_conf *c, struct vol_error *err)
{
	struct vol_device_conf fresh = {0};

	if (vol_conf_defaults(table, &fresh, err) < 0)
		return -1;
	return finish(&fresh, "defaults", c, err);
}

int vol_device_conf_read(struct vol_device_conf *c, const char *path,
			 struct vol_error *err)
{
	struct vol_device_conf fresh = {0};

	/* Nothing is stored in fresh on error. */
	if (vol_conf_read(table, path, &fresh, err) < 0)
		return -1;
	return finish(&fresh, path, c, err);
}

int vol_device_conf_parse(const char *name, const char *text, size_t len,
			  struct vol_device_conf *c, struct vol_error *err)
{
	struct vol_device_conf fresh = {0};

	if (vol_conf_parse(table, name, text, len, &fresh, err) < 0)
		return -1;
	return finish(&fresh, name, c, err);
}

const struct vol_conf_option *vol_device_conf_table(void)
{
	return table;
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
