/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link.h - messages of the device link, as C structures
 *
 * The device dials the controller (default port VOL_LINK_PORT), both prove a
 * key by TLS (discoveryd/common/tls.h), and the device says hello first, or,
 * when it does not know the controller or is not known to it, knocks.  The
 * identity in either is the one of its key (fingerprint.h).  Frames as in
 * wire.h; "type" names the message:
 *
 *  device -> controller
 *   hello      proto, id, boot, hostname, version, slurm, facts, busy,
 *              harvest, why, away_s, battery, closes_s, speed,
 *              stream, acked, token?, auth?
 *                                  stream and acked: what its reports are
 *                                  called, and up to where they were
 *                                  acknowledged (outbox.h); token: id and
 *                                  secret of a join token (jointoken.h), when
 *                                  it has one and is not approved yet; auth:
 *                                  id of the Slurm key that is in its place
 *                                  (authkey.h), if one is
 *   knock      proto, id, hostname, version, commit
 *                                  asks to be approved; commit as in
 *                                  shortcode.h
 *   reveal     nonce               answer to nonce; both have the code then
 *   state      slurmd: "starting" | "up" | "down", busy
 *   harvest    harvest: "closed" | "open" | "parked" | "draining", why,
 *              away_s, battery, closes_s, speed
 *                                  the owner came or went, or one of the last
 *                                  three is another one; why is for people
 *   check      job                 Slurm seems to be ending it: answer evicted
 *                                  "gone" if that is so, nothing otherwise
 *   unbegun    job                 it was evicted, and ended before anything of
 *                                  it ran: its image is as good as it was
 *   parked     job, seconds        total time for which this job was stopped
 *                                  here: said every half minute and at the end
 *   facts      facts               the owner changed what is shared
 *   machine    machine, why        what it is to saved jobs (ckmachine.h): said
 *                                  once on each link, as soon as it is known;
 *                                  why: it can not go on with any
 *   keyed      auth, use, reason   answer to key and turn: it has that one now,
 *                                  or as the next; a reason says why it has not
 *   ping       seq
 *   bye        reason              leaving on purpose; nothing follows
 *  reports: also device -> controller, numbered, kept until they are acked, and
 *  sent again after each ack with again (outbox.h).  All have stream, seq,
 *  after (the seq of the report before it) and age_ms (for so long it has been
 *  waiting)
 *   moved      harvest, why        the owner came or went.  What is, harvest
 *                                  says, and sooner; this says what was
 *   evict      job, exclude, force, why
 *                                  start this job elsewhere; exclude: never
 *                                  here again; force: cancel it if it can not
 *                                  be requeued
 *  controller -> device
 *   welcome    node, cluster, conf_port, conf_host?, heartbeat_ms, lease_ms,
 *              facts_ok, auth?
 *                                  auth: a key with this id follows, which
 *                                  slurmd must not start before
 *   refuse     code, reason, retry_ms     then the connection is closed
 *   nonce      nonce               answer to knock, unless it is approved
 *   pending    cluster, reason     the code is agreed on: wait on this link
 *                                  (ping goes on) for approved
 *   approved                       say hello now, on this link
 *   node       state: "up" | "missing" | "wrong", reason
 *   reregister reason              make slurmd register again (SIGHUP)
 *   evicted    job, outcome, reason
 *                                  answer to evict: "requeued" and "cancelled"
 *                                  mean that its tasks may be killed, "gone"
 *                                  that Slurm does not run it here (any more),
 *                                  "refused" that it stays (it can not be
 *                                  requeued, or Slurm said no): ask again
 *                                  later
 *   ack        stream, seq, again  all reports up to seq are applied, and that
 *                                  is on disk; again: send what follows from
 *                                  there (first of all, after welcome)
 *   key        auth, use: "now" | "next", key
 *                                  the cluster's Slurm key, in hex; "next" is
 *                                  stored beside the one in use until turn
 *   turn       auth                stop the jobs' tasks, use the next key, say
 *                                  keyed, and wait for turned
 *   turned     auth                the controller uses it too: go on
 *   pong       seq
 *
 *
 * An image of a job (imagefile.h) goes over a connection of its own, which
 * begins with one of these in place of hello.  The device is the one whose key
 * TLS has proven; it must be approved, and slurmctld must have the job running
 * on its node.  What is not said is refused (refuse).
 *
 *  device -> controller
 *   image_put  proto, job, restarts, bytes, fits?
 *                                  an image of the job's present run, which is
 *                                  the one after so many restarts; bytes: at
 *                                  most so long, 0: not known; fits "any": it
 *                                  holds no processes, and so any machine can
 *                                  use it
 *   image_get  proto, job, before  the newest image that is not damaged, of an
 *                                  earlier run, with a number below before (0:
 *                                  any)
 *  controller -> device
 *   image_go   number              answer to put: say it, as of imagewire.h
 *   image_kept number, bytes       it is verified and on disk; nothing follows
 *   image_here number, restarts, until, bytes, sha256, made_s
 *                                  answer to get; the image follows, as of
 *                                  imagewire.h; until: nothing of the job has
 *                                  run since, up to the run after so many
 *                                  restarts; made_s: its age
 *
 * Unknown types and members are errors (proto is raised when one is added that
 * an older version would hear on a link; the first message of a connection is
 * refused there with its reason).
 */
