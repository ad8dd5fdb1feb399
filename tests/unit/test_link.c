/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_link.c - every message, every member, every wrong type */
#include "config.h"

#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json_values.h"
#include "link_examples.h"
#include "vtest.h"

static const struct vol_link_msg *example(enum vol_link_type type)
{
	return &examples[type - VOL_LINK_HELLO];
}

static void assert_roundtrip(const struct vol_link_msg *msg)
{
	struct vol_error err = {""};
	struct vol_link_msg back;
	json_t *json = vol_link_encode(msg), *again;

	assert_non_null(json);
	if (vol_link_decode(json, &back, &err) < 0)
		fail_msg("%s", err.text);
	/* The structures may differ in their padding. */
	again = vol_link_encode(&back);
	assert_true(json_equal(json, again));
	json_decref(again);
	json_decref(json);
}

static void test_roundtrip(void **state)
{
	struct vol_link_msg msg = *example(VOL_LINK_WELCOME);

	(void)state;
	assert_int_equal(N_ELEMENTS(examples), VOL_LINK_PONG);
	for (size_t i = 0; i < N_ELEMENTS(examples); i++) {
		assert_int_equal(examples[i].type, VOL_LINK_HELLO + i);
		assert_roundtrip(&examples[i]);
	}
	memset(msg.conf_host, 0, sizeof(msg.conf_host));
	assert_roundtrip(&msg);
	msg = *example(VOL_LINK_HELLO);
	memset(msg.token, 0, sizeof(msg.token));
	assert_roundtrip(&msg);
	for (int i = VOL_SLURMD_DOWN; i <= VOL_SLURMD_UP; i++) {
		msg = (struct vol_link_msg){.type = VOL_LINK_STATE,
					    .slurmd = i};
		assert_roundtrip(&msg);
	}
	for (int i = VOL_NODE_MISSING; i <= VOL_NODE_UP; i++) {
		msg = (struct vol_link_msg){.type = VOL_LINK_NODE,
					    .node_state = i};
		assert_roundtrip(&msg);
	}
	for (int i = VOL_HARVEST_CLOSED; i <= VOL_HARVEST_DRAINING; i++) {
		msg = (struct vol_link_msg){.type = VOL_LINK_HARVEST,
					    .harvest = i};
		assert_roundtrip(&msg);
	}
	for (int i = VOL_HARVEST_CLOSED; i <= VOL_HARVEST_DRAINING; i++) {
		msg = *example(VOL_LINK_MOVED);
		msg.harvest = i;
		assert_roundtrip(&msg);
	}
	for (int i = VOL_OUTCOME_REQUEUED; i <= VOL_OUTCOME_REFUSED; i++) {
		msg = (struct vol_link_msg){
			.type = VOL_LINK_EVICTED, .job = 1, .outcome = i};
		assert_roundtrip(&msg);
	}
}

static void test_nothing(void **state)
{
	struct vol_link_msg msg = {.type = VOL_LINK_NONE};

	(void)state;
	assert_null(vol_link_encode(&msg));
	assert_int_equal(errno, EINVAL);
	msg.type = 99;
	assert_null(vol_link_encode(&msg));
	msg = (struct vol_link_msg){.type = VOL_LINK_STATE, .slurmd = 9};
	assert_null(vol_link_encode(&msg));
	assert_int_equal(vol_link_decode(NULL, &msg, NULL), -1);
	assert_string_equal(vol_link_type_name(VOL_LINK_HELLO), "hello");
	assert_string_equal(vol_link_type_name(VOL_LINK_PONG), "pong");
	assert_string_equal(vol_link_type_name(99), "unknown");
	assert_string_equal(vol_slurmd_state_name(VOL_SLURMD_UP), "up");
	assert_string_equal(vol_slurmd_state_name(99), "unknown");
	assert_string_equal(vol_node_state_name(VOL_NODE_WRONG), "wrong");
	assert_string_equal(vol_node_state_name(99), "unknown");
	assert_string_equal(vol_harvest_name(VOL_HARVEST_PARKED), "parked");
	assert_string_equal(vol_harvest_name(99), "unknown");
	assert_string_equal(vol_outcome_name(VOL_OUTCOME_GONE), "gone");
	assert_string_equal(vol_outcome_name(99), "unknown");
}

