/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox_conf.c - [sandbox] of device.conf, and the walls it means
 *
 * The file is root's, so this is no defence against its author, but against
 * slips: "work = /home" would give every job the owner's files.
 */
#include "config.h"

#include "device/sandbox_conf.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "policy.h"
#include "runtime.h"
#include "text.h"

#define LIST_BETWEEN ", \t"

/* Where no folder of a job may be, nor around it. */
enum {
	ITSELF = 0,     /* below it is fine */
	BELOW = 1,      /* nor below */
	BELOW_WORK = 2, /* nor below, to write; to read is fine */
	CHILDREN = 4,   /* nor directly below: homes */
	NOT_ABOVE = 8,  /* around it is fine */
};

static const struct {
	const char *path;
	unsigned rule;
	const char *why;
} places[] = {
	{"/home", CHILDREN, "people keep their files there"},
	{"/root", BELOW, "root keeps its files there"},
	{"/etc", BELOW, "keys and accounts of this machine are there"},
	{"/proc", BELOW, "jobs get their own"},
	{"/sys", BELOW, "jobs get their own"},
	{"/dev", BELOW, "jobs get their own"},
	{"/run", BELOW, "sockets of this machine's services are there"},
	{"/var/run", BELOW, "sockets of this machine's services are there"},
	{"/tmp", BELOW, "jobs get their own"},
	{"/var/tmp", BELOW, "jobs get their own"},
	{"/media", BELOW, "people's disks are mounted there"},
	{"/mnt", ITSELF, "disks are mounted there: name one"},
	{"/boot", BELOW, "the system is there"},
	{"/usr", BELOW_WORK, "the system is there"},
	{"/bin", BELOW_WORK, "the system is there"},
	{"/sbin", BELOW_WORK, "the system is there"},
	{"/lib", BELOW_WORK, "the system is there"},
	{"/lib64", BELOW_WORK, "the system is there"},
	{"/var/lib", ITSELF, "the system is there"},
	{"/var/log", BELOW, "logs of this machine are there"},
	{"/var/spool", BELOW, "mail and jobs are there"},
	/* Around it may be /usr, and what is secret in it is root's alone. */
	{VOL_STATE_DIR, BELOW | NOT_ABOVE, "discoveryd keeps its files there"},
};

#define N_PLACES (sizeof(places) / sizeof(places[0]))

/* Below /etc: what a job gets of its own, and what nobody else should get. */
static const char *const secrets[] = {
	"passwd",          "group",      "hosts",       "hostname",
	"resolv.conf",     "shadow",     "shadow-",     "gshadow",
	"gshadow-",        "ssh",        "ssl",         "pki",
	"sudoers",         "sudoers.d",  "munge",       "slurm",
	"slurm-volunteer", "machine-id", "krb5.keytab", "NetworkManager",
	"wpa_supplicant",  "wireguard",  "pam.d"};

static bool is_child(const char *path, const char *folder)
{
	return vol_path_within(path, folder) && strlen(path) > strlen(folder) &&
	       !strchr(path + strlen(folder) + 1, '/');
}

/* NULL, or why jobs must not have that folder. */
static const char *place_problem(const char *path, bool work)
{
	for (size_t i = 0; i < N_PLACES; i++) {
		const char *place = places[i].path;
		unsigned rule = places[i].rule;

		/* Around the system's folders there is nothing else, except
		 * that /usr and the like can be read as a whole. */
		if (vol_path_within(place, path) && !(rule & NOT_ABOVE) &&
		    (strcmp(place, path) != 0 || work || !(rule & BELOW_WORK)))
			return places[i].why;
		if (vol_path_within(path, place) &&
		    (rule & BELOW || (work && rule & BELOW_WORK)))
			return places[i].why;
		if (is_child(path, place) && rule & CHILDREN)
			return "it may be somebody's home: name a folder in it";
	}
	return NULL;
}

static bool is_secret(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		if (strcmp(name, secrets[i]) == 0)
			return true;
		if (name[len - 1] == '*' &&
		    strncmp(name, secrets[i], len - 1) == 0)
			return true;
	}
	return strncmp(name, "ssl/private", 11) == 0 ||
	       strncmp(name, "pki/tls/private", 15) == 0;
}

enum what { READ, ETC, WORK, DEVICE, DENY };

static const char *const keys[] = {"read", "etc", "work", "devices",
				   "network_deny"};

static int add(struct vol_walls *walls, enum what what, const char *word,
	       struct vol_error *err)
{
	const char *problem = NULL;

