/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_door.c - any messages, in any order, for both ends of the door
 *
 * The first byte sets the modes of both ends; each further one is something
 * that happens, with the bytes behind it as its arguments: a message comes over
 * one of four links, somebody gives out or revokes a token, approves or revokes
 * a device, a clock goes on or is set.  Nobody keeps to an order here that the
 * daemons would keep, and all the same nobody comes in whom nobody let in.
 *
 * A model keeps beside them who may come in and what tokens are good for, in a
 * few lines and without files.  The digest is no digest of cryptography: what
 * is looked for is a way around it, not through it.
 */
#include "config.h"

#include "fuzz.h"

#include "admit.h"
#include "bytes.h"
#include "device/trust.h"
#include "device/uplink_fsm.h"
#include "hex.h"
#include "link.h"
#include "registry.h"
#include "shortcode.h"
#include "tickets.h"

#define KEYS    4
#define LINKS   4
#define TOKENS  4
#define OPS_MAX 256

struct input {
	const uint8_t *data;
	size_t left;
};

/* A token, and what the model knows of it. */
struct token {
	struct vol_jointoken text;
	char id[VOL_TICKET_ID_SIZE];
	bool made, revoked, gone;
	uint32_t uses;
	unsigned used; /* bit n: by key n */
	uint64_t ends; /* by the clock that never goes back */
};

/* The controller's end of a link. */
struct line {
	unsigned key;
	struct vol_shortcode code;
	char hostname[VOL_HOSTNAME_SIZE];
};

struct world {
	enum vol_approve mode;
	struct vol_registry *registry;
	struct vol_tickets *tickets;
	struct vol_tickets_clock clock;
	uint64_t late; /* the latest time there ever was */
	struct token token[TOKENS];
	struct line line[LINKS];
	bool may[KEYS]; /* somebody let it in */
	bool out[KEYS]; /* and somebody shut it out after that */
	/* The device: the first key. */
	struct vol_trust trust;
	enum vol_trust_mode trusts;
	bool insists, at_forger; /* on the controller; whom it speaks to */
	struct vol_uplink_fsm f;
	uint64_t now;
	bool greeted, believed; /* on this connection */
};

static struct vol_fingerprint keys[KEYS], controller, forger;

static unsigned take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

static int digest(const void *data, size_t len, uint8_t out[VOL_SHA256_BYTES],
		  struct vol_error *err)
{
	uint64_t h = vol_fnv(data, len);

	(void)err;
	for (int i = 0; i < VOL_SHA256_BYTES; i += 8)
		vol_put64(out + i, h * (2 * (uint64_t)i + 1));
	return 0;
}

static void write_nonce(char text[VOL_LINK_NONCE_SIZE], unsigned n)
{
	memset(text, "0123456789abcdef"[n % 16], VOL_LINK_NONCE_SIZE - 1);
	text[VOL_LINK_NONCE_SIZE - 1] = '\0';
}

/* The commit to the number that write_nonce writes. */
static void write_commit(char text[VOL_LINK_NONCE_SIZE], unsigned n)
{
	struct vol_shortcode s;
	uint8_t nonce[VOL_SHORTCODE_NONCE];

	write_nonce(text, n);
	vol_hex_decode(text, nonce, sizeof(nonce));
	vol_shortcode_init(&s, &controller, &controller);
	vol_shortcode_begin(&s, nonce, digest, NULL);
	vol_hex_encode(s.commit, sizeof(s.commit), text);
}

/* Id and secret, of one token or of two. */
static void write_token(const struct world *w, struct input *in,
			char text[VOL_LINK_TOKEN_SIZE])
{
	unsigned n = take(in);
	const struct token *id = &w->token[n % TOKENS];
	const struct token *secret = &w->token[n / 16 % TOKENS];

	if (n >= 128)
		return;
	vol_hex_encode(id->text.id, sizeof(id->text.id), text);
	vol_hex_encode(secret->text.secret, sizeof(secret->text.secret),
		       text + 2 * sizeof(id->text.id));
}

static void make_message(const struct world *w, struct input *in,
			 struct vol_link_msg *m)
{
	unsigned n = take(in);

