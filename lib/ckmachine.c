/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckmachine.c - what a machine is to saved jobs, as JSON */
#include "config.h"

#include "ckmachine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "fields.h"
#include "text.h"

#define CRIU_MAX 999999 /* 99.99.99 */
/* Longer than any of the kernel's. */
#define NAME_MAX_LEN 32
/* More than a kernel tells of. */
#define NAMES_MAX 1024

json_t *vol_ckmachine_encode_cpu(const void *member)
{
	const struct vol_ckcpu *cpu = member;
	json_t *list = json_array();

	for (unsigned int i = 0; list && vol_ckcpu_name(i); i++)
		if (vol_ckcpu_has(cpu, i) &&
		    json_array_append_new(list,
					  json_string(vol_ckcpu_name(i))) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static bool is_name(const json_t *json)
{
	const char *text = json_string_value(json);
	size_t len = json_string_length(json);

	if (!text || !len || len > NAME_MAX_LEN || strlen(text) != len)
		return false;
	for (; *text; text++)
		if (!vol_char_printable((unsigned char)*text) || *text == ' ')
			return false;
	return true;
}

static int cpu_decode(const json_t *json, void *member, struct vol_error *err)
{
	struct vol_ckcpu cpu = {.bit = {0}};

	if (!json_is_array(json) || json_array_size(json) > NAMES_MAX)
		return vol_field_mismatch("a list of CPU features", json, err);
	for (size_t i = 0; i < json_array_size(json); i++) {
		const json_t *name = json_array_get(json, i);

		if (!is_name(name))
			return vol_field_mismatch("a CPU feature", name, err);
		(void)vol_ckcpu_add(&cpu, json_string_value(name));
	}
	memcpy(member, &cpu, sizeof(cpu));
	return 0;
}

static bool not_empty(const char *text)
{
	return *text;
}

#define AT(_name) .name = #_name, VOL_FIELD_AT(struct vol_ckmachine, _name)
static const struct vol_field fields[] = {
	{AT(arch), .kind = VOL_FIELD_TEXT, .charset = "_", .instead = '_',
	 .valid = not_empty},
	{AT(cpu), .kind = VOL_FIELD_OTHER, .encode = vol_ckmachine_encode_cpu,
	 .decode = cpu_decode},
	{AT(criu), .kind = VOL_FIELD_UINT, .max = CRIU_MAX},
	{AT(kernel), .kind = VOL_FIELD_TEXT},
	{AT(runtime), .kind = VOL_FIELD_TEXT, .charset = ""},
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

json_t *vol_ckmachine_to_json(const struct vol_ckmachine *m)
{
	return vol_fields_encode(fields, N_FIELDS, m);
}

int vol_ckmachine_from_json(const json_t *json, struct vol_ckmachine *m,
			    struct vol_error *err)
{
	struct vol_ckmachine fresh = {.criu = 0};

	if (vol_fields_decode(json, fields, N_FIELDS, &fresh, err) < 0)
		return -1;
	*m = fresh;
	return 0;
}

static int write_text(const struct vol_ckmachine *m,
		      char text[VOL_CKMACHINE_TEXT], struct vol_error *err)
{
	json_t *json = vol_ckmachine_to_json(m);
	size_t len;

	memset(text, 0, VOL_CKMACHINE_TEXT);
	if (!json)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	len = json_dumpb(json, text, VOL_CKMACHINE_TEXT - 1,
			 JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(json);
	if (len > 0 && len < VOL_CKMACHINE_TEXT)
		return 0;
	return vol_errorf_errno(err, EINVAL, "a machine that can not be");
}

int vol_ckmachine_format(const struct vol_ckmachine *m,
			 char text[VOL_CKMACHINE_TEXT], struct vol_error *err)
{
	struct vol_ckmachine check;

	memset(text, 0, VOL_CKMACHINE_TEXT);
	if (!vol_ckmachine_known(m))
		return 0;
	if (write_text(m, text, err) == 0 &&
	    vol_ckmachine_parse(text, strlen(text), &check, err) == 0)
		return 0;
	memset(text, 0, VOL_CKMACHINE_TEXT);
	return -1;
}

int vol_ckmachine_parse(const char *text, size_t len, struct vol_ckmachine *m,
			struct vol_error *err)
{
	struct vol_ckmachine fresh = {.criu = 0};
	char again[VOL_CKMACHINE_TEXT];
	json_t *json;
	int rc;

	if (len == 0) {
		*m = fresh;
		return 0;
	}
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	rc = vol_ckmachine_from_json(json, &fresh, err);
	json_decref(json);
	if (rc < 0 || write_text(&fresh, again, err) < 0)
		return -1;
	if (strlen(again) != len || memcmp(again, text, len) != 0)
		return vol_errorf_errno(err, EINVAL,
					"not in the form in which a machine is "
					"written");
	*m = fresh;
	return 0;
}

const char *vol_ckmachine_cpu(const struct vol_ckmachine *m,
			      char buf[VOL_CKMACHINE_CPU])
{
	unsigned int level = vol_ckcpu_level(m->arch, &m->cpu);

	if (level)
		snprintf(buf, VOL_CKMACHINE_CPU, "x86-64-v%u", level);
	else
		snprintf(buf, VOL_CKMACHINE_CPU, "%s", m->arch);
	return buf;
}
