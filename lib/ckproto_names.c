/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckproto_names.c - the kinds of image files, by their names
 *
 * Magic numbers are those of CRIU's criu/include/magic.h, names those of
 * criu/image-desc.c.
 */
#include "config.h"

#include "ckproto.h"

#include <errno.h>
#include <string.h>

#include "text.h"

enum id {
	NO_ID,
	DECIMAL,
	HEX,
};

struct kind {
	const char *name, *end;
	uint32_t magic; /* 0: raw */
	enum id id;
	bool pre; /* in a folder of earlier memory, too */
};

#define IMG ".img"
#define TAR ".tar.gz.img"

static const struct kind kinds[VOL_CKKINDS] = {
	[VOL_CKKIND_CORE] = {"core", IMG, 0x55053847, DECIMAL, false},
	[VOL_CKKIND_CPUINFO] = {"cpuinfo", IMG, 0x61404013, NO_ID, false},
	[VOL_CKKIND_FDINFO] = {"fdinfo", IMG, 0x56213732, DECIMAL, false},
	[VOL_CKKIND_FIFO_DATA] = {"fifo-data", IMG, 0x59333054, NO_ID, false},
	[VOL_CKKIND_FILELOCKS] = {"filelocks", IMG, 0x54323616, NO_ID, false},
	[VOL_CKKIND_FILES] = {"files", IMG, 0x56303138, NO_ID, false},
	[VOL_CKKIND_FS] = {"fs", IMG, 0x51403912, DECIMAL, false},
	[VOL_CKKIND_GHOST] = {"ghost-file", IMG, 0x52583605, HEX, false},
	[VOL_CKKIND_IDS] = {"ids", IMG, 0x54432030, DECIMAL, false},
	[VOL_CKKIND_INVENTORY] = {"inventory", IMG, 0x58313116, NO_ID, true},
	[VOL_CKKIND_IPC_MSG] = {"ipcns-msg", IMG, 0x55453737, DECIMAL, false},
	[VOL_CKKIND_IPC_SEM] = {"ipcns-sem", IMG, 0x59573019, DECIMAL, false},
	[VOL_CKKIND_IPC_SHM] = {"ipcns-shm", IMG, 0x46283044, DECIMAL, false},
	[VOL_CKKIND_IPC_VAR] = {"ipcns-var", IMG, 0x53115007, DECIMAL, false},
	[VOL_CKKIND_MEMFD] = {"memfd", IMG, 0x48453499, NO_ID, false},
	[VOL_CKKIND_MM] = {"mm", IMG, 0x57492820, DECIMAL, false},
	[VOL_CKKIND_MOUNTS] = {"mountpoints", IMG, 0x55563928, DECIMAL, false},
	[VOL_CKKIND_NETDEV] = {"netdev", IMG, 0x57373951, DECIMAL, false},
	[VOL_CKKIND_NETNS] = {"netns", IMG, 0x55933752, DECIMAL, false},
	[VOL_CKKIND_PAGEMAP] = {"pagemap", IMG, 0x56084025, DECIMAL, true},
	[VOL_CKKIND_PAGEMAP_SHMEM] = {"pagemap-shmem", IMG, 0x56084025, DECIMAL,
				      true},
	[VOL_CKKIND_PAGES] = {"pages", IMG, 0, DECIMAL, true},
	[VOL_CKKIND_PIDNS] = {"pidns", IMG, 0x61157326, DECIMAL, false},
	[VOL_CKKIND_PIPES_DATA] = {"pipes-data", IMG, 0x56453709, NO_ID, false},
	[VOL_CKKIND_PSTREE] = {"pstree", IMG, 0x50273030, NO_ID, false},
	[VOL_CKKIND_REMAP] = {"remap-fpath", IMG, 0x59133954, NO_ID, false},
	[VOL_CKKIND_SECCOMP] = {"seccomp", IMG, 0x64413049, NO_ID, false},
	[VOL_CKKIND_SK_QUEUES] = {"sk-queues", IMG, 0x56264026, NO_ID, false},
	[VOL_CKKIND_STATS] = {"stats-dump", "", 0x57093306, NO_ID, true},
	[VOL_CKKIND_TCP_STREAM] = {"tcp-stream", IMG, 0x51465506, HEX, false},
	[VOL_CKKIND_TIMENS] = {"timens", IMG, 0x43114433, DECIMAL, false},
	[VOL_CKKIND_TMPFS] = {"tmpfs", TAR, 0, DECIMAL, false},
	[VOL_CKKIND_TMPFS_DEV] = {"tmpfs-dev", TAR, 0, DECIMAL, false},
	[VOL_CKKIND_TTY_DATA] = {"tty-data", IMG, 0x59413026, NO_ID, false},
	[VOL_CKKIND_TTY_INFO] = {"tty-info", IMG, 0x59453036, NO_ID, false},
	[VOL_CKKIND_USERNS] = {"userns", IMG, 0x55474906, DECIMAL, false},
	[VOL_CKKIND_UTSNS] = {"utsns", IMG, 0x54473203, DECIMAL, false},
	/* Of sandbox/checkpoint.h. */
	[VOL_CKKIND_VOLUNTEER] = {"volunteer-files", IMG, 0, NO_ID, false},
};