/* Decode must refuse json with an error that has both parts in it. */
static void refuse(const json_t *json, const char *type, const char *part)
{
	struct vol_error err = {""};
	struct vol_link_msg msg, before;

	memset(&msg, 0x5a, sizeof(msg));
	before = msg;
	errno = 0;
	assert_int_equal(vol_link_decode(json, &msg, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, type);
	assert_contains(err.text, part);
	assert_true(strlen(err.text) < 160);
	assert_printable(err.text);
	assert_memory_equal(&msg, &before, sizeof(msg));
}

static bool may_miss_auth(const char *type, const char *name)
{
	return strcmp(name, "auth") == 0 &&
	       (strcmp(type, "hello") == 0 || strcmp(type, "welcome") == 0);
}

static void each_member(json_t *json, const char *type)
{
	const char *name;
	json_t *value;

	json_object_foreach(json, name, value) {
		json_t *copy = json_deep_copy(json);

		if (strcmp(name, "conf_host") != 0 &&
		    strcmp(name, "token") != 0 && strcmp(name, "fits") != 0 &&
		    !may_miss_auth(type, name)) {
			json_object_del(copy, name);
			refuse(copy, strcmp(name, "type") ? type : "", name);
		}
		for (json_type t = 0; t < N_JSON_TYPES; t++) {
			json_t *other = value_of_type(t);

			if (!same_kind(other, value)) {
				json_object_set(copy, name, other);
				refuse(copy, "", name);
			}
			json_decref(other);
		}
		json_decref(copy);
	}
}

static void test_types(void **state)
{
	(void)state;
	for (json_type t = 0; t < N_JSON_TYPES; t++) {
		json_t *other = value_of_type(t);

		refuse(other, "", "type");
		json_decref(other);
	}
	for (size_t i = 0; i < N_ELEMENTS(examples); i++) {
		const char *type = vol_link_type_name(examples[i].type);
		json_t *json = vol_link_encode(&examples[i]);

		each_member(json, type);
		json_object_set_new(json, "color", json_string("red"));
		refuse(json, type, "unknown member \"color\"");
		json_decref(json);
	}
}

/* No message passes for another one. */
static void test_mixed(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(examples); i++) {
		for (size_t j = 0; j < N_ELEMENTS(examples); j++) {
			json_t *json = vol_link_encode(&examples[i]);
			const char *type = vol_link_type_name(examples[j].type);
			json_t *other = vol_link_encode(&examples[j]);
			json_t *key = json_object_get(other, "type");
			struct vol_link_msg msg;
			int same;

			/* ping/pong and bye/reregister differ in type only. */
			json_object_set(json, "type", key);
			same = json_object_size(json) ==
			       json_object_size(other);
			for (void *it = json_object_iter(other); it;
			     it = json_object_iter_next(other, it))
				same &= !!json_object_get(
					json, json_object_iter_key(it));
			if (same)
				assert_int_equal(
					vol_link_decode(json, &msg, NULL), 0);
			else
				refuse(json, type, "");
			json_decref(json);
			json_decref(other);
		}
	}
}

