/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link.c - messages of the device link, as C structures
 *
 * One table per message drives both directions.
 */
#include "config.h"

#include "link.h"

#include <errno.h>
#include <string.h>

#include "fields.h"
#include "hex.h"
#include "text.h"

#define ONE_HOUR_MS 3600000
#define ONE_DAY_MS  (24 * ONE_HOUR_MS)
#define ONE_WEEK_S  (7 * 24 * 3600) /* the hours repeat */

static const char *const type_names[] = {
	[VOL_LINK_NONE] = "none",
	[VOL_LINK_HELLO] = "hello",
	[VOL_LINK_KNOCK] = "knock",
	[VOL_LINK_REVEAL] = "reveal",
	[VOL_LINK_STATE] = "state",
	[VOL_LINK_HARVEST] = "harvest",
	[VOL_LINK_MOVED] = "moved",
	[VOL_LINK_EVICT] = "evict",
	[VOL_LINK_CHECK] = "check",
	[VOL_LINK_UNBEGUN] = "unbegun",
	[VOL_LINK_PARKED] = "parked",
	[VOL_LINK_FACTS] = "facts",
	[VOL_LINK_MACHINE] = "machine",
	[VOL_LINK_PING] = "ping",
	[VOL_LINK_BYE] = "bye",
	[VOL_LINK_WELCOME] = "welcome",
	[VOL_LINK_REFUSE] = "refuse",
	[VOL_LINK_NONCE] = "nonce",
	[VOL_LINK_PENDING] = "pending",
	[VOL_LINK_APPROVED] = "approved",
	[VOL_LINK_NODE] = "node",
	[VOL_LINK_REREGISTER] = "reregister",
	[VOL_LINK_EVICTED] = "evicted",
	[VOL_LINK_ACK] = "ack",
	[VOL_LINK_PONG] = "pong",
	[VOL_LINK_KEYED] = "keyed",
	[VOL_LINK_KEY] = "key",
	[VOL_LINK_TURN] = "turn",
	[VOL_LINK_TURNED] = "turned",
	[VOL_LINK_IMAGE_PUT] = "image_put",
	[VOL_LINK_IMAGE_GET] = "image_get",
	[VOL_LINK_IMAGE_GO] = "image_go",
	[VOL_LINK_IMAGE_KEPT] = "image_kept",
	[VOL_LINK_IMAGE_HERE] = "image_here",
};
static const char *const use_names[] = {
	[VOL_KEY_NOW] = "now",
	[VOL_KEY_NEXT] = "next",
};
static const char *const slurmd_names[] = {
	[VOL_SLURMD_DOWN] = "down",
	[VOL_SLURMD_STARTING] = "starting",
	[VOL_SLURMD_UP] = "up",
};
static const char *const node_names[] = {
	[VOL_NODE_MISSING] = "missing",
	[VOL_NODE_WRONG] = "wrong",
	[VOL_NODE_UP] = "up",
};

static const char *const harvest_names[] = {
	[VOL_HARVEST_CLOSED] = "closed",
	[VOL_HARVEST_OPEN] = "open",
	[VOL_HARVEST_PARKED] = "parked",
	[VOL_HARVEST_DRAINING] = "draining",
};
static const char *const outcome_names[] = {
	[VOL_OUTCOME_REQUEUED] = "requeued",
	[VOL_OUTCOME_CANCELLED] = "cancelled",
	[VOL_OUTCOME_GONE] = "gone",
	[VOL_OUTCOME_REFUSED] = "refused",
};

static bool not_empty(const char *text)
{
	return *text;
}

/* It becomes part of slurmd's --conf-server. */
static bool conf_host_valid(const char *host)
{
	return *host && *host != '-';
}

static bool token_valid(const char *text)
{
	uint8_t token[VOL_JOINTOKEN_ID + VOL_JOINTOKEN_SECRET];

	return vol_hex_decode(text, token, sizeof(token));
}

static bool nonce_valid(const char *text)
{
	uint8_t nonce[VOL_SHORTCODE_NONCE];

	return vol_hex_decode(text, nonce, sizeof(nonce));
}

