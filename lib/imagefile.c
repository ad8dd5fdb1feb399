/* SPDX-License-Identifier: GPL-2.0-or-later */
/* imagefile.c - the file that keeps one image of a job, as bytes */
#include "config.h"

#include "imagefile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "text.h"

static const char magic[8] = {'V', 'O', 'L', 'I', 'M', 'G', '2', '\n'};

enum {
	AT_JOB = 8,
	AT_NUMBER = 12,
	AT_RESTARTS = 16,
	AT_UID = 20,
	AT_MADE = 24,
	AT_SALT = 32,
	AT_DEVICE = 64,
	AT_NODE = 96,
	AT_ZERO = 160,
	AT_MACHINE = 192,
};

#define SEALED (VOL_IMAGE_CHUNK + VOL_IMAGE_TAG)
#define ENDS   (VOL_IMAGE_HEAD + VOL_IMAGE_TAIL + VOL_IMAGE_TAG)

void vol_image_head_put(const struct vol_image_head *head,
			uint8_t bytes[VOL_IMAGE_HEAD])
{
	memset(bytes, 0, VOL_IMAGE_HEAD);
	memcpy(bytes, magic, sizeof(magic));
	vol_put32(bytes + AT_JOB, head->job);
	vol_put32(bytes + AT_NUMBER, head->number);
	vol_put32(bytes + AT_RESTARTS, head->restarts);
	vol_put32(bytes + AT_UID, head->uid);
	vol_put64(bytes + AT_MADE, (uint64_t)head->made);
	memcpy(bytes + AT_SALT, head->salt, VOL_IMAGE_SALT);
	memcpy(bytes + AT_DEVICE, head->device, VOL_DEVICE_ID_SIZE - 1);
	memcpy(bytes + AT_NODE, head->node, strlen(head->node));
	/* Without memory, it is not known. */
	(void)vol_ckmachine_format(&head->machine, (char *)bytes + AT_MACHINE,
				   NULL);
}

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n > 0)
		if (p[--n])
			return false;
	return true;
}

static bool texts_get(const uint8_t *bytes, struct vol_image_head *head)
{
	size_t len;

	memcpy(head->device, bytes + AT_DEVICE, VOL_DEVICE_ID_SIZE - 1);
	memcpy(head->node, bytes + AT_NODE, VOL_NODE_NAME_SIZE);
	head->node[VOL_NODE_NAME_SIZE - 1] = '\0';
	len = strlen(head->node);
	return vol_device_id_valid(head->device) &&
	       vol_node_name_valid(head->node) &&
	       all_zero(bytes + AT_NODE + len, VOL_NODE_NAME_SIZE - len);
}

static bool machine_get(const uint8_t *bytes, struct vol_ckmachine *machine)
{
	const char *text = (const char *)bytes + AT_MACHINE;
	size_t len = strnlen(text, VOL_CKMACHINE_TEXT);

	return len < VOL_CKMACHINE_TEXT &&
	       all_zero(bytes + AT_MACHINE + len, VOL_CKMACHINE_TEXT - len) &&
	       vol_ckmachine_parse(text, len, machine, NULL) == 0;
}

int vol_image_head_get(const uint8_t bytes[VOL_IMAGE_HEAD],
		       struct vol_image_head *head, struct vol_error *err)
{
	struct vol_image_head h = {.job = vol_get32(bytes + AT_JOB)};
	uint64_t made = vol_get64(bytes + AT_MADE);

	if (memcmp(bytes, magic, sizeof(magic)) != 0)
		return vol_errorf_errno(err, EBADMSG,
					"not an image of this version");
	h.number = vol_get32(bytes + AT_NUMBER);
	h.restarts = vol_get32(bytes + AT_RESTARTS);
	h.uid = vol_get32(bytes + AT_UID);
	h.made = (time_t)made;
	memcpy(h.salt, bytes + AT_SALT, VOL_IMAGE_SALT);
	if (!h.job || !h.number || made > INT64_MAX || !texts_get(bytes, &h) ||
	    !all_zero(bytes + AT_ZERO, AT_MACHINE - AT_ZERO) ||
	    !machine_get(bytes, &h.machine))
		return vol_errorf_errno(err, EBADMSG, "its head is damaged");
	*head = h;
	return 0;
}