static const struct {
	enum vol_link_type type;
	const char *member, *value, *error;
} bad[] = {
	{VOL_LINK_PING, "type", "\"none\"", "unknown type \"none\""},
	{VOL_LINK_PING, "type", "\"\"", "unknown type"},
	{VOL_LINK_PING, "type", "\"PING\"", "unknown type"},
	{VOL_LINK_PING, "type", "\"ping\\u0000\"", "type"},
	{VOL_LINK_PING, "type", "\"\\u001b[2J\"", "\"?[2J\""},
	{VOL_LINK_PING, "seq", "-1", "seq: want an integer"},
	{VOL_LINK_PING, "seq", "4294967296", "seq"},
	{VOL_LINK_HELLO, "proto", "0", "proto"},
	{VOL_LINK_HELLO, "proto", "-1", "proto"},
	{VOL_LINK_HELLO, "proto", "4294967296", "proto"},
	{VOL_LINK_HELLO, "id", "\"\"", "id"},
	{VOL_LINK_HELLO, "id", "\"0123\"", "id: \"0123\" is not valid"},
	{VOL_LINK_HELLO, "id", "\"0123456789ABCDEF0123456789ABCDEF\"", "id"},
	{VOL_LINK_HELLO, "id", "\"" ID "0\"", "id"},
	{VOL_LINK_HELLO, "boot", "\"x\"", "boot"},
	{VOL_LINK_HELLO, "hostname", "\"$(reboot)\"", "hostname"},
	{VOL_LINK_HELLO, "hostname", "\"a;b\"", "0x3b"},
	{VOL_LINK_HELLO, "hostname", "\"pc[1-9]\"", "hostname"},
	{VOL_LINK_HELLO, "hostname", "\"a b\"", "hostname"},
	{VOL_LINK_HELLO, "hostname", "\"a\\nb\"", "0x0a"},
	{VOL_LINK_HELLO, "hostname", "\"a\\u0000\"", "0x00"},
	{VOL_LINK_HELLO, "hostname", "\"\\u00e4\"", "hostname"},
	{VOL_LINK_HELLO, "version", "\"a\\u0007\"", "version"},
	{VOL_LINK_HELLO, "slurm", "\"\\u007f\"", "slurm"},
	{VOL_LINK_HELLO, "version", "\"01234567890123456789012345678901\"",
	 "32 bytes long, at most 31"},
	{VOL_LINK_HELLO, "token", "\"\"", "token"},
	{VOL_LINK_HELLO, "token", "\"" ID "\"", "token: it is not valid"},
	{VOL_LINK_HELLO, "token", "\"" ID "0123456g\"", "token"},
	{VOL_LINK_HELLO, "token", "\"" ID "0123456F\"", "token"},
	{VOL_LINK_HELLO, "token", "\"" ID "012345678\"",
	 "token: it is 41 bytes long, at most 40"},
	{VOL_LINK_KNOCK, "proto", "0", "proto"},
	{VOL_LINK_KNOCK, "id", "\"0123\"", "id: \"0123\" is not valid"},
	{VOL_LINK_KNOCK, "hostname", "\"a\\u001b\"", "0x1b"},
	{VOL_LINK_KNOCK, "commit", "\"\"", "commit"},
	{VOL_LINK_KNOCK, "commit", "\"" ID "\"", "commit"},
	{VOL_LINK_REVEAL, "nonce", "\"" ID BOOT "0\"", "at most 64"},
	{VOL_LINK_NONCE, "nonce", "\"" ID "fedcba9876543210fedcba987654321g\"",
	 "nonce"},
	{VOL_LINK_PENDING, "cluster", "\"a b\"", "cluster"},
	{VOL_LINK_PENDING, "reason", "\"a\\u0007\"", "reason"},
	{VOL_LINK_HELLO, "facts", "{}", "facts: sockets: missing"},
	{VOL_LINK_FACTS, "facts", "{\"x\":1}", "facts: unknown member"},
	{VOL_LINK_STATE, "slurmd", "\"\"", "slurmd"},
	{VOL_LINK_STATE, "slurmd", "\"UP\"", "slurmd"},
	{VOL_LINK_STATE, "slurmd", "\"up\\u0000\"", "slurmd"},
	{VOL_LINK_NODE, "state", "\"down\"", "state"},
	{VOL_LINK_BYE, "reason", "\"a\\tb\"", "reason"},
	{VOL_LINK_WELCOME, "node", "\"\"", "node"},
	{VOL_LINK_WELCOME, "node", "\"-x\"", "node"},
	{VOL_LINK_WELCOME, "node", "\"PC\"", "node"},
	{VOL_LINK_WELCOME, "node", "\"all\"", "node"},
	{VOL_LINK_WELCOME, "node", "\"a.b\"", "node"},
	{VOL_LINK_WELCOME, "cluster", "\"a b\"", "cluster"},
	{VOL_LINK_WELCOME, "conf_host", "\"\"", "conf_host"},
	{VOL_LINK_WELCOME, "conf_host", "\"-oX\"", "conf_host"},
	{VOL_LINK_WELCOME, "conf_host", "\"a b\"", "conf_host"},
	{VOL_LINK_WELCOME, "conf_host", "\"a,b\"", "conf_host"},
	{VOL_LINK_WELCOME, "conf_port", "0", "conf_port"},
	{VOL_LINK_WELCOME, "conf_port", "65536", "conf_port"},
	{VOL_LINK_WELCOME, "heartbeat_ms", "0", "heartbeat_ms"},
	{VOL_LINK_WELCOME, "heartbeat_ms", "3600001", "heartbeat_ms"},
	{VOL_LINK_WELCOME, "lease_ms", "0", "lease_ms"},
	{VOL_LINK_WELCOME, "lease_ms", "4294967295", "lease_ms"},
	{VOL_LINK_REFUSE, "code", "\"\"", "code"},
	{VOL_LINK_REFUSE, "code", "\"a b\"", "code"},
	{VOL_LINK_REFUSE, "retry_ms", "86400001", "retry_ms"},
	{VOL_LINK_HELLO, "harvest", "\"away\"", "harvest"},
	{VOL_LINK_HELLO, "why", "\"a\\nb\"", "why"},
	{VOL_LINK_HARVEST, "harvest", "\"\"", "harvest"},
	{VOL_LINK_HARVEST, "harvest", "\"OPEN\"", "harvest"},
	{VOL_LINK_HARVEST, "why", "\"a\\u001bb\"", "why"},
	{VOL_LINK_HELLO, "away_s", "-1", "away_s"},
	{VOL_LINK_HELLO, "away_s", "4294967296", "away_s"},
	{VOL_LINK_HELLO, "closes_s", "604801", "closes_s"},
	{VOL_LINK_HELLO, "speed", "1000001", "speed"},
	{VOL_LINK_HARVEST, "closes_s", "-1", "closes_s"},
	{VOL_LINK_HARVEST, "battery", "1", "battery"},
	{VOL_LINK_EVICT, "job", "0", "job"},
	{VOL_LINK_EVICT, "job", "-1", "job"},
	{VOL_LINK_EVICT, "job", "4294967296", "job"},
	{VOL_LINK_EVICT, "why", "\"\\u00e4\"", "why"},
	{VOL_LINK_EVICT, "stream", "0", "stream"},
	{VOL_LINK_EVICT, "seq", "-1", "seq"},
	{VOL_LINK_EVICT, "seq", "4611686018427387904", "seq"},
	{VOL_LINK_MOVED, "after", "true", "after"},
	{VOL_LINK_MOVED, "age_ms", "4294967296", "age_ms"},
	{VOL_LINK_MOVED, "harvest", "\"away\"", "harvest"},
	{VOL_LINK_HELLO, "stream", "0", "stream"},
	{VOL_LINK_HELLO, "acked", "-1", "acked"},
	{VOL_LINK_ACK, "again", "1", "again"},
	{VOL_LINK_ACK, "stream", "4611686018427387904", "stream"},
	{VOL_LINK_CHECK, "job", "0", "job"},
	{VOL_LINK_UNBEGUN, "job", "0", "job"},
	{VOL_LINK_PARKED, "job", "0", "job"},
	{VOL_LINK_PARKED, "seconds", "-1", "seconds"},
	{VOL_LINK_PARKED, "seconds", "4294967296", "seconds"},
	{VOL_LINK_IMAGE_PUT, "proto", "0", "proto"},
	{VOL_LINK_IMAGE_PUT, "job", "0", "job"},
	{VOL_LINK_IMAGE_PUT, "restarts", "4294967296", "restarts"},
	{VOL_LINK_IMAGE_PUT, "bytes", "1125899906842625", "bytes"},
	{VOL_LINK_IMAGE_PUT, "bytes", "-1", "bytes"},
	{VOL_LINK_IMAGE_PUT, "fits", "\"all\"", "fits"},
	{VOL_LINK_IMAGE_PUT, "fits", "\"anyx\"", "fits"},
	{VOL_LINK_IMAGE_PUT, "fits", "true", "fits"},
	{VOL_LINK_IMAGE_GET, "job", "4294967296", "job"},
	{VOL_LINK_IMAGE_GET, "before", "-1", "before"},
	{VOL_LINK_IMAGE_GO, "number", "0", "number"},
	{VOL_LINK_IMAGE_KEPT, "bytes", "0", "bytes"},
	{VOL_LINK_IMAGE_HERE, "number", "0", "number"},
	{VOL_LINK_IMAGE_HERE, "until", "-1", "until"},
	{VOL_LINK_IMAGE_HERE, "sha256", "\"\"", "sha256"},
	{VOL_LINK_IMAGE_HERE, "sha256", "\"" ID "\"", "sha256"},
	{VOL_LINK_IMAGE_HERE, "sha256", "\"" ID BOOT "0\"", "at most 64"},
	{VOL_LINK_EVICTED, "job", "0", "job"},
	{VOL_LINK_EVICTED, "outcome", "\"lost\"", "outcome"},
};