#ifndef VOL_LINK_H
#define VOL_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "authkey.h"
#include "ckmachine.h"
#include "error.h"
#include "facts.h"
#include "imagefile.h"
#include "jointoken.h"
#include "ladder.h"
#include "names.h"
#include "registry.h"
#include "sha256.h"
#include "shortcode.h"

#define VOL_LINK_PROTO   6    /* TLS and the door came with 4 */
#define VOL_LINK_PORT    6830 /* next to Slurm's 6817-6819, unassigned at IANA */
#define VOL_REASON_SIZE  200
#define VOL_VERSION_SIZE 32
#define VOL_SPEED_MAX    1000000
/* As in outbox.h; streams are numbers, too, from 1. */
#define VOL_LINK_SEQ_MAX ((UINT64_C(1) << 62) - 1)
/* 20 bytes in hex: id and secret of a token. */
#define VOL_LINK_TOKEN_SIZE (2 * (VOL_JOINTOKEN_ID + VOL_JOINTOKEN_SECRET) + 1)
/* 32 bytes in hex. */
#define VOL_LINK_NONCE_SIZE (2 * VOL_SHORTCODE_NONCE + 1)
/* 32 bytes in hex. */
#define VOL_LINK_SHA256_SIZE (2 * VOL_SHA256_BYTES + 1)

enum vol_link_type {
	VOL_LINK_NONE,
	VOL_LINK_HELLO,
	VOL_LINK_KNOCK,
	VOL_LINK_REVEAL,
	VOL_LINK_STATE,
	VOL_LINK_HARVEST,
	VOL_LINK_MOVED,
	VOL_LINK_EVICT,
	VOL_LINK_CHECK,
	VOL_LINK_UNBEGUN,
	VOL_LINK_PARKED,
	VOL_LINK_FACTS,
	VOL_LINK_MACHINE,
	VOL_LINK_KEYED,
	VOL_LINK_PING,
	VOL_LINK_BYE,
	VOL_LINK_WELCOME,
	VOL_LINK_REFUSE,
	VOL_LINK_NONCE,
	VOL_LINK_PENDING,
	VOL_LINK_APPROVED,
	VOL_LINK_NODE,
	VOL_LINK_REREGISTER,
	VOL_LINK_EVICTED,
	VOL_LINK_ACK,
	VOL_LINK_KEY,
	VOL_LINK_TURN,
	VOL_LINK_TURNED,
	VOL_LINK_IMAGE_PUT,
	VOL_LINK_IMAGE_GET,
	VOL_LINK_IMAGE_GO,
	VOL_LINK_IMAGE_KEPT,
	VOL_LINK_IMAGE_HERE,
	VOL_LINK_PONG,
};

enum vol_slurmd_state { VOL_SLURMD_DOWN, VOL_SLURMD_STARTING, VOL_SLURMD_UP };
enum vol_key_use { VOL_KEY_NOW, VOL_KEY_NEXT };
enum vol_node_state { VOL_NODE_MISSING, VOL_NODE_WRONG, VOL_NODE_UP };
enum vol_outcome {
	VOL_OUTCOME_REQUEUED,
	VOL_OUTCOME_CANCELLED,
	VOL_OUTCOME_GONE,
	VOL_OUTCOME_REFUSED,
};