	memset(m, 0, sizeof(*m));
	m->type = VOL_LINK_HELLO +
		  take(in) % (VOL_LINK_PONG - VOL_LINK_HELLO + 1);
	m->proto = VOL_LINK_PROTO + (n == 255);
	vol_fingerprint_id(&keys[n % KEYS], m->id);
	memset(m->boot, '0', sizeof(m->boot) - 1);
	snprintf(m->hostname, sizeof(m->hostname), "desk%u", n % 3);
	strcpy(m->node, "desk");
	strcpy(m->cluster, n & 64 ? "lab" : "");
	strcpy(m->code, n & 32 ? "knock" : n & 16 ? "bad_token" : "slurm_away");
	m->facts = (struct vol_facts){.sockets = 1,
				      .cores_per_socket = 1,
				      .threads_per_core = 1,
				      .memory_mb = 100};
	m->conf_port = 1;
	m->job = m->stream = 1;
	m->heartbeat_ms = 10 + 1000 * (n & 15);
	m->lease_ms = 10 + 3000 * (n >> 4);
	m->seq = w->f.seq - (n & 7);
	m->retry_ms = n * 10000;
	write_commit(m->commit, n);
	write_nonce(m->nonce, n);
	if (m->type == VOL_LINK_HELLO)
		write_token(w, in, m->token);
}

/* Any text, or one of those that fuzz_link.c has seen to be read as written. */
static bool next_message(const struct world *w, struct input *in,
			 struct vol_link_msg *m)
{
	size_t len = take(in);
	json_t *json;
	bool good;

	if (!len) {
		make_message(w, in, m);
		return true;
	}
	if (len > in->left)
		len = in->left;
	json = json_loadb((const char *)in->data, len, 0, NULL);
	in->data += len;
	in->left -= len;
	good = json && vol_link_decode(json, m, NULL) == 0;
	json_decref(json);
	return good;
}

/* ---- the controller ---- */

static void let_in(struct world *w, unsigned key)
{
	w->may[key] = true;
	w->out[key] = false;
}

static void approve(struct world *w, unsigned key, const char *hostname)
{
	char id[VOL_DEVICE_ID_SIZE];
	struct vol_device *d;

	vol_fingerprint_id(&keys[key], id);
	if (!vol_registry_by_id(w->registry, id))
		fuzz_assert(vol_registry_knock(w->registry, &keys[key],
					       hostname, "", w->clock.wall,
					       NULL));
	fuzz_assert(vol_registry_approve(w->registry, id, "x", NULL, NULL,
					 w->clock.wall, NULL) == 0);
	d = vol_registry_by_id(w->registry, id);
	fuzz_assert(d && *d->node &&
		    vol_registry_by_node(w->registry, d->node) == d);
}

static bool is_good(struct world *w, const struct vol_link_msg *m, unsigned key)
{
	uint8_t text[VOL_JOINTOKEN_ID + VOL_JOINTOKEN_SECRET];
	struct token *k = w->token, *end = w->token + TOKENS;

	vol_hex_decode(m->token, text, sizeof(text));
	while (k < end &&
	       (!k->made || memcmp(k->text.id, text, sizeof(k->text.id))))
		k++;
	if (k == end || k->revoked || w->late >= k->ends ||
	    memcmp(k->text.secret, text + VOL_JOINTOKEN_ID,
		   sizeof(k->text.secret)) != 0)
		return false;
	if (!(k->used >> key & 1) &&
	    (unsigned)__builtin_popcount(k->used) >= k->uses)
		return false;
	k->used |= 1u << key;
	return true;
}

static enum vol_admit_token redeem(struct world *w,
				   const struct vol_link_msg *m, unsigned key)
{
	uint8_t text[VOL_JOINTOKEN_ID + VOL_JOINTOKEN_SECRET];
	bool good = is_good(w, m, key);
	enum vol_redeem result;

	vol_hex_decode(m->token, text, sizeof(text));
	result = vol_tickets_redeem(w->tickets, text, text + VOL_JOINTOKEN_ID,
				    m->id, &w->clock, digest);
	fuzz_assert((result == VOL_REDEEM_OK) == good);
	if (good)
		let_in(w, key);
	return vol_admit_token(result);
}