static json_t *example_of(enum vol_link_type type)
{
	return vol_link_encode(example(type));
}

static void test_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		json_t *json = example_of(bad[i].type);
		json_t *value = json_loads(
			bad[i].value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

		assert_non_null(value);
		json_object_set_new(json, bad[i].member, value);
		refuse(json, "", bad[i].error);
		json_decref(json);
	}
}

/* 64 KiB in every text, and as the name of a member. */
static void test_long_texts(void **state)
{
	char *big = malloc(65537);

	(void)state;
	assert_non_null(big);
	memset(big, 'a', 65536);
	big[65536] = '\0';
	for (size_t i = 0; i < N_ELEMENTS(examples); i++) {
		json_t *json = vol_link_encode(&examples[i]);
		const char *name;
		json_t *value;

		json_object_foreach(json, name, value) {
			json_t *copy = json_deep_copy(json);

			if (json_is_string(value)) {
				json_object_set_new(copy, name,
						    json_string(big));
				refuse(copy, "",
				       strcmp(name, "key") == 0
					       ? "that is not a key"
				       : strcmp(name, "token") == 0
					       ? "it is 65536"
					       : "aaaaaaaa");
			}
			json_decref(copy);
		}
		json_object_set_new(json, big, json_null());
		refuse(json, "", "unknown member \"aaaaaaaa");
		json_decref(json);
	}
	free(big);
}

