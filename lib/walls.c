/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walls.c - what discoveryd tells the SPANK plugin to build around a job
 *
 * libc only: it is linked into slurmstepd.
 */
#include "config.h"

#include "walls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "keyvalue.h"
#include "netwall.h"
#include "text.h"

#define VERSION 1

/* What programs of the common distributions read, whole folders where nothing
 * in them is a secret or tells about the owner.  No accounts (the job gets its
 * own), no keys, no machine-id, no environment or pip.conf (passwords of
 * proxies), nothing of Slurm and munge, no resolv.conf without a network. */
static const char *const default_etc[] = {
	/* The loader and the C library. */
	"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld-musl-*",
	"nsswitch.conf", "host.conf", "protocols", "services", "networks",
	"rpc", "netconfig", "localtime", "timezone", "locale.conf",
	"locale.alias", "default/locale",
	/* Shells and what scripts ask. */
	"alternatives", "os-release", "debian_version", "lsb-release",
	"redhat-release", "shells", "profile", "profile.d", "bash.bashrc",
	"bashrc", "inputrc", "terminfo", "environment-modules", "lmod",
	/* Certificates; never ssl/private or pki/tls/private. */
	"ssl/certs", "ssl/openssl.cnf", "ssl/cert.pem", "pki/tls/certs",
	"pki/tls/openssl.cnf", "pki/tls/cert.pem", "pki/ca-trust/extracted",
	"crypto-policies",
	/* Tables of media, fonts, documents. */
	"fonts", "mime.types", "magic", "magic.mime", "papersize", "sgml",
	"xml", "texmf", "groff", "ghostscript", "ImageMagick*",
	"GraphicsMagick*", "povray*",
	/* Languages. */
	"python*", "perl", "java*", "R", "octave*", "julia", "fpc*",
	"gnucobol*", "gdb",
	/* Parallel programs and GPUs. */
	"openmpi*", "mpich*", "pmix*", "prte*", "ucx", "OpenCL", "vulkan",
	"glvnd"};

_Static_assert(sizeof(default_etc) / sizeof(default_etc[0]) + 32 <=
		       VOL_WALLS_LIST_MAX,
	       "no room for the admin's own");

static const char *const yes_words[] = {"no", "yes", NULL};
/* enum vol_walls_users */
static const char *const users_words[] = {"auto", "always", "never", NULL};
/* enum vol_network */
static const char *const network_words[] = {"none", "internet", "lan", NULL};

enum key {
	KEY_VERSION,
	KEY_WALLS,
	KEY_USERS,
	KEY_UID_BASE,
	KEY_UID_RANGES,
	KEY_SCRATCH,
	KEY_TASKS,
	KEY_OPEN_FILES,
	KEY_NETWORK,
	KEY_RATE,
	KEY_IMAGE,
	KEY_READ, /* from here on as often as needed */
	KEY_ETC,
	KEY_WORK,
	KEY_DEVICE,
	KEY_DENY
};
#define N_KEYS (KEY_DENY + 1)

static const char *const keys[N_KEYS] = {
	"version",    "walls",        "users",  "uid_base",
	"uid_ranges", "scratch",      "tasks",  "open_files",
	"network",    "network_rate", "image",  "read",
	"etc",        "work",         "device", "network_deny"};

static const struct {
	uint64_t min, max;        /* of the numbers */
	const char *const *words; /* instead */
} values[N_KEYS] = {
	[KEY_VERSION] = {VERSION, VERSION, NULL},
	[KEY_WALLS] = {0, 1, yes_words},
	[KEY_USERS] = {0, VOL_USERS_NEVER, users_words},
	/* The first range is that of the machine itself. */
	[KEY_UID_BASE] = {VOL_WALLS_RANGE, UINT32_MAX, NULL},
	[KEY_UID_RANGES] = {1, UINT32_MAX / VOL_WALLS_RANGE, NULL},
	[KEY_SCRATCH] = {VOL_WALLS_SCRATCH_MIN, VOL_WALLS_SCRATCH_MAX, NULL},
	[KEY_TASKS] = {VOL_WALLS_TASKS_MIN, VOL_WALLS_TASKS_MAX, NULL},
	[KEY_OPEN_FILES] = {VOL_WALLS_OPEN_FILES_MIN, VOL_WALLS_OPEN_FILES_MAX,
			    NULL},
	[KEY_NETWORK] = {0, VOL_NETWORK_LAN, network_words},
	[KEY_RATE] = {VOL_WALLS_RATE_MIN, VOL_WALLS_RATE_MAX, NULL},
};