static enum vol_admission ask(struct world *w, const struct vol_link_msg *m,
			      unsigned key)
{
	struct vol_device *d = vol_registry_by_id(w->registry, m->id);
	struct vol_refusal refusal = {.code = NULL};
	struct vol_admit a = {
		.mode = w->mode,
		.knock = m->type == VOL_LINK_KNOCK,
		.key = vol_admit_key(m->id, &keys[key]),
		.standing = vol_admit_standing(d, &keys[key]),
		.token = *m->token ? VOL_TOKEN_GIVEN : VOL_TOKEN_NONE,
	};
	enum vol_admission verdict = vol_admit(&a, &refusal);

	if (verdict == VOL_ADMIT_REDEEM) {
		a.token = redeem(w, m, key);
		verdict = vol_admit(&a, &refusal);
		fuzz_assert(verdict != VOL_ADMIT_REDEEM);
	}
	fuzz_assert((verdict == VOL_ADMIT_REFUSE) == !!refusal.code);
	return verdict;
}

static void asked(struct world *w, struct line *l, const struct vol_link_msg *m)
{
	uint8_t commit[VOL_SHA256_BYTES], nonce[VOL_SHORTCODE_NONCE] = {7};
	char id[VOL_DEVICE_ID_SIZE];
	enum vol_admission verdict = ask(w, m, l->key);

	if (verdict == VOL_ADMIT_REFUSE)
		return;
	/* For itself alone, and never once it was shut out. */
	vol_fingerprint_id(&keys[l->key], id);
	fuzz_assert(strcmp(m->id, id) == 0 && !w->out[l->key]);
	switch (verdict) {
	case VOL_ADMIT_APPROVE_ALL:
		fuzz_assert(w->mode == VOL_APPROVE_ALL);
		let_in(w, l->key);
		approve(w, l->key, m->hostname);
		break;
	case VOL_ADMIT_APPROVE_TOKEN:
		fuzz_assert(w->may[l->key]);
		approve(w, l->key, m->hostname);
		break;
	case VOL_ADMIT_IN:
		fuzz_assert(w->may[l->key]);
		break;
	default:
		fuzz_assert(verdict == VOL_ADMIT_PEND);
		fuzz_assert(w->mode == VOL_APPROVE_ASK &&
			    m->type == VOL_LINK_KNOCK);
		vol_hex_decode(m->commit, commit, sizeof(commit));
		snprintf(l->hostname, sizeof(l->hostname), "%s", m->hostname);
		vol_shortcode_committed(&l->code, commit, nonce, NULL);
	}
}

static void revealed(struct world *w, struct line *l,
		     const struct vol_link_msg *m)
{
	bool before = l->code.state == VOL_SHORTCODE_COMMITTED;
	uint8_t nonce[VOL_SHORTCODE_NONCE];

	vol_hex_decode(m->nonce, nonce, sizeof(nonce));
	if (vol_shortcode_revealed(&l->code, nonce, digest, NULL) < 0) {
		fuzz_assert(l->code.state == VOL_SHORTCODE_FAILED);
		fuzz_assert(!*l->code.code);
		return;
	}
	fuzz_assert(before && strlen(l->code.code) == 6);
	if (!vol_registry_knock(w->registry, &keys[l->key], l->hostname, "",
				w->clock.wall, NULL))
		fuzz_assert(w->may[l->key] || w->out[l->key]);
}

static void at_controller(struct world *w, struct input *in)
{
	struct line *l = &w->line[take(in) % LINKS];
	struct vol_link_msg m;

	if (!next_message(w, in, &m))
		return;
	if (m.type == VOL_LINK_HELLO || m.type == VOL_LINK_KNOCK)
		asked(w, l, &m);
	else if (m.type == VOL_LINK_REVEAL)
		revealed(w, l, &m);
}

/* ---- its administrator ---- */

static void make_token(struct world *w, struct input *in)
{
	struct token *k = &w->token[take(in) % TOKENS];
	unsigned n = take(in);
	const struct vol_ticket *ticket;

	if (k->made)
		return;
	k->uses = 1 + n % 3;
	/* A clock that runs ahead is forgotten when nothing can revive. */
	if (!vol_tickets_count(w->tickets)) {
		w->late = (uint64_t)w->clock.wall;
		for (size_t i = 0; i < TOKENS; i++)
			w->token[i].revoked = w->token[i].gone = true;
	}
	ticket = vol_tickets_make(w->tickets, k->uses, 60 + n, 0, &controller,
				  &w->clock, digest, &k->text, NULL);
	fuzz_assert(ticket);
	memcpy(k->id, ticket->id, sizeof(k->id));
	k->made = true;
	k->revoked = k->gone = false;
	k->ends = w->late + 60 + n;
	fuzz_assert((uint64_t)ticket->expires == k->ends);
}