static bool sha256_valid(const char *text)
{
	uint8_t digest[VOL_SHA256_BYTES];

	return vol_hex_decode(text, digest, sizeof(digest));
}

static bool fits_valid(const char *text)
{
	return strcmp(text, "any") == 0;
}

/* As OTHER, since errors quote texts. */
static json_t *key_encode(const void *member)
{
	return json_string(member);
}

static int key_decode(const json_t *json, void *member, struct vol_error *err)
{
	const char *text = json_string_value(json);

	if (!text || strlen(text) != json_string_length(json) ||
	    !vol_authkey_text_valid(text))
		return vol_errorf_errno(err, EINVAL, "that is not a key");
	memcpy(member, text, strlen(text) + 1);
	return 0;
}

static json_t *facts_encode(const void *member)
{
	return vol_facts_to_json(member);
}

static int facts_decode(const json_t *json, void *member, struct vol_error *err)
{
	return vol_facts_from_json(json, member, err);
}

static json_t *machine_encode(const void *member)
{
	return vol_ckmachine_to_json(member);
}

static int machine_decode(const json_t *json, void *member,
			  struct vol_error *err)
{
	return vol_ckmachine_from_json(json, member, err);
}

#define AT(_member) VOL_FIELD_AT(struct vol_link_msg, _member)
#define WORD(_name, _member, _min, _max, _names)                    \
	{                                                           \
		.name = _name, .kind = VOL_FIELD_ENUM, AT(_member), \
		.min = _min, .max = _max, .names = _names           \
	}
#define NUMBER(_name, _min, _max)                                  \
	{                                                          \
		.name = #_name, .kind = VOL_FIELD_UINT, AT(_name), \
		.min = _min, .max = _max                           \
	}
#define TEXT(_name, _charset, ...)                                 \
	{                                                          \
		.name = #_name, .kind = VOL_FIELD_TEXT, AT(_name), \
		.charset = _charset, __VA_ARGS__                   \
	}
#define BOOL(_name)                                               \
	{                                                         \
		.name = #_name, .kind = VOL_FIELD_BOOL, AT(_name) \
	}
#define PRINTABLE NULL

#define TYPE    WORD("type", type, VOL_LINK_HELLO, VOL_LINK_PONG, type_names)
#define SEQ     NUMBER(seq, 0, UINT32_MAX)
#define BUSY    BOOL(busy)
#define REASON  TEXT(reason, PRINTABLE)
#define WHY     TEXT(why, PRINTABLE)
#define NONCE   TEXT(nonce, "", .valid = nonce_valid)
#define CLUSTER TEXT(cluster, "_-", .instead = '_')
#define JOB     NUMBER(job, 1, UINT32_MAX)
#define HARVEST                                                            \
	WORD("harvest", harvest, VOL_HARVEST_CLOSED, VOL_HARVEST_DRAINING, \
	     harvest_names)
/* What else a forecast of the owner's return is made from. */
#define AWAY    NUMBER(away_s, 0, UINT32_MAX)
#define BATTERY BOOL(battery)
#define CLOSES  NUMBER(closes_s, 0, ONE_WEEK_S)
#define SPEED   NUMBER(speed, 0, VOL_SPEED_MAX)
#define STREAM  NUMBER(stream, 1, VOL_LINK_SEQ_MAX)
#define REPORT                                                               \
	{                                                                    \
		.name = "seq", .kind = VOL_FIELD_UINT, AT(report), .min = 0, \
		.max = VOL_LINK_SEQ_MAX                                      \
	}
/* Of every report. */
#define REPORTED                                            \
	STREAM, REPORT, NUMBER(after, 0, VOL_LINK_SEQ_MAX), \
		NUMBER(age_ms, 0, UINT32_MAX)
#define FACTS                                                        \
	{                                                            \
		.name = "facts", .kind = VOL_FIELD_OTHER, AT(facts), \
		.encode = facts_encode, .decode = facts_decode       \
	}