/* NULL, or what is wrong with a relative path of len bytes. */
static const char *name_problem(const char *name, size_t len)
{
	size_t begin = 0; /* of the component at hand */

	for (size_t i = 0; i <= len; i++) {
		size_t n = i - begin;

		if (i < len &&
		    ((unsigned char)name[i] < 0x20 || name[i] == 0x7f))
			return "control character";
		if (i < len && name[i] != '/')
			continue;
		if (n == 0 || (n == 1 && name[begin] == '.') ||
		    (n == 2 && memcmp(name + begin, "..", 2) == 0))
			return "empty, \".\" or \"..\" component";
		begin = i + 1;
	}
	return NULL;
}

static const char *path_problem(const char *path, size_t len)
{
	if (len == 0 || path[0] != '/')
		return "not an absolute path";
	if (len >= VOL_WALLS_PATH_SIZE)
		return "too long";
	return len == 1 ? "all there is" : name_problem(path + 1, len - 1);
}

static const char *etc_problem(const char *name, size_t len)
{
	const char *star = memchr(name, '*', len);

	if (len > 0 && name[0] == '/')
		return "not relative to /etc";
	if (len >= VOL_WALLS_PATH_SIZE)
		return "too long";
	if (star && (star != name + len - 1 || len == 1 || star[-1] == '/'))
		return "\"*\" only behind the beginning of a name";
	return name_problem(name, len);
}

static const char *deny_problem(const char *prefix, size_t len)
{
	char text[VOL_NET_PREFIX_SIZE];
	struct vol_net_prefix p;

	if (len < sizeof(text)) {
		memcpy(text, prefix, len);
		text[len] = '\0';
		if (strlen(text) == len && vol_net_prefix_parse(text, &p) == 0)
			return NULL;
	}
	return "neither ADDRESS nor ADDRESS/LENGTH";
}

static int add(struct vol_walls_list *list, const char *path, size_t len,
	       const char *problem, struct vol_error *err)
{
	char shown[VOL_EXCERPT_SIZE];

	vol_text_excerpt(path, len, shown);
	if (problem)
		return vol_errorf_errno(err, EINVAL, "%s: %s", shown, problem);
	for (size_t i = 0; i < list->n; i++)
		if (strlen(list->path[i]) == len &&
		    memcmp(list->path[i], path, len) == 0)
			return 0;
	if (list->n >= VOL_WALLS_LIST_MAX)
		return vol_errorf_errno(err, ENOSPC, "%s: more than %d", shown,
					VOL_WALLS_LIST_MAX);
	memcpy(list->path[list->n], path, len);
	list->path[list->n++][len] = '\0';
	return 0;
}

int vol_walls_add(struct vol_walls_list *list, const char *path,
		  struct vol_error *err)
{
	size_t len = strlen(path);

	return add(list, path, len, path_problem(path, len), err);
}

int vol_walls_add_etc(struct vol_walls_list *list, const char *name,
		      struct vol_error *err)
{
	size_t len = strlen(name);

	return add(list, name, len, etc_problem(name, len), err);
}

int vol_walls_add_deny(struct vol_walls_list *list, const char *prefix,
		       struct vol_error *err)
{
	size_t len = strlen(prefix);

	return add(list, prefix, len, deny_problem(prefix, len), err);
}

bool vol_walls_hold(const struct vol_walls_list *list, const char *path)
{
	if (path_problem(path, strlen(path)))
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (vol_path_within(path, list->path[i]))
			return true;
	return false;
}

void vol_walls_defaults(struct vol_walls *walls)
{
	memset(walls, 0, sizeof(*walls));
	walls->up = true;
	walls->users = VOL_USERS_AUTO;
	walls->uid_base = VOL_WALLS_UID_BASE;
	walls->uid_ranges = VOL_WALLS_UID_RANGES;
	walls->scratch_bytes = UINT64_C(1) << 30;
	walls->tasks = 4096;
	walls->open_files = 65536;
	walls->network = VOL_NETWORK_NONE;
	walls->network_rate = UINT64_C(4) << 20;
	vol_walls_add(&walls->read, "/usr", NULL);
	for (size_t i = 0; i < sizeof(default_etc) / sizeof(default_etc[0]);
	     i++)
		vol_walls_add_etc(&walls->etc, default_etc[i], NULL);
}

_Static_assert(sizeof(struct vol_walls) ==
		       offsetof(struct vol_walls, read) +
			       5 * sizeof(struct vol_walls_list),
	       "vol_walls_copy copies what comes before the five lists");

static void copy_list(struct vol_walls_list *to,
		      const struct vol_walls_list *from)
{
	to->n = from->n;
	memcpy(to->path, from->path, from->n * sizeof(from->path[0]));
}

void vol_walls_copy(struct vol_walls *to, const struct vol_walls *from)
{
	memcpy(to, from, offsetof(struct vol_walls, read));
	copy_list(&to->read, &from->read);
	copy_list(&to->etc, &from->etc);
	copy_list(&to->work, &from->work);
	copy_list(&to->devices, &from->devices);
	copy_list(&to->deny, &from->deny);
}