static void revoke_token(struct world *w, struct input *in)
{
	struct token *k = &w->token[take(in) % TOKENS];

	if (!k->made || k->gone)
		return;
	/* One that ended long ago is not known any more. */
	fuzz_assert(vol_tickets_revoke(w->tickets, k->id, NULL) == 0 ||
		    w->late >= k->ends + VOL_TICKET_KEEP_S);
	k->revoked = true;
}

static void decide(struct world *w, struct input *in)
{
	unsigned n = take(in), key = n % KEYS;
	char id[VOL_DEVICE_ID_SIZE];
	struct vol_device *d;

	vol_fingerprint_id(&keys[key], id);
	d = vol_registry_by_id(w->registry, id);
	if (!d)
		return;
	if (n & 64) {
		vol_registry_release(w->registry, id);
	} else if (n & 128) {
		fuzz_assert(vol_registry_revoke(w->registry, id, "x", 0,
						NULL) == 0);
		w->out[key] = true;
		w->may[key] = false;
	} else if (d->standing != VOL_APPROVED) {
		approve(w, key, d->hostname);
		let_in(w, key);
	}
}

/* The wall's clock may be set; what runs on does so in seconds. */
static void set_clocks(struct world *w, struct input *in)
{
	unsigned n = take(in);

	w->clock.boot_s += n % 64;
	w->late += n % 64;
	w->clock.wall += (time_t)(n & 64 ? 86400 : n % 64);
	w->clock.wall -= (time_t)(n & 128 ? 90000 : 0);
	if (w->clock.wall < 0)
		w->clock.wall = 0;
	if ((uint64_t)w->clock.wall > w->late)
		w->late = (uint64_t)w->clock.wall;
	vol_tickets_prune(w->tickets, &w->clock);
	w->now += n * 1000;
}

static const struct vol_fingerprint *other_end(const struct world *w)
{
	return w->at_forger ? &forger : &controller;
}

static bool insisted(const struct world *w)
{
	return w->insists && !w->at_forger;
}

/* What uplink.c does of what the machine says. */
static void follow(struct world *w, unsigned todo)
{
	uint8_t nonce[VOL_SHORTCODE_NONCE] = {5};
	struct vol_link_msg knock;

	if (todo & (VOL_UPLINK_DO_CLOSE | VOL_UPLINK_DO_DIAL)) {
		vol_trust_lost(&w->trust);
		w->greeted = w->believed = false;
	}
	if (todo & VOL_UPLINK_DO_HELLO) {
		w->f.knocked =
			vol_trust_knocks(&w->trust, insisted(w), other_end(w),
					 &keys[0], nonce, digest, &knock);
		w->greeted |= !w->f.knocked;
		/* It tells who it is and what it has to its own alone. */
		fuzz_assert(w->f.knocked || insisted(w) || w->believed);
	}
	if (todo & VOL_UPLINK_DO_WELCOMED)
		fuzz_assert(w->greeted && !w->f.knocked);
}

static void at_device(struct world *w, struct input *in)
{
	bool greeting = w->f.state == VOL_UPLINK_GREETING;
	struct vol_link_msg m, reveal;

	if (!next_message(w, in, &m))
		return;
	if (m.type == VOL_LINK_APPROVED) {
		w->believed =
			vol_trust_approved(&w->trust, insisted(w), w->trusts);
		fuzz_assert(!w->believed || insisted(w) ||
			    w->trusts == VOL_TRUST_FIRST);
		if (!w->believed) {
			follow(w, vol_uplink_fsm_distrust(&w->f, w->now));
			return;
		}
	}
	if ((m.type == VOL_LINK_PENDING &&
	     !(greeting && vol_trust_pending(&w->trust, &m))) ||
	    (m.type == VOL_LINK_NONCE &&
	     !(greeting && vol_trust_nonce(&w->trust, &m, w->now, digest,
					   &reveal, NULL) == 0))) {
		follow(w, vol_uplink_fsm_closed(&w->f, w->now));
		return;
	}
	if (m.type == VOL_LINK_REFUSE)
		vol_trust_refused(&w->trust, &m);
	follow(w, vol_uplink_fsm_message(&w->f, w->now, &m));
}