#define MACHINE                                                          \
	{                                                                \
		.name = "machine", .kind = VOL_FIELD_OTHER, AT(machine), \
		.encode = machine_encode, .decode = machine_decode       \
	}

#define AUTH TEXT(auth, "", .valid = vol_authkey_id_valid)
#define OPTIONAL_AUTH \
	TEXT(auth, "", .optional = true, .valid = vol_authkey_id_valid)
#define RESTARTS     NUMBER(restarts, 0, UINT32_MAX)
#define IMAGE_NUMBER NUMBER(number, 1, UINT32_MAX)
#define IMAGE_BYTES  NUMBER(bytes, 1, VOL_IMAGE_MAX)
#define USE          WORD("use", key_use, VOL_KEY_NOW, VOL_KEY_NEXT, use_names)

static const struct vol_field hello[] = {
	TYPE,
	NUMBER(proto, 1, UINT32_MAX),
	TEXT(id, "", .valid = vol_device_id_valid),
	TEXT(boot, "", .valid = vol_device_id_valid),
	TEXT(hostname, VOL_HOSTNAME_CHARS, .instead = '-'),
	TEXT(version, PRINTABLE),
	TEXT(slurm, PRINTABLE),
	FACTS,
	BUSY,
	HARVEST,
	WHY,
	AWAY,
	BATTERY,
	CLOSES,
	SPEED,
	STREAM,
	NUMBER(acked, 0, VOL_LINK_SEQ_MAX),
	TEXT(token, "", .optional = true, .valid = token_valid, .secret = true),
	OPTIONAL_AUTH,
};
static const struct vol_field knock[] = {
	TYPE,
	NUMBER(proto, 1, UINT32_MAX),
	TEXT(id, "", .valid = vol_device_id_valid),
	TEXT(hostname, VOL_HOSTNAME_CHARS, .instead = '-'),
	TEXT(version, PRINTABLE),
	TEXT(commit, "", .valid = nonce_valid),
};
static const struct vol_field reveal[] = {TYPE, NONCE};
static const struct vol_field state[] = {
	TYPE,
	WORD("slurmd", slurmd, VOL_SLURMD_DOWN, VOL_SLURMD_UP, slurmd_names),
	BUSY,
};
static const struct vol_field harvest[] = {
	TYPE, HARVEST, WHY, AWAY, BATTERY, CLOSES, SPEED,
};
static const struct vol_field moved[] = {TYPE, REPORTED, HARVEST, WHY};
static const struct vol_field evict[] = {
	TYPE, REPORTED, JOB, BOOL(exclude), BOOL(force), WHY,
};
static const struct vol_field check[] = {TYPE, JOB};
static const struct vol_field unbegun[] = {TYPE, JOB};
static const struct vol_field parked[] = {
	TYPE,
	JOB,
	NUMBER(seconds, 0, UINT32_MAX),
};
static const struct vol_field facts[] = {TYPE, FACTS};
static const struct vol_field machine[] = {TYPE, MACHINE, WHY};
static const struct vol_field keyed[] = {TYPE, AUTH, USE, REASON};
static const struct vol_field ping[] = {TYPE, SEQ};
static const struct vol_field bye[] = {TYPE, REASON};
static const struct vol_field welcome[] = {
	TYPE,
	TEXT(node, "-", .valid = vol_node_name_valid),
	CLUSTER,
	NUMBER(conf_port, 1, UINT16_MAX),
	TEXT(conf_host, "._:%-", .optional = true, .valid = conf_host_valid),
	NUMBER(heartbeat_ms, 10, ONE_HOUR_MS),
	NUMBER(lease_ms, 10, 7 * ONE_DAY_MS),
	BOOL(facts_ok),
	OPTIONAL_AUTH,
};
static const struct vol_field refuse[] = {
	TYPE,
	TEXT(code, "_", .valid = not_empty),
	REASON,
	NUMBER(retry_ms, 0, ONE_DAY_MS),
};
static const struct vol_field nonce[] = {TYPE, NONCE};
static const struct vol_field pending[] = {TYPE, CLUSTER, REASON};
static const struct vol_field approved[] = {TYPE};
static const struct vol_field node[] = {
	TYPE,
	WORD("state", node_state, VOL_NODE_MISSING, VOL_NODE_UP, node_names),
	REASON,
};
static const struct vol_field reregister[] = {TYPE, REASON};
static const struct vol_field evicted[] = {
	TYPE,
	JOB,
	WORD("outcome", outcome, VOL_OUTCOME_REQUEUED, VOL_OUTCOME_REFUSED,
	     outcome_names),
	REASON,
};
static const struct vol_field ack[] = {TYPE, STREAM, REPORT, BOOL(again)};
static const struct vol_field key[] = {
	TYPE,
	AUTH,
	USE,
	{.name = "key",
	 .kind = VOL_FIELD_OTHER,
	 AT(key),
	 .encode = key_encode,
	 .decode = key_decode},
};
static const struct vol_field turn[] = {TYPE, AUTH};
static const struct vol_field turned[] = {TYPE, AUTH};
static const struct vol_field image_put[] = {
	TYPE,
	NUMBER(proto, 1, UINT32_MAX),
	JOB,
	RESTARTS,
	NUMBER(bytes, 0, VOL_IMAGE_MAX),
	TEXT(fits, "", .optional = true, .valid = fits_valid),
};
static const struct vol_field image_get[] = {
	TYPE,
	NUMBER(proto, 1, UINT32_MAX),
	JOB,
	NUMBER(before, 0, UINT32_MAX),
};
static const struct vol_field image_go[] = {TYPE, IMAGE_NUMBER};
static const struct vol_field image_kept[] = {TYPE, IMAGE_NUMBER, IMAGE_BYTES};
static const struct vol_field image_here[] = {
	TYPE,
	IMAGE_NUMBER,
	RESTARTS,
	NUMBER(until, 0, UINT32_MAX),
	IMAGE_BYTES,
	TEXT(sha256, "", .valid = sha256_valid),
	NUMBER(made_s, 0, VOL_IMAGE_MAX),
};
static const struct vol_field pong[] = {TYPE, SEQ};