static void test_other_proto(void **state)
{
	json_t *json = example_of(VOL_LINK_HELLO);
	struct vol_error err;
	struct vol_link_msg msg;

	(void)state;
	/* As long as it can be read, the caller sees the number ... */
	json_object_set_new(json, "proto", json_integer(VOL_LINK_PROTO + 1));
	assert_int_equal(vol_link_decode(json, &msg, &err), 0);
	assert_int_equal(msg.proto, VOL_LINK_PROTO + 1);
	/* ... and when it can not, the reason is the protocol. */
	json_object_set_new(json, "tpm", json_true());
	assert_int_equal(vol_link_decode(json, &msg, &err), -1);
	assert_int_equal(errno, EPROTONOSUPPORT);
	assert_contains(err.text, "protocol 7");
	json_object_set_new(json, "proto", json_integer(VOL_LINK_PROTO));
	refuse(json, "hello", "unknown member \"tpm\"");
	/* The one before this one had no speed. */
	json_object_del(json, "tpm");
	json_object_del(json, "speed");
	json_object_set_new(json, "proto", json_integer(2));
	assert_int_equal(vol_link_decode(json, &msg, &err), -1);
	assert_int_equal(errno, EPROTONOSUPPORT);
	assert_contains(err.text, "protocol 2");
	json_decref(json);
	json = example_of(VOL_LINK_KNOCK);
	json_object_del(json, "commit");
	refuse(json, "knock", "commit: missing");
	json_object_set_new(json, "proto", json_integer(VOL_LINK_PROTO + 1));
	assert_int_equal(vol_link_decode(json, &msg, &err), -1);
	assert_int_equal(errno, EPROTONOSUPPORT);
	assert_contains(err.text, "knock: protocol 7");
	json_decref(json);
}

/* Nobody's log quotes a key. */
static void test_keys_are_not_quoted(void **state)
{
	static const char *const keys[] = {
		ID,                   /* too short */
		ID BOOT ID BOOT "0",  /* half a byte */
		ID BOOT ID BOOT "zz", /* no hex */
		ID BOOT ID "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
		struct vol_error err = {""};
		struct vol_link_msg msg;
		json_t *json = example_of(VOL_LINK_KEY);

		json_object_set_new(json, "key", json_string(keys[i]));
		assert_int_equal(vol_link_decode(json, &msg, &err), -1);
		assert_contains(err.text, "key");
		assert_null(strstr(err.text, "01234567"));
		json_decref(json);
	}
}

static void test_wiped(void **state)
{
	struct vol_link_msg msg = *example(VOL_LINK_KEY);

	(void)state;
	vol_link_wipe(&msg);
	for (size_t i = 0; i < sizeof(msg.key); i++)
		assert_int_equal(msg.key[i], 0);
	assert_string_equal(msg.auth, AUTH);
}

/* What is sent can be received, whatever a host is called. */
static void test_odd_texts(void **state)
{
	struct vol_link_msg msg = examples[0], back;
	json_t *json;

	(void)state;
	strcpy(msg.hostname, "B\xc3\xbcro PC");
	strcpy(msg.slurm, "24\n\xff");
	json = vol_link_encode(&msg);
	assert_int_equal(vol_link_decode(json, &back, NULL), 0);
	assert_string_equal(back.hostname, "B--ro-PC");
	assert_string_equal(back.slurm, "24??");
	json_decref(json);
	msg = *example(VOL_LINK_BYE);
	memset(msg.reason, '\x80', sizeof(msg.reason)); /* no NUL at all */
	json = vol_link_encode(&msg);
	assert_int_equal(vol_link_decode(json, &back, NULL), 0);
	assert_int_equal(strlen(back.reason), VOL_REASON_SIZE - 1);
	assert_int_equal(back.reason[0], '?');
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_roundtrip),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_other_proto),
		cmocka_unit_test(test_keys_are_not_quoted),
		cmocka_unit_test(test_wiped),
		cmocka_unit_test(test_odd_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