	if (what == DENY)
		return vol_walls_add_deny(&walls->deny, word, err);
	if (what == ETC && vol_walls_add_etc(&walls->etc, word, err) < 0)
		return -1;
	if (what != ETC && vol_walls_add(what == READ   ? &walls->read
					 : what == WORK ? &walls->work
							: &walls->devices,
					 word, err) < 0)
		return -1;
	if (what == READ || what == WORK)
		problem = place_problem(word, what == WORK);
	else if (what == ETC && is_secret(word))
		problem = "jobs get their own, or none";
	else if (what == DEVICE && !vol_path_within(word, "/dev"))
		problem = "not below /dev";
	else if (what == DEVICE && strcmp(word, "/dev") == 0)
		problem = "name a device";
	return problem ? vol_errorf_errno(err, EINVAL, "%.100s: %s", word,
					  problem)
		       : 0;
}

static int add_list(struct vol_walls *walls, enum what what, const char *list,
		    struct vol_error *err)
{
	char word[VOL_WALLS_PATH_SIZE], shown[VOL_EXCERPT_SIZE];
	size_t len;

	for (; list && *list; list += len) {
		list += strspn(list, LIST_BETWEEN);
		len = strcspn(list, LIST_BETWEEN);
		if (len == 0)
			break;
		if (len >= sizeof(word))
			return vol_errorf_errno(
				err, EINVAL, "%s: %s: too long", keys[what],
				vol_text_excerpt(list, len, shown));
		memcpy(word, list, len);
		word[len] = '\0';
		if (add(walls, what, word, err) < 0) {
			errno = EINVAL;
			return vol_error_prefix(err, "%s", keys[what]);
		}
	}
	return 0;
}

/* The image is the system then: no /usr of this machine's.  Of its /etc jobs
 * get the same names as of ours. */
static int set_image(struct vol_walls *walls, const char *image,
		     struct vol_error *err)
{
	struct vol_walls_list *list = &walls->read;
	enum vol_runtime_kind kind;
	char digest[VOL_RUNTIME_SIZE];
	const char *problem = NULL;

	memset(list, 0, sizeof(*list));
	/* Its path obeys the same rules. */
	if (vol_walls_add(list, image, err) < 0 ||
	    vol_runtime_parse(image, &kind, digest, err) < 0) {
		errno = EINVAL;
		return vol_error_prefix(err, "image");
	}
	/* Of a file jobs see what is in it, wherever it lies. */
	if (kind == VOL_RUNTIME_FOLDER)
		problem = place_problem(image, true);
	if (problem)
		return vol_errorf_errno(err, EINVAL, "image: %.100s: %s", image,
					problem);
	snprintf(walls->image, sizeof(walls->image), "%s",
		 kind == VOL_RUNTIME_FOLDER ? image : VOL_RUNTIME_DIR "/");
	if (kind != VOL_RUNTIME_FOLDER)
		strcat(walls->image, digest);
	memset(list, 0, sizeof(*list));
	return 0;
}

int vol_sandbox_conf_walls(const struct vol_sandbox_conf *conf,
			   struct vol_walls *walls, struct vol_error *err)
{
	vol_walls_defaults(walls);
	walls->up = conf->on;
	walls->users = conf->ids;
	walls->network = conf->network;
	walls->network_rate = conf->network_rate;
	walls->scratch_bytes = conf->tmp_bytes;
	walls->tasks = conf->tasks;
	walls->open_files = conf->open_files;
	if (conf->image && set_image(walls, conf->image, err) < 0)
		return -1;
	if (add_list(walls, READ, conf->read, err) < 0 ||
	    add_list(walls, ETC, conf->etc, err) < 0 ||
	    add_list(walls, WORK, conf->work, err) < 0)
		return -1;
	if (add_list(walls, DENY, conf->network_deny, err) < 0)
		return -1;
	return add_list(walls, DEVICE, conf->devices, err);
}

int vol_sandbox_conf_check(const struct vol_sandbox_conf *conf,
			   struct vol_error *err)
{
	cleanup_free struct vol_walls *walls = malloc(sizeof(*walls));

	if (!walls)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	return vol_sandbox_conf_walls(conf, walls, err);
}

int vol_sandbox_conf_homes(const struct vol_walls *walls, const char *owners,
			   const char *passwd, struct vol_error *err)
{
	cleanup_file FILE *fp = NULL;
	struct passwd *pw;

	/* An empty list would welcome everybody. */
	if (!owners || !*owners)
		return 0;
	fp = fopen(passwd, "re");
	while (fp && (pw = fgetpwent(fp)))
		if (vol_list_welcomes(owners, pw->pw_name) &&
		    vol_walls_hold(&walls->work, pw->pw_dir))
			return vol_errorf_errno(
				err, EINVAL,
				"work: the home of %.32s, %.64s, is there",
				pw->pw_name, pw->pw_dir);
	return 0;
}
