/* SPDX-License-Identifier: GPL-2.0-or-later */
/* users.h - the names of users, without blocking the loop
 *
 * The user database may be a server that does not answer.  So a forked child
 * asks, as in resolve.h, and what it says is kept: a name for an hour, that
 * there is none for a minute.  After that it stands until there is a new
 * answer.
 */
#ifndef VOL_USERS_H
#define VOL_USERS_H

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "error.h"

#define VOL_USER_NAME_SIZE 64
/* Who has not answered by then is asked again. */
#define VOL_USERS_MS       10000
#define VOL_USERS_NONE_MS  60000
#define VOL_USERS_KNOWN_MS 3600000

struct vol_users;

/* In the child: 1 with the name, 0 for nobody, -1 with errno. */
typedef int (*vol_users_f)(uid_t uid, char name[VOL_USER_NAME_SIZE]);

/* ask: NULL = the system's user database.  news is called from the loop when an
 * answer has come. */
struct vol_users *vol_users_create(sd_event *loop, vol_users_f ask,
				   void (*news)(void *arg), void *arg,
				   struct vol_error *err);
void vol_users_destroy(struct vol_users *u);

enum vol_user_state {
	VOL_USER_ASKED, /* not known yet; call again, at the latest after
			 * VOL_USERS_MS: it may have to be asked again */
	VOL_USER_KNOWN,
	VOL_USER_NONE,
};

/* *name is set when KNOWN, and valid until the loop turns. */
enum vol_user_state vol_users_name(struct vol_users *u, uid_t uid,
				   uint64_t now_ms, const char **name);
/* The same, and waits for an answer that is asked for, VOL_USERS_WAIT_MS at
 * most: far less than a lease, in which the loop must come to its senses. */
#define VOL_USERS_WAIT_MS 500
enum vol_user_state vol_users_wait(struct vol_users *u, uid_t uid,
				   uint64_t now_ms, const char **name);

#endif
