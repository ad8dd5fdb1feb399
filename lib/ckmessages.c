/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckmessages.c - tables of the messages of CRIU's images */
#include "config.h"

#include "ckmessages.h"

#define ROW(message, field, number, type, count) \
	{#field, number, VOL_CKTYPE_##type, VOL_CKCOUNT_##count},
#define TABLE(name, LIST)                                               \
	_Static_assert(VOL_CK##LIST##_FIELDS <= VOL_CKROWS_MAX, #name); \
	const struct vol_ckrow vol_ck##name##_rows[] = {                \
		VOL_CK##LIST(ROW){NULL, 0, 0, 0}}

TABLE(inventory, INVENTORY);
TABLE(ids, IDS);
TABLE(pstree, PSTREE);
TABLE(core, CORE);
TABLE(task, TASK);
TABLE(thread, THREAD);
TABLE(creds, CREDS);
TABLE(rlimits, RLIMITS);
TABLE(rlimit, RLIMIT);
TABLE(seccomp, SECCOMP);
TABLE(filter, FILTER);
TABLE(userns, USERNS);
TABLE(extent, EXTENT);
TABLE(mount, MOUNT);
TABLE(file, FILE);
TABLE(fdinfo, FDINFO);
TABLE(reg, REG);
TABLE(inet, INET);
TABLE(unix, UNIX);
TABLE(perms, PERMS);
TABLE(netlink, NETLINK);
TABLE(skopts, SKOPTS);
TABLE(ttyfile, TTYFILE);
TABLE(ttyinfo, TTYINFO);
TABLE(fown, FOWN);
TABLE(fs, FS);
TABLE(ghost, GHOST);
TABLE(remap, REMAP);
TABLE(memfd, MEMFD);
TABLE(mm, MM);
TABLE(vma, VMA);
TABLE(netdev, NETDEV);
TABLE(netns, NETNS);
TABLE(pagemap, PAGEMAP);
TABLE(pidns, PIDNS);
TABLE(ipcdesc, IPCDESC);
TABLE(ipcshm, IPCSHM);
TABLE(ipcsem, IPCSEM);
TABLE(ipcqueue, IPCQUEUE);
TABLE(ipcmsg, IPCMSG);
TABLE(pipedata, PIPEDATA);
TABLE(packet, PACKET);
TABLE(lock, LOCK);