int vol_image_shape(uint64_t file_size, struct vol_image_shape *shape,
		    struct vol_error *err)
{
	uint64_t body, rest;

	/* One byte is the shortest stream. */
	if (file_size <= ENDS + VOL_IMAGE_TAG)
		return vol_errorf_errno(err, EBADMSG, "it is cut");
	body = file_size - ENDS;
	rest = body % SEALED;
	if (rest && rest <= VOL_IMAGE_TAG)
		return vol_errorf_errno(err, EBADMSG, "it is cut");
	if (body / SEALED > VOL_IMAGE_MAX / VOL_IMAGE_CHUNK ||
	    (body / SEALED == VOL_IMAGE_MAX / VOL_IMAGE_CHUNK && rest))
		return vol_errorf_errno(err, EBADMSG, "it is too large");
	shape->chunks = body / SEALED + (rest > 0);
	shape->last = (uint32_t)(rest ? rest : SEALED) - VOL_IMAGE_TAG;
	shape->bytes = (shape->chunks - 1) * VOL_IMAGE_CHUNK + shape->last;
	return 0;
}

uint64_t vol_image_file_size(uint64_t bytes)
{
	uint64_t chunks = (bytes + VOL_IMAGE_CHUNK - 1) / VOL_IMAGE_CHUNK;

	return ENDS + bytes + chunks * VOL_IMAGE_TAG;
}

uint64_t vol_image_offset(uint64_t index)
{
	return VOL_IMAGE_HEAD + index * SEALED;
}

void vol_image_nonce(uint64_t index, bool tail, uint8_t nonce[VOL_IMAGE_NONCE])
{
	for (int i = 0; i < 8; i++)
		nonce[i] = (uint8_t)(index >> (56 - 8 * i));
	nonce[8] = nonce[9] = nonce[10] = 0;
	nonce[11] = tail;
}

void vol_image_tail_put(const struct vol_image_tail *tail,
			uint8_t bytes[VOL_IMAGE_TAIL])
{
	vol_put64(bytes, tail->bytes);
	memcpy(bytes + 8, tail->sha256, VOL_SHA256_BYTES);
}

void vol_image_tail_get(const uint8_t bytes[VOL_IMAGE_TAIL],
			struct vol_image_tail *tail)
{
	tail->bytes = vol_get64(bytes);
	memcpy(tail->sha256, bytes + 8, VOL_SHA256_BYTES);
}

/* ---- names ---- */

static const char *const endings[] = {
	[VOL_IMAGE_WHOLE] = ".image",
	[VOL_IMAGE_PART] = ".part",
};

const char *vol_image_name(uint32_t number, enum vol_image_name kind,
			   char name[VOL_IMAGE_NAME_SIZE])
{
	snprintf(name, VOL_IMAGE_NAME_SIZE, "%u%s", (unsigned)number,
		 endings[kind]);
	return name;
}

enum vol_image_name vol_image_name_parse(const char *name, uint32_t *number)
{
	const char *dot = strchr(name, '.');
	uint64_t n;

	if (!dot ||
	    vol_text_number(name, (size_t)(dot - name), 1, UINT32_MAX, &n) < 0)
		return VOL_IMAGE_OTHER;
	for (int kind = VOL_IMAGE_WHOLE; kind <= VOL_IMAGE_PART; kind++) {
		if (strcmp(dot, endings[kind]) == 0) {
			*number = (uint32_t)n;
			return (enum vol_image_name)kind;
		}
	}
	return VOL_IMAGE_OTHER;
}

uint32_t vol_image_job_parse(const char *name)
{
	uint64_t n;

	if (vol_text_number(name, strlen(name), 1, UINT32_MAX, &n) < 0)
		return 0;
	return (uint32_t)n;
}
