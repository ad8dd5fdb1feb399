/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net.h - a network for a step: who is who
 *
 *	slurmstepd's child, about to be a supervisor
 *	 └ slurm-volunteer-net	makes the step's network namespace and its
 *	    │			filter, watches the host's routes
 *	    └ pasta(1)		in the host's network namespace; carries what
 *				the step's tap device says over sockets of its
 *				own
 *
 * Both are root of a user namespace of their own, in which nothing else lives
 * and to which the step's network namespace belongs: whatever the job became in
 * its own user namespace, it could not touch filter, routes and devices.  On
 * the host they are a number that is nobody's (the first of the step's range;
 * the job itself is a later one), so what they send is subject to the host's
 * own rules as any user's is.  They are in the task's cgroup: frozen, they
 * carry nothing.
 *
 * The namespace is there, with its filter and pasta, before any process of the
 * step is; the first of those is born into it.  From then on it ends with
 * pid 1.  Should pasta or the watcher end earlier, or the filter not follow the
 * host's routes any more, the job goes on without a network.  Names end while
 * the host's first name server is another one than when the step began.
 *
 * Nothing of the host is changed: no interface, no rule, no setting.
 */
#ifndef VOL_NET_H
#define VOL_NET_H

#include <stdbool.h>

#include "error.h"

/* usage: slurm-volunteer-net internet|lan RATE RESOLVER [PREFIX...]
 *
 * It starts as root of its user namespace, in a mount namespace of its own and
 * in the host's network namespace, with these descriptors.  RESOLVER is the
 * host's, or "".  The PREFIXes are denied besides.
 */
#define VOL_NET_CHANNEL_FD 3 /* to attach.c: report.c's socket */
#define VOL_NET_TUN_FD     4 /* a detached mount of /dev/net/tun */

/* resolv.conf(5); the C library reads three name servers of it. */
#define VOL_NET_RESOLV_CONF     "/etc/resolv.conf"
#define VOL_NET_RESOLV_CONF_MAX (64 * 1024)

/* --- routes.c ------------------------------------------------------------- */

struct vol_net_routes;

/* A socket that becomes readable when routes of the network namespace change
 * (watch), or that can be asked for them. */
int vol_routes_open(bool watch, struct vol_error *err);

/* All of them; the socket may be of another namespace than this process. */
int vol_routes_read(int fd, struct vol_net_routes *routes,
		    struct vol_error *err);

/* Has there been a change?  Forgets it.  -1: nobody can tell any more. */
int vol_routes_changed(int fd);

/* --- rules.c: libnftables, and nothing else ------------------------------- */

/* Put the text of nft(8) into force, all or nothing, in the network namespace
 * that this process is in. */
int vol_rules_apply(const char *text, struct vol_error *err);

/* --- pasta.c -------------------------------------------------------------- */

struct vol_pasta {
	int pid_fd;  /* pidfd */
	int go;      /* a byte: the namespace is where it looks for it */
	int ready;   /* it says so here */
	int trouble; /* its standard error */
};

/* Cover what pasta has no business with, and show it what it needs: tun, a
 * detached mount; resolver, "" for none. */
int vol_pasta_prepare(int tun, const char *resolver, struct vol_error *err);

/* A process in the network namespace that this process is in now; it becomes
 * pasta when told to. */
int vol_pasta_fork(struct vol_pasta *pasta, const char *resolver,
		   struct vol_error *err);

/* Connect the namespace netns; 0 when it is. */
int vol_pasta_connect(struct vol_pasta *pasta, int netns,
		      struct vol_error *err);

#endif
