/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pin.c - the controller's key that this device insists on */
#include "config.h"

#include "device/pin.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "atomicfile.h"
#include "cleanup.h"

#define FILE_MAX 1024

static int name_file(char *path, size_t size, const char *state_dir,
		     struct vol_error *err)
{
	if (snprintf(path, size, "%s/" VOL_PIN_FILE, state_dir) >= (int)size)
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: too long",
					state_dir);
	return 0;
}

static int parse(const json_t *json, struct vol_pin *pin, struct vol_error *err)
{
	struct vol_pin fresh = {.known = true};
	const char *key, *cluster;
	json_error_t why;

	if (json_unpack_ex((json_t *)json, &why, 0, "{s:s, s:s !}", "cluster",
			   &cluster, "key", &key) < 0)
		return vol_errorf_errno(err, EBADMSG, "%s", why.text);
	if (strlen(cluster) >= sizeof(fresh.cluster))
		return vol_errorf_errno(err, EBADMSG, "cluster: too long");
	if (vol_fingerprint_parse(key, &fresh.key, err) < 0) {
		errno = EBADMSG;
		return -1;
	}
	snprintf(fresh.cluster, sizeof(fresh.cluster), "%s", cluster);
	*pin = fresh;
	return 0;
}

int vol_pin_load(const char *state_dir, struct vol_pin *pin,
		 struct vol_error *err)
{
	cleanup_free char *text = NULL;
	char path[4096];
	json_error_t why;
	json_t *json;
	size_t len;
	int r;

	memset(pin, 0, sizeof(*pin));
	if (name_file(path, sizeof(path), state_dir, err) < 0)
		return -1;
	text = vol_file_read(path, FILE_MAX, &len, err);
	if (!text)
		return errno == ENOENT ? 0 : -1;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (json)
		r = parse(json, pin, err);
	else
		r = vol_errorf_errno(err, EBADMSG, "%s", why.text);
	json_decref(json);
	if (r < 0)
		vol_error_prefix(err,
				 "%s: restore it, or remove it to trust the "
				 "next controller that answers",
				 path);
	return r;
}

int vol_pin_save(const char *state_dir, const struct vol_pin *pin,
		 struct vol_error *err)
{
	char path[4096], key[VOL_FINGERPRINT_SIZE], text[FILE_MAX];
	cleanup_free char *dump = NULL;
	json_t *json;

	vol_fingerprint_text(&pin->key, key);
	json = json_pack("{s:s, s:s}", "cluster", pin->cluster, "key", key);
	if (json)
		dump = json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	if (!dump)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (name_file(path, sizeof(path), state_dir, err) < 0)
		return -1;
	snprintf(text, sizeof(text), "%s\n", dump);
	return vol_file_replace(path, text, strlen(text), 0644, 1, err);
}

void vol_pin_choose(const struct vol_pin *pin,
		    const struct vol_device_conf *conf,
		    struct vol_tls_pin *choice)
{
	memset(choice, 0, sizeof(*choice));
	if (conf->controller_key) {
		/* It was checked when device.conf was read. */
		(void)vol_fingerprint_parse(conf->controller_key, &choice->key,
					    NULL);
		choice->bytes = VOL_FINGERPRINT_BYTES;
		return;
	}
	if (!pin->known ||
	    (conf->cluster && strcmp(conf->cluster, pin->cluster) != 0))
		return;
	choice->key = pin->key;
	choice->bytes = VOL_FINGERPRINT_BYTES;
}

int vol_pin_keep(const char *state_dir, struct vol_pin *pin,
		 const struct vol_fingerprint *key, const char *cluster,
		 struct vol_error *err)
{
	struct vol_pin fresh = {.known = true, .key = *key};

	snprintf(fresh.cluster, sizeof(fresh.cluster), "%s", cluster);
	if (pin->known && vol_fingerprint_equal(&pin->key, key) &&
	    strcmp(pin->cluster, fresh.cluster) == 0)
		return 0;
	*pin = fresh;
	return vol_pin_save(state_dir, pin, err);
}