/* Index of a text of len bytes in words, or -1. */
static int find_word(const char *const *words, const char *text, size_t len)
{
	for (int i = 0; words[i]; i++)
		if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
			return i;
	return -1;
}

static int parse_number(enum key key, const char *value, size_t len,
			struct vol_walls *walls, struct vol_error *err)
{
	uint64_t number = 0;
	char shown[VOL_EXCERPT_SIZE];

	if (vol_text_number(value, len, values[key].min, values[key].max,
			    &number) < 0)
		return vol_errorf_errno(err, EINVAL,
					"%s is not a number from %" PRIu64
					" to %" PRIu64,
					vol_text_excerpt(value, len, shown),
					values[key].min, values[key].max);
	if (key == KEY_UID_BASE)
		walls->uid_base = (uint32_t)number;
	else if (key == KEY_UID_RANGES)
		walls->uid_ranges = (uint32_t)number;
	else if (key == KEY_SCRATCH)
		walls->scratch_bytes = number;
	else if (key == KEY_TASKS)
		walls->tasks = (uint32_t)number;
	else if (key == KEY_OPEN_FILES)
		walls->open_files = (uint32_t)number;
	else if (key == KEY_RATE)
		walls->network_rate = number;
	return 0;
}

static int parse_word(enum key key, const char *value, size_t len,
		      struct vol_walls *walls, struct vol_error *err)
{
	int word = find_word(values[key].words, value, len);
	char shown[VOL_EXCERPT_SIZE];

	if (word < 0)
		return vol_errorf_errno(err, EINVAL, "%s is no word for it",
					vol_text_excerpt(value, len, shown));
	if (key == KEY_WALLS)
		walls->up = word;
	else if (key == KEY_USERS)
		walls->users = word;
	else
		walls->network = word;
	return 0;
}

static int parse_image(const char *value, size_t len, struct vol_walls *walls,
		       struct vol_error *err)
{
	const char *problem = len > 0 ? path_problem(value, len) : NULL;
	char shown[VOL_EXCERPT_SIZE];

	if (problem)
		return vol_errorf_errno(err, EINVAL, "%s: %s",
					vol_text_excerpt(value, len, shown),
					problem);
	memcpy(walls->image, value, len);
	walls->image[len] = '\0';
	return 0;
}

static struct vol_walls_list *list_of(struct vol_walls *walls, enum key key)
{
	switch (key) {
	case KEY_READ:
		return &walls->read;
	case KEY_ETC:
		return &walls->etc;
	case KEY_WORK:
		return &walls->work;
	case KEY_DENY:
		return &walls->deny;
	default:
		return &walls->devices;
	}
}

static const char *entry_problem(enum key key, const char *value, size_t len)
{
	return key == KEY_ETC    ? etc_problem(value, len)
	       : key == KEY_DENY ? deny_problem(value, len)
				 : path_problem(value, len);
}

static int take(int key, const char *value, size_t len, void *arg,
		struct vol_error *err)
{
	struct vol_walls *walls = arg;

	if (key == KEY_IMAGE)
		return parse_image(value, len, walls, err);
	if (key >= KEY_READ)
		return add(list_of(walls, key), value, len,
			   entry_problem(key, value, len), err);
	return values[key].words ? parse_word(key, value, len, walls, err)
				 : parse_number(key, value, len, walls, err);
}

/* (uid_t)-1 is chown(2)'s "leave as is", so the last range is not ours. */
static const char *ids_problem(const struct vol_walls *walls)
{
	uint64_t end =
		walls->uid_base + (uint64_t)walls->uid_ranges * VOL_WALLS_RANGE;

	return end > UINT32_MAX - VOL_WALLS_RANGE + 1
		       ? "uid_base and uid_ranges: more ids than there are"
		       : NULL;
}

int vol_walls_parse(const char *name, const char *text, size_t len,
		    struct vol_walls *walls, struct vol_error *err)
{
	static const struct vol_keyvalue format = {keys, N_KEYS, KEY_READ,
						   VOL_WALLS_FILE_MAX, take};
	cleanup_free struct vol_walls *parsed = calloc(1, sizeof(*parsed));

	if (!parsed)
		return vol_errorf_errno(err, ENOMEM, "%s: out of memory", name);
	if (vol_keyvalue_parse(&format, name, text, len, parsed, err) < 0)
		return -1;
	if (ids_problem(parsed))
		return vol_errorf_errno(err, EINVAL, "%s: %s", name,
					ids_problem(parsed));
	vol_walls_copy(walls, parsed);
	return 0;
}

/* --- writing -------------------------------------------------------------- */

