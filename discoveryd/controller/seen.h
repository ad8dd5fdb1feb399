/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seen.h - devices that mDNS tells of; for people's eyes, nothing else */
#ifndef VOL_SEEN_H
#define VOL_SEEN_H

#include <jansson.h>

#include "mdns.h"

/* A LAN's worth; a flood of forged services must not fill our memory. */
#define VOL_SEEN_MAX 4096

struct vol_seen;

struct vol_seen *vol_seen_create(void);
void vol_seen_destroy(struct vol_seen *s);
void vol_seen_note(struct vol_seen *s, const struct vol_service *service,
		   bool present);

/* Borrowed strings of entry i; -1 past the end. */
struct vol_seen_entry {
	char instance[64];
	char host[128];
	char address[64];
	uint16_t port;
	char id[VOL_DEVICE_ID_SIZE];
	char name[VOL_TXT_NAME_SIZE];
};
const struct vol_seen_entry *vol_seen_at(const struct vol_seen *s, size_t i);

#endif
