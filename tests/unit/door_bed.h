/* SPDX-License-Identifier: GPL-2.0-or-later */
/* door_bed.h - what is said at the door: by devices, and by an administrator
 */
#ifndef VOL_DOOR_BED_H
#define VOL_DOOR_BED_H

#include "controller.h"

#include "controller_bed.h"
#include "digest.h"
#include "hex.h"

static inline json_t *ask(struct bed *bed, json_t *request,
			  struct vol_error *err)
{
	const struct vol_ctl_command *command = vol_controller_commands;
	const char *type = json_string_value(json_object_get(request, "type"));
	json_t *data;

	while (strcmp(command->type, type) != 0)
		command++;
	data = command->run(request, 1000, bed->role, err);
	json_decref(request);
	return data;
}

static inline json_t *do_it(struct bed *bed, json_t *request)
{
	struct vol_error err = {""};
	json_t *data = ask(bed, request, &err);

	if (!data)
		fail_msg("%s\n%s", err.text, bed->log);
	return data;
}

static inline void refuse(struct bed *bed, json_t *request, const char *part)
{
	struct vol_error err = {""};

	assert_null(ask(bed, request, &err));
	assert_contains(err.text, part);
	assert_printable(err.text);
}

static inline json_t *named(const char *type, const char *name)
{
	return json_pack("{s:s, s:s}", "type", type, "name", name);
}

static inline void set_mode(struct bed *bed, const char *mode)
{
	char line[64];
	struct vol_controller *c = bed->role;

	snprintf(line, sizeof(line), "approve = %s", mode);
	write_conf(bed, line);
	assert_int_equal(vol_role_controller.reload(bed->role, NULL), 0);
	run_until(bed, c->slurm_known);
}

static inline void expect_refuse(struct bed *bed, struct client *c,
				 const char *code, const char *part)
{
	struct vol_link_msg m;

	expect(bed, c, VOL_LINK_REFUSE, &m);
	assert_string_equal(m.code, code);
	assert_contains(m.reason, part);
	run_until(bed, try_recv(c, &m) || c->closed);
	assert_true(c->closed);
	hang_up(c);
}

static inline struct vol_jointoken make_token(struct bed *bed, int uses,
					      int ttl_s)
{
	struct vol_controller *c = bed->role;
	struct vol_jointoken token;
	json_t *data = do_it(bed, json_pack("{s:s, s:i, s:i}", "type", "token",
					    "uses", uses, "ttl_s", ttl_s));

	assert_int_equal(vol_jointoken_parse(json_string_value(json_object_get(
						     data, "token")),
					     &token, NULL),
			 0);
	assert_true(vol_jointoken_is_of(&token, vol_controller_key(c)));
	json_decref(data);
	return token;
}

static inline void hello_with(struct bed *bed, struct client *c,
			      const char *name, const char *host,
			      const struct vol_jointoken *token)
{
	struct vol_link_msg m;

	fill_hello(bed, &m, name, host);
	vol_hex_encode(token->id, sizeof(token->id), m.token);
	vol_hex_encode(token->secret, sizeof(token->secret),
		       m.token + 2 * sizeof(token->id));
	dial(bed, c);
	send_msg(c, &m);
}

static inline void fill_knock(struct bed *bed, struct vol_link_msg *m,
			      const char *name, const char *host,
			      struct vol_shortcode *code)
{
	struct vol_controller *role = bed->role;
	struct device_key *key = device_key(bed, name);
	uint8_t nonce[VOL_SHORTCODE_NONCE];

	memset(m, 0, sizeof(*m));
	m->type = VOL_LINK_KNOCK;
	m->proto = VOL_LINK_PROTO;
	strcpy(m->id, key->id);
	strcpy(m->version, "0.1.0");
	snprintf(m->hostname, sizeof(m->hostname), "%s", host);
	vol_random(nonce, sizeof(nonce));
	vol_shortcode_init(code, vol_controller_key(role),
			   vol_keypair_fingerprint(key->pair));
	vol_shortcode_begin(code, nonce, vol_sha256, NULL);
	vol_hex_encode(code->commit, sizeof(code->commit), m->commit);
}

static inline void reveal(struct client *c, struct vol_shortcode *code,
			  const struct vol_link_msg *answer)
{
	struct vol_link_msg m = {.type = VOL_LINK_REVEAL};
	uint8_t nonce[VOL_SHORTCODE_NONCE];

	assert_true(vol_hex_decode(answer->nonce, nonce, sizeof(nonce)));
	assert_int_equal(vol_shortcode_answer(code, nonce, vol_sha256, NULL),
			 0);
	vol_hex_encode(code->nonce_d, sizeof(code->nonce_d), m.nonce);
	send_msg(c, &m);
}

/* Up to the point where it waits. */
static inline void knock(struct bed *bed, struct client *c, const char *name,
			 const char *host, struct vol_shortcode *code)
{
	struct vol_link_msg m;

	fill_knock(bed, &m, name, host, code);
	dial(bed, c);
	send_msg(c, &m);
	expect(bed, c, VOL_LINK_NONCE, &m);
	reveal(c, code, &m);
	expect(bed, c, VOL_LINK_PENDING, &m);
	assert_string_equal(m.cluster, "fake");
}

static inline json_t *pending(struct bed *bed, size_t want)
{
	json_t *data = do_it(bed, json_pack("{s:s}", "type", "pending"));
	json_t *list = json_incref(json_object_get(data, "pending"));

	assert_int_equal(json_array_size(list), want);
	json_decref(data);
	return list;
}

static inline const char *cell(const json_t *list, size_t i, const char *name)
{
	return json_string_value(
		json_object_get(json_array_get(list, i), name));
}

static inline void say_hello(struct bed *bed, struct client *c,
			     const char *name, const char *host,
			     const char *node)
{
	struct vol_link_msg m;

	fill_hello(bed, &m, name, host);
	send_msg(c, &m);
	expect(bed, c, VOL_LINK_WELCOME, &m);
	assert_string_equal(m.node, node);
}

#endif