struct writer {
	char *buf;
	size_t size, len;
	int errnum; /* 0: all well so far */
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *w,
						      const char *fmt, ...)
{
	va_list ap;
	int n;

	if (w->errnum)
		return;
	va_start(ap, fmt);
	n = vsnprintf(w->buf ? w->buf + w->len : NULL, w->size - w->len, fmt,
		      ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= w->size - w->len)
		w->errnum = ENOSPC;
	else
		w->len += (size_t)n;
}

static void put_number(struct writer *w, enum key key, uint64_t number)
{
	if (number < values[key].min || number > values[key].max)
		w->errnum = EINVAL;
	put(w, "%s=%" PRIu64 "\n", keys[key], number);
}

static void put_word(struct writer *w, enum key key, int word)
{
	if (word < 0 || (uint64_t)word > values[key].max) {
		w->errnum = EINVAL;
		return;
	}
	put(w, "%s=%s\n", keys[key], values[key].words[word]);
}

static void put_text(struct writer *w, enum key key, const char *text)
{
	size_t len = strnlen(text, VOL_WALLS_PATH_SIZE);
	const char *problem = entry_problem(key, text, len);

	if (problem && !(key == KEY_IMAGE && len == 0)) {
		w->errnum = EINVAL;
		return;
	}
	put(w, "%s=%s\n", keys[key], text);
}

static void put_list(struct writer *w, enum key key,
		     const struct vol_walls_list *list)
{
	if (list->n > VOL_WALLS_LIST_MAX) {
		w->errnum = EINVAL;
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		put_text(w, key, list->path[i]);
}

int vol_walls_format(const struct vol_walls *walls, char *buf, size_t size)
{
	struct writer w = {.buf = buf, .size = size};

	if (ids_problem(walls))
		w.errnum = EINVAL;
	put_number(&w, KEY_VERSION, VERSION);
	put_word(&w, KEY_WALLS, walls->up);
	put_word(&w, KEY_USERS, walls->users);
	put_number(&w, KEY_UID_BASE, walls->uid_base);
	put_number(&w, KEY_UID_RANGES, walls->uid_ranges);
	put_number(&w, KEY_SCRATCH, walls->scratch_bytes);
	put_number(&w, KEY_TASKS, walls->tasks);
	put_number(&w, KEY_OPEN_FILES, walls->open_files);
	put_word(&w, KEY_NETWORK, walls->network);
	put_number(&w, KEY_RATE, walls->network_rate);
	put_text(&w, KEY_IMAGE, walls->image);
	put_list(&w, KEY_READ, &walls->read);
	put_list(&w, KEY_ETC, &walls->etc);
	put_list(&w, KEY_WORK, &walls->work);
	put_list(&w, KEY_DEVICE, &walls->devices);
	put_list(&w, KEY_DENY, &walls->deny);
	if (!w.errnum && w.len > VOL_WALLS_FILE_MAX)
		w.errnum = ENOSPC;
	if (w.errnum) {
		errno = w.errnum;
		return -1;
	}
	return (int)w.len;
}

/* FNV-1a; the final NUL keeps "a","bc" and "ab","c" apart. */
static void hash_text(uint64_t *hash, const char *text)
{
	const uint64_t prime = UINT64_C(0x100000001b3);

	do
		*hash = (*hash ^ (unsigned char)*text) * prime;
	while (*text++);
}

static void hash_list(uint64_t *hash, const struct vol_walls_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		hash_text(hash, list->path[i]);
	hash_text(hash, "");
}

void vol_walls_view(const struct vol_walls *walls,
		    char view[VOL_WALLS_VIEW_SIZE])
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	if (!walls->up) {
		strcpy(view, "bare");
		return;
	}
	hash_text(&hash, walls->image);
	hash_list(&hash, &walls->read);
	hash_list(&hash, &walls->work);
	hash_list(&hash, &walls->devices);
	/* /dev/net/tun, see sandbox/view_dev.c. */
	if (walls->network != VOL_NETWORK_NONE)
		hash_text(&hash, "network");
	snprintf(view, VOL_WALLS_VIEW_SIZE, "%016" PRIx64, hash);
}

int vol_network_parse(const char *text, int *network, struct vol_error *err)
{
	int word = find_word(network_words, text, strlen(text));
	char shown[VOL_EXCERPT_SIZE];

	if (word < 0)
		return vol_errorf_errno(
			err, EINVAL, "%s is none of none, internet and lan",
			vol_text_excerpt(text, strlen(text), shown));
	*network = word;
	return 0;
}

const char *vol_network_name(int network)
{
	return network >= 0 && network <= VOL_NETWORK_LAN
		       ? network_words[network]
		       : "none";
}

const char *vol_walls_users_name(int users)
{
	return users >= 0 && users <= VOL_USERS_NEVER ? users_words[users]
						      : "auto";
}
