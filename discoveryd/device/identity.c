/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identity.c - who this device is and whom it knows */
#include "config.h"

#include "device/identity.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "log.h"

#define FILE_MAX 1024

static int join(char *buf, size_t size, const char *dir, const char *name,
		struct vol_error *err)
{
	if (snprintf(buf, size, "%s/%s", dir, name) >= (int)size)
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: too long", dir);
	return 0;
}

/* Up to link protocol 3 a device was known by a random number of its own. */
static void note_former(const char *state_dir, const char *id)
{
	cleanup_free char *text = NULL;
	char path[4096];
	struct vol_error err;

	if (join(path, sizeof(path), state_dir, "device.id", &err) < 0)
		return;
	text = vol_file_read(path, FILE_MAX, NULL, &err);
	if (!text)
		return;
	vol_warn("this device has a key now, and is known by it: to the "
		 "controller it is a new device %.8s, not %.8s any more "
		 "(%s is of no use now)",
		 id, text, path);
}

struct vol_keypair *vol_identity_load(const char *state_dir,
				      char id[VOL_DEVICE_ID_SIZE],
				      struct vol_error *err)
{
	struct vol_keypair *key;
	char path[4096];
	bool made;

	if (join(path, sizeof(path), state_dir, "device.key", err) < 0 ||
	    vol_mkdir_p(state_dir, 0755, err) < 0)
		return NULL;
	made = access(path, F_OK) < 0;
	key = vol_keypair_load(path, err);
	if (!key)
		return NULL;
	vol_fingerprint_id(vol_keypair_fingerprint(key), id);
	if (made)
		note_former(state_dir, id);
	return key;
}

int vol_identity_boot(char boot[VOL_DEVICE_ID_SIZE], struct vol_error *err)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	cleanup_free char *text = NULL;
	size_t len, n = 0;

	text = vol_file_read(path, FILE_MAX, &len, err);
	if (!text)
		return -1;
	for (size_t i = 0; i < len && n < VOL_DEVICE_ID_SIZE - 1; i++)
		if (text[i] != '-' && text[i] != '\n')
			boot[n++] = text[i];
	boot[n] = '\0';
	if (!vol_device_id_valid(boot))
		return vol_errorf_errno(err, EBADMSG, "%s: not a UUID", path);
	return 0;
}

static bool valid(const struct vol_remembered *r, const char *address, int port,
		  const char *cluster)
{
	struct in6_addr addr;

	return port > 0 && port <= 65535 &&
	       strlen(address) < sizeof(r->address) &&
	       strlen(cluster) < sizeof(r->cluster) &&
	       (inet_pton(AF_INET, address, &addr) == 1 ||
		inet_pton(AF_INET6, address, &addr) == 1);
}

int vol_remembered_load(const char *state_dir, struct vol_remembered *r,
			struct vol_error *err)
{
	char path[4096];
	const char *address, *cluster;
	cleanup_free char *text = NULL;
	json_error_t why;
	json_t *json;
	size_t len;
	int port, result = 0;

	memset(r, 0, sizeof(*r));
	if (join(path, sizeof(path), state_dir, "controller.json", err) < 0)
		return -1;
	text = vol_file_read(path, FILE_MAX, &len, err);
	if (!text)
		return errno == ENOENT ? 0 : -1;
	json = json_loadb(text, len, 0, &why);
	if (!json)
		return vol_errorf_errno(err, EBADMSG, "%s:%d: %s", path,
					why.line, why.text);
	if (json_unpack_ex(json, &why, 0, "{s:s, s:i, s:s !}", "address",
			   &address, "port", &port, "cluster", &cluster) < 0)
		result = vol_errorf_errno(err, EBADMSG, "%s: %s", path,
					  why.text);
	else if (!valid(r, address, port, cluster))
		result = vol_errorf_errno(
			err, EBADMSG, "%s: not a controller's address", path);
	if (result == 0) {
		snprintf(r->address, sizeof(r->address), "%s", address);
		snprintf(r->cluster, sizeof(r->cluster), "%s", cluster);
		r->port = (uint16_t)port;
	}
	json_decref(json);
	return result;
}

int vol_remembered_save(const char *state_dir, const struct vol_remembered *r,
			struct vol_error *err)
{
	char path[4096];
	json_t *json = json_pack("{s:s, s:i, s:s}", "address", r->address,
				 "port", (int)r->port, "cluster", r->cluster);
	cleanup_free char *text = NULL;

	if (json)
		text = json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	if (!text)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (join(path, sizeof(path), state_dir, "controller.json", err) < 0)
		return -1;
	return vol_file_replace(path, text, strlen(text), 0644, 0, err);
}

void vol_remembered_forget(const char *state_dir)
{
	char path[4096];

	if (join(path, sizeof(path), state_dir, "controller.json", NULL) == 0)
		unlink(path);
}