/* What the end of a name says, or false.  UINT32_MAX is enough for pids and
 * ids; those of shared memory and sockets are of 64 bits. */
static bool take_id(enum id id, const char *text, size_t len, uint64_t *value)
{
	*value = 0;
	if (id == NO_ID)
		return len == 0;
	if (len < 2 || len > 17 + (id == DECIMAL ? 4 : 0) || text[0] != '-')
		return false;
	text++;
	len--;
	if (id == DECIMAL)
		return vol_text_number(text, len, 0, UINT64_MAX, value) == 0;
	if (len > 1 && text[0] == '0')
		return false;
	for (size_t i = 0; i < len; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = strchr(digits, text[i]);

		if (!digit || !*digit)
			return false;
		*value = *value << 4 | (uint64_t)(digit - digits);
	}
	return true;
}

static bool is_kind(const struct kind *k, const char *name, size_t len,
		    uint64_t *id)
{
	size_t begin = strlen(k->name), end = strlen(k->end);

	return len >= begin + end && memcmp(name, k->name, begin) == 0 &&
	       memcmp(name + len - end, k->end, end) == 0 &&
	       take_id(k->id, name + begin, len - begin - end, id);
}

/* "pre-N/": its N and length; 0: none. */
static unsigned int take_folder(const char *name, size_t *len)
{
	*len = 0;
	if (strncmp(name, "pre-", 4) != 0 || name[4] < '1' ||
	    name[4] > '0' + VOL_CKPRE_MAX || name[5] != '/')
		return 0;
	*len = 6;
	return (unsigned int)(name[4] - '0');
}

int vol_ckname_parse(const char *name, struct vol_ckname *parsed,
		     struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];
	size_t folder, len = strlen(name);
	struct vol_ckname n = {.pre = take_folder(name, &folder)};

	for (int i = VOL_CKKIND_NONE + 1; i < VOL_CKKINDS; i++) {
		if (len >= VOL_CKNAME_SIZE ||
		    !is_kind(&kinds[i], name + folder, len - folder, &n.id) ||
		    (n.pre && !kinds[i].pre))
			continue;
		n.kind = (enum vol_ckkind)i;
		*parsed = n;
		return 0;
	}
	return vol_errorf_errno(err, EINVAL,
				"%s is no image file that a job may have",
				vol_text_excerpt(name, len, excerpt));
}

uint32_t vol_ckname_pages(const char *name)
{
	struct vol_ckname n;

	return vol_ckname_parse(name, &n, NULL) == 0 && !n.pre &&
			       n.kind == VOL_CKKIND_PAGES && n.id <= UINT32_MAX
		       ? (uint32_t)n.id
		       : 0;
}

bool vol_ckname_left_out(const char *name)
{
	static const struct kind left_out[] = {
		{"cgroup", IMG, 0, NO_ID, false},
		{"ifaddr", IMG, 0, DECIMAL, false},
		{"route", IMG, 0, DECIMAL, false},
		{"route6", IMG, 0, DECIMAL, false},
		{"rule", IMG, 0, DECIMAL, false},
		{"iptables", IMG, 0, DECIMAL, false},
		{"ip6tables", IMG, 0, DECIMAL, false},
		{"nftables", IMG, 0, DECIMAL, false},
		{"netns-ct", IMG, 0, DECIMAL, false},
		{"netns-exp", IMG, 0, DECIMAL, false},
	};
	size_t len = strlen(name);
	uint64_t id;

	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (is_kind(&left_out[i], name, len, &id))
			return true;
	return false;
}

uint32_t vol_ckkind_magic(enum vol_ckkind kind)
{
	return kinds[kind].magic;
}

bool vol_ckkind_read(enum vol_ckkind kind)
{
	return kinds[kind].magic != 0;
}

const char *vol_ckkind_name(enum vol_ckkind kind)
{
	return kinds[kind].name;
}
