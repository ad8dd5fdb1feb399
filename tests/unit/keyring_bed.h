/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyring_bed.h - a controller with a Slurm key, devices that say which they
 * have, and the test in the part of root, who puts a new one in its place
 */
#ifndef VOL_KEYRING_BED_H
#define VOL_KEYRING_BED_H

#include "controller.h"

#include "controller_bed.h"

#include "authkey_file.h"
#include "digest.h"
#include "keyring.h"

static struct vol_authkey old;

static void write_key(const struct bed *bed)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/auth.key", bed->folder);
	assert_int_equal(vol_authkey_install(path, &old, false, NULL), 0);
}

static inline void use_conf(struct bed *bed, const char *more)
{
	char lines[PATH_MAX];

	snprintf(lines, sizeof(lines), "%s\nauth_key = %s/auth.key", more,
		 bed->folder);
	write_conf(bed, lines);
	restart_to_know(bed);
}

static inline int setup_keys(void **state)
{
	struct bed *bed;

	if (setup(state) < 0)
		return -1;
	bed = *state;
	assert_int_equal(vol_authkey_make(&old, vol_sha256, NULL), 0);
	write_key(bed);
	use_conf(bed, "approve = all\nhand_out_key = all");
	return 0;
}

static struct vol_keyring *ring(struct bed *bed)
{
	struct vol_controller *c = bed->role;

	return c->keyring;
}

static inline json_t *state_of(struct bed *bed)
{
	return vol_keyring_json(ring(bed), NULL);
}

static inline bool is_phase(struct bed *bed, const char *phase)
{
	json_t *data = state_of(bed);
	bool is = strcmp(json_string_value(json_object_get(data, "phase")),
			 phase) == 0;

	json_decref(data);
	return is;
}

static inline bool has_result(struct bed *bed, const char *result)
{
	json_t *data = state_of(bed);
	bool is = strcmp(json_string_value(json_object_get(data, "result")),
			 result) == 0;

	json_decref(data);
	return is;
}

/* A device with this key; m gets its welcome. */
static inline void link_with(struct bed *bed, struct client *c,
			     const char *name, const char *host,
			     const char *auth, struct vol_link_msg *m)
{
	fill_hello(bed, m, name, host);
	snprintf(m->auth, sizeof(m->auth), "%s", auth);
	dial(bed, c);
	send_msg(c, m);
	expect(bed, c, VOL_LINK_WELCOME, m);
}

static inline void keyed(struct client *c, const char *auth,
			 enum vol_key_use use, const char *reason)
{
	struct vol_link_msg m = {.type = VOL_LINK_KEYED, .key_use = use};

	strcpy(m.auth, auth);
	strcpy(m.reason, reason);
	send_msg(c, &m);
}

static inline void expect_key(struct bed *bed, struct client *c, const char *id,
			      enum vol_key_use use, struct vol_link_msg *m)
{
	struct vol_authkey got = {0};

	expect(bed, c, VOL_LINK_KEY, m);
	assert_string_equal(m->auth, id);
	assert_int_equal(m->key_use, use);
	assert_int_equal(
		vol_authkey_parse(&got, m->key, m->auth, vol_sha256, NULL), 0);
}

static inline void expect_quiet(struct bed *bed, struct client *c)
{
	uint64_t end = vol_controller_now_ms() + 300;
	struct vol_link_msg m;

	while (vol_controller_now_ms() < end) {
		turn(bed);
		if (!try_recv(c, &m))
			continue;
		assert_int_not_equal(m.type, VOL_LINK_KEY);
		assert_int_not_equal(m.type, VOL_LINK_TURN);
	}
}

static inline bool key_in_log(const struct bed *bed,
			      const struct vol_authkey *key)
{
	char text[VOL_AUTHKEY_TEXT_SIZE], part[17];

	vol_authkey_text(key, text);
	for (size_t i = 0; i + 16 < strlen(text); i += 8) {
		snprintf(part, sizeof(part), "%.16s", text + i);
		if (strstr(bed->log, part))
			return true;
	}
	return false;
}

static inline void play_placer(struct bed *bed, const char *id)
{
	char path[PATH_MAX];
	struct vol_authkey got = {0};

	snprintf(path, sizeof(path), "%s/keys/install.key", bed->folder);
	run_until(bed, access(path, F_OK) == 0);
	assert_int_equal(vol_authkey_load(path, &got, vol_sha256, NULL), 0);
	assert_string_equal(got.id, id);
	assert_int_equal(unlink(path), 0);
}

static inline void begin(struct bed *bed, struct vol_link_msg *m, char id[32])
{
	struct vol_error err = {""};
	json_t *data;

	(void)m;
	if (vol_keyring_rotate(ring(bed), false, 0, &err) < 0)
		fail_msg("%s", err.text);
	data = state_of(bed);
	snprintf(id, 32, "%s",
		 json_string_value(json_object_get(data, "next")));
	json_decref(data);
}

static inline size_t keys_left(const struct bed *bed)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/keys", bed->folder);
	return vtest_count_entries(path);
}

#endif
