/* SPDX-License-Identifier: GPL-2.0-or-later */
/* imagewire.c - an image on a connection */
#include "config.h"

#include "imagewire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "wire.h"

#define BROKEN UINT32_MAX

static int put_head(const struct vol_imagewire *w, uint32_t head,
		    struct vol_error *err)
{
	head = htonl(head);
	return w->write(w->arg, &head, sizeof(head), err);
}

static int get_head(const struct vol_imagewire *w, uint32_t *head,
		    struct vol_error *err)
{
	if (w->read(w->arg, head, sizeof(*head), err) < 0)
		return -1;
	*head = ntohl(*head);
	return 0;
}

static int send_last(const struct vol_imagewire *w, const void *data,
		     size_t len, struct vol_error *err)
{
	return w->write(w->arg, data, len, err) < 0 ? -1
						    : w->flush(w->arg, err);
}

int vol_imagewire_say(const struct vol_imagewire *w,
		      const struct vol_link_msg *msg, struct vol_error *err)
{
	json_t *json = vol_link_encode(msg);
	cleanup_free char *frame = NULL;
	size_t len;

	if (!json)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	frame = vol_wire_encode(json, &len, err);
	json_decref(json);
	return frame ? send_last(w, frame, len, err) : -1;
}

/* The frame that begins with head, after it. */
static json_t *hear_frame(const struct vol_imagewire *w, uint32_t head,
			  struct vol_error *err)
{
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	uint32_t raw = htonl(head);
	cleanup_free char *frame = NULL;
	json_t *json = NULL;

	if (head < 1 || head > VOL_WIRE_MAX) {
		vol_errorf_errno(err, EPROTO, "a frame of %u bytes announced",
				 (unsigned)head);
		return NULL;
	}
	frame = malloc(sizeof(raw) + head);
	if (!frame) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	memcpy(frame, &raw, sizeof(raw));
	if (w->read(w->arg, frame + sizeof(raw), head, err) < 0)
		return NULL;
	if (vol_wire_feed(&r, frame, sizeof(raw) + head, err) < 0 ||
	    vol_wire_next(&r, &json, err) != 1)
		json = NULL;
	vol_wire_reset(&r);
	return json;
}

int vol_imagewire_hear(const struct vol_imagewire *w, struct vol_link_msg *msg,
		       struct vol_error *err)
{
	uint32_t head;
	json_t *json;
	int rc;

	if (get_head(w, &head, err) < 0)
		return -1;
	json = hear_frame(w, head, err);
	if (!json)
		return -1;
	rc = vol_link_decode(json, msg, err);
	json_decref(json);
	return rc;
}

int vol_imagewire_data(const struct vol_imagewire *w, const void *data,
		       size_t len, struct vol_error *err)
{
	return put_head(w, (uint32_t)len, err) < 0
		       ? -1
		       : send_last(w, data, len, err);
}

int vol_imagewire_end(const struct vol_imagewire *w,
		      const struct vol_image_tail *tail, struct vol_error *err)
{
	uint8_t bytes[4 + VOL_IMAGE_TAIL] = {0};

	for (int i = 0; i < 8; i++)
		bytes[4 + i] = (uint8_t)(tail->bytes >> (56 - 8 * i));
	memcpy(bytes + 12, tail->sha256, VOL_SHA256_BYTES);
	return send_last(w, bytes, sizeof(bytes), err);
}

int vol_imagewire_broken(const struct vol_imagewire *w,
			 const struct vol_link_msg *why, struct vol_error *err)
{
	return put_head(w, BROKEN, err) < 0 ? -1
					    : vol_imagewire_say(w, why, err);
}

static int get_tail(const struct vol_imagewire *w, struct vol_image_tail *tail,
		    struct vol_error *err)
{
	uint8_t bytes[VOL_IMAGE_TAIL];

	if (w->read(w->arg, bytes, sizeof(bytes), err) < 0)
		return -1;
	tail->bytes = 0;
	for (int i = 0; i < 8; i++)
		tail->bytes = tail->bytes << 8 | bytes[i];
	memcpy(tail->sha256, bytes + 8, VOL_SHA256_BYTES);
	return 0;
}

static int get_why(const struct vol_imagewire *w, struct vol_link_msg *why,
		   struct vol_error *err)
{
	if (vol_imagewire_hear(w, why, err) < 0)
		return -1;
	if (why->type != VOL_LINK_REFUSE)
		return vol_errorf_errno(err, EPROTO,
					"unexpected message \"%s\"",
					vol_link_type_name(why->type));
	return 0;
}

enum vol_imagewire_piece vol_imagewire_recv(const struct vol_imagewire *w,
					    uint8_t buf[VOL_IMAGE_CHUNK],
					    size_t *len,
					    struct vol_image_tail *tail,
					    struct vol_link_msg *why,
					    struct vol_error *err)
{
	uint32_t head;

	if (get_head(w, &head, err) < 0)
		return VOL_IMAGEWIRE_FAILED;
	if (head == BROKEN)
		return get_why(w, why, err) < 0 ? VOL_IMAGEWIRE_FAILED
						: VOL_IMAGEWIRE_BROKEN;
	if (head == 0)
		return get_tail(w, tail, err) < 0 ? VOL_IMAGEWIRE_FAILED
						  : VOL_IMAGEWIRE_END;
	if (head > VOL_IMAGE_CHUNK) {
		vol_errorf_errno(err, EPROTO, "a piece of %u bytes announced",
				 (unsigned)head);
		return VOL_IMAGEWIRE_FAILED;
	}
	if (w->read(w->arg, buf, head, err) < 0)
		return VOL_IMAGEWIRE_FAILED;
	*len = head;
	return VOL_IMAGEWIRE_DATA;
}