static void to_device(struct world *w, struct input *in)
{
	unsigned n = take(in);

	switch (n % 8) {
	case 0:
		follow(w, vol_uplink_fsm_target(&w->f, w->now));
		break;
	case 1:
		if (w->f.state != VOL_UPLINK_DIALING)
			break;
		w->at_forger = n & 64;
		follow(w, vol_uplink_fsm_dialed(&w->f, w->now, n & 128));
		break;
	case 2:
		follow(w, vol_uplink_fsm_reached(&w->f, w->now));
		break;
	case 3:
		if (w->f.state == VOL_UPLINK_DIALING)
			follow(w, vol_uplink_fsm_connected(&w->f, w->now));
		break;
	case 4:
		follow(w, vol_uplink_fsm_closed(&w->f, w->now));
		break;
	case 5:
		follow(w, vol_uplink_fsm_redial(&w->f, w->now));
		break;
	default:
		/* The owner has the code from the controller's own screen. */
		if (*w->trust.last &&
		    vol_fingerprint_equal(&w->trust.last_key, &controller) &&
		    vol_trust_confirm(&w->trust, w->trust.last, NULL) == 0)
			w->insists = true;
	}
}

/* Each deadline leads to something, and to a later one. */
static void let_time_pass(struct world *w)
{
	uint64_t deadline = vol_uplink_fsm_deadline(&w->f);
	enum vol_uplink_state state = w->f.state;

	if (deadline == UINT64_MAX)
		return;
	if (deadline > w->now)
		w->now = deadline;
	follow(w, vol_uplink_fsm_time(&w->f, w->now));
	fuzz_assert(w->f.state != state ||
		    vol_uplink_fsm_deadline(&w->f) > w->now);
}

static void happen(struct world *w, struct input *in)
{
	switch (take(in) % 12) {
	case 0:
	case 1:
	case 2:
		at_controller(w, in);
		break;
	case 3:
	case 4:
	case 5:
		at_device(w, in);
		break;
	case 6:
		to_device(w, in);
		break;
	case 7:
		let_time_pass(w);
		break;
	case 8:
		set_clocks(w, in);
		break;
	case 9:
		make_token(w, in);
		break;
	case 10:
		revoke_token(w, in);
		break;
	default:
		decide(w, in);
	}
}

static void begin(struct world *w, unsigned modes)
{
	static const char registry[] = "{\"version\": 2, \"devices\": []}";
	static const char tickets[] =
		"{\"version\": 1, \"clock\": 0, \"tickets\": []}";

	for (unsigned i = 0; i < KEYS; i++)
		memset(&keys[i], (int)(0x11 * (i + 1)), sizeof(keys[i]));
	memset(&controller, 0xcc, sizeof(controller));
	memset(&forger, 0xff, sizeof(forger));
	w->mode = VOL_APPROVE_ASK + modes % 3;
	w->trusts = modes & 4 ? VOL_TRUST_FIRST : VOL_TRUST_CODE;
	w->insists = modes & 8;
	w->registry =
		vol_registry_parse("r", registry, sizeof(registry) - 1, NULL);
	w->tickets = vol_tickets_parse("t", tickets, sizeof(tickets) - 1, NULL);
	fuzz_assert(w->registry && w->tickets);
	w->clock = (struct vol_tickets_clock){1000000, 1000};
	w->late = 1000000;
	vol_tickets_prune(w->tickets, &w->clock);
	w->now = 1000000;
	vol_uplink_fsm_init(&w->f, w->now, modes, NULL);
	for (unsigned i = 0; i < LINKS; i++) {
		w->line[i].key = i % KEYS;
		vol_shortcode_init(&w->line[i].code, &controller,
				   &keys[i % KEYS]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	begin(w, take(&in));
	for (int i = 0; i < OPS_MAX && in.left; i++)
		happen(w, &in);
	vol_registry_destroy(w->registry);
	vol_tickets_destroy(w->tickets);
	free(w);
	return 0;
}