#define MESSAGE(_fields)                                        \
	{                                                       \
		_fields, sizeof(_fields) / sizeof((_fields)[0]) \
	}

static const struct {
	const struct vol_field *fields;
	size_t n;
} messages[] = {
	[VOL_LINK_HELLO] = MESSAGE(hello),
	[VOL_LINK_KNOCK] = MESSAGE(knock),
	[VOL_LINK_REVEAL] = MESSAGE(reveal),
	[VOL_LINK_STATE] = MESSAGE(state),
	[VOL_LINK_HARVEST] = MESSAGE(harvest),
	[VOL_LINK_MOVED] = MESSAGE(moved),
	[VOL_LINK_EVICT] = MESSAGE(evict),
	[VOL_LINK_CHECK] = MESSAGE(check),
	[VOL_LINK_UNBEGUN] = MESSAGE(unbegun),
	[VOL_LINK_PARKED] = MESSAGE(parked),
	[VOL_LINK_FACTS] = MESSAGE(facts),
	[VOL_LINK_MACHINE] = MESSAGE(machine),
	[VOL_LINK_KEYED] = MESSAGE(keyed),
	[VOL_LINK_PING] = MESSAGE(ping),
	[VOL_LINK_BYE] = MESSAGE(bye),
	[VOL_LINK_WELCOME] = MESSAGE(welcome),
	[VOL_LINK_REFUSE] = MESSAGE(refuse),
	[VOL_LINK_NONCE] = MESSAGE(nonce),
	[VOL_LINK_PENDING] = MESSAGE(pending),
	[VOL_LINK_APPROVED] = MESSAGE(approved),
	[VOL_LINK_NODE] = MESSAGE(node),
	[VOL_LINK_REREGISTER] = MESSAGE(reregister),
	[VOL_LINK_EVICTED] = MESSAGE(evicted),
	[VOL_LINK_ACK] = MESSAGE(ack),
	[VOL_LINK_KEY] = MESSAGE(key),
	[VOL_LINK_TURN] = MESSAGE(turn),
	[VOL_LINK_TURNED] = MESSAGE(turned),
	[VOL_LINK_IMAGE_PUT] = MESSAGE(image_put),
	[VOL_LINK_IMAGE_GET] = MESSAGE(image_get),
	[VOL_LINK_IMAGE_GO] = MESSAGE(image_go),
	[VOL_LINK_IMAGE_KEPT] = MESSAGE(image_kept),
	[VOL_LINK_IMAGE_HERE] = MESSAGE(image_here),
	[VOL_LINK_PONG] = MESSAGE(pong),
};