/* One message, decoded.  Only the members of its type are set. */
struct vol_link_msg {
	enum vol_link_type type;
	uint32_t proto;
	char id[VOL_DEVICE_ID_SIZE];
	char boot[VOL_DEVICE_ID_SIZE];    /* kernel boot id: 32 hex */
	char hostname[VOL_HOSTNAME_SIZE]; /* VOL_HOSTNAME_CHARS, checked */
	char version[VOL_VERSION_SIZE];   /* of slurm-volunteer */
	char slurm[VOL_VERSION_SIZE];     /* of slurmd, "" if not known */
	char token[VOL_LINK_TOKEN_SIZE];  /* "" without one */
	char commit[VOL_LINK_NONCE_SIZE], nonce[VOL_LINK_NONCE_SIZE];
	struct vol_facts facts;
	struct vol_ckmachine machine;
	bool busy; /* a slurmstepd is alive */
	enum vol_slurmd_state slurmd;
	enum vol_harvest harvest;
	char why[VOL_WHY_SIZE];
	/* For so long nobody has shown a sign of life, as of this message; 0:
	 * somebody is there, or that is not known. */
	uint32_t away_s;
	bool battery;      /* it runs on its battery, whether or not that
			    * matters to its owner */
	uint32_t closes_s; /* the owner's hours close it then for sure; 0: not
			    * foreseen, or not open by the hours */
	uint32_t speed;    /* of one core, see device/speed.h; 0: not known */
	uint32_t job;      /* Slurm's number of the one job or array task */
	uint32_t seconds;  /* parked, in all */
	uint32_t restarts; /* of the job, when its image was made */
	uint32_t until;
	uint32_t number, before; /* of its images, from 1 */
	uint64_t bytes;          /* of an image */
	char fits[4];            /* "any", or "": machines like the sender */
	uint64_t made_s;
	char sha256[VOL_LINK_SHA256_SIZE];
	bool exclude, force;
	uint64_t stream, acked;
	uint64_t report, after; /* a report's seq, and that before it */
	uint32_t age_ms;
	bool again;
	enum vol_outcome outcome;
	uint32_t seq;
	char node[VOL_NODE_NAME_SIZE];
	char cluster[VOL_NODE_NAME_SIZE];
	char conf_host[VOL_HOSTNAME_SIZE]; /* "" = the address dialled */
	uint16_t conf_port;
	uint32_t heartbeat_ms, lease_ms;
	bool facts_ok; /* the node has these facts already */
	enum vol_node_state node_state;
	char code[32]; /* refuse: table_full, duplicate_id, bad_id,
			* version, not_enrolled, bad_token,
			* knock (say that first), bad_message,
			* slurm_away, busy; of an image also: not_here (the
			* job does not run on this device), no_image, no_room,
			* no_store (none are kept now), damaged, interrupted */
	char reason[VOL_REASON_SIZE];
	uint32_t retry_ms;
	char auth[VOL_AUTHKEY_ID_SIZE];
	enum vol_key_use key_use;
	char key[VOL_AUTHKEY_TEXT_SIZE]; /* wipe it: vol_link_wipe */
};

/* Overwrite what is secret in a message. */
void vol_link_wipe(struct vol_link_msg *msg);

/* JSON of a message: new reference, NULL on ENOMEM, EINVAL without a type.
 * Strings that are not printable ASCII are sent with '?' in place of the
 * offending bytes, a hostname with '-' in place of what is not allowed there,
 * so that a desktop with an odd name can join. */
json_t *vol_link_encode(const struct vol_link_msg *msg);

/* Strict decode: exact member set per type, types, ranges and character sets.
 * -1 with EINVAL, or EPROTONOSUPPORT when a hello or knock of another proto can
 * not be read (one that can has its proto in *msg: compare it).  *msg is
 * untouched on error, and *err quotes no key. */
int vol_link_decode(const json_t *json, struct vol_link_msg *msg,
		    struct vol_error *err);

const char *vol_link_type_name(enum vol_link_type type);
const char *vol_slurmd_state_name(enum vol_slurmd_state state);
const char *vol_node_state_name(enum vol_node_state state);
const char *vol_harvest_name(enum vol_harvest harvest);
const char *vol_outcome_name(enum vol_outcome outcome);

#endif