/* Tables store enums by size. */
_Static_assert(sizeof(enum vol_link_type) == sizeof(uint32_t), "enum size");

json_t *vol_link_encode(const struct vol_link_msg *msg)
{
	if (msg->type < VOL_LINK_HELLO || msg->type > VOL_LINK_PONG) {
		errno = EINVAL;
		return NULL;
	}
	return vol_fields_encode(messages[msg->type].fields,
				 messages[msg->type].n, msg);
}

static enum vol_link_type find_type(const char *name)
{
	for (enum vol_link_type t = VOL_LINK_HELLO; t <= VOL_LINK_PONG; t++) {
		if (strcmp(name, type_names[t]) == 0)
			return t;
	}
	return VOL_LINK_NONE;
}

/* A first message of another protocol may hold anything; what is wrong with it
 * then is not the member that we happened to stumble over. */
static int other_proto(const json_t *json, enum vol_link_type type,
		       struct vol_error *err)
{
	json_int_t proto = json_integer_value(json_object_get(json, "proto"));

	if (proto < 1 || proto > UINT32_MAX || proto == VOL_LINK_PROTO)
		return vol_error_prefix(err, "%s", type_names[type]);
	return vol_errorf_errno(err, EPROTONOSUPPORT,
				"%s: protocol %u, %d is spoken here",
				type_names[type], (unsigned)proto,
				VOL_LINK_PROTO);
}

int vol_link_decode(const json_t *json, struct vol_link_msg *msg,
		    struct vol_error *err)
{
	const char *name = json_string_value(json_object_get(json, "type"));
	struct vol_link_msg decoded = {0};
	char excerpt[VOL_EXCERPT_SIZE];
	enum vol_link_type type;

	if (!name)
		return vol_errorf_errno(err, EINVAL, "message without a type");
	type = find_type(name);
	if (type == VOL_LINK_NONE)
		return vol_errorf_errno(err, EINVAL, "unknown type %s",
					vol_text_excerpt(name, strlen(name),
							 excerpt));
	if (vol_fields_decode(json, messages[type].fields, messages[type].n,
			      &decoded, err) < 0) {
		if (type == VOL_LINK_HELLO || type == VOL_LINK_KNOCK ||
		    type == VOL_LINK_IMAGE_PUT || type == VOL_LINK_IMAGE_GET)
			return other_proto(json, type, err);
		return vol_error_prefix(err, "%s", type_names[type]);
	}
	*msg = decoded;
	vol_link_wipe(&decoded);
	return 0;
}

void vol_link_wipe(struct vol_link_msg *msg)
{
	explicit_bzero(msg->key, sizeof(msg->key));
	explicit_bzero(msg->token, sizeof(msg->token));
}

const char *vol_link_type_name(enum vol_link_type type)
{
	return type <= VOL_LINK_PONG ? type_names[type] : "unknown";
}

const char *vol_slurmd_state_name(enum vol_slurmd_state s)
{
	return s <= VOL_SLURMD_UP ? slurmd_names[s] : "unknown";
}

const char *vol_node_state_name(enum vol_node_state s)
{
	return s <= VOL_NODE_UP ? node_names[s] : "unknown";
}

const char *vol_harvest_name(enum vol_harvest h)
{
	return h <= VOL_HARVEST_DRAINING ? harvest_names[h] : "unknown";
}

const char *vol_outcome_name(enum vol_outcome o)
{
	return o <= VOL_OUTCOME_REFUSED ? outcome_names[o] : "unknown";
}
