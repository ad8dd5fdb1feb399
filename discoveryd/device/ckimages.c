/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckimages.c - a folder of CRIU's images, as ckverify.h looks at it */
#include "config.h"

#include "device/ckimages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

static int map(int dir, const char *name, struct vol_ckinput *input,
	       struct vol_error *err)
{
	cleanup_fd int fd = openat(
		dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st) < 0)
		return vol_errorf(err, "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vol_errorf_errno(err, EINVAL, "%s: is no file", name);
	input->bytes = (uint64_t)st.st_size;
	if (st.st_size == 0) {
		input->data = "";
		return 0;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return vol_errorf(err, "%s: %s", name, strerror(errno));
	input->data = data;
	return 0;
}

static int add(struct vol_ckimages *images, int dir, const char *name,
	       struct vol_error *err)
{
	struct vol_ckinput *grown;

	if (images->n == VOL_CKFILES_MAX)
		return vol_errorf_errno(err, ENOSPC, "more than %d files",
					VOL_CKFILES_MAX);
	grown = reallocarray(images->input, images->n + 1, sizeof(*grown));
	if (!grown)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	images->input = grown;
	grown += images->n;
	memset(grown, 0, sizeof(*grown));
	grown->name = strdup(name);
	if (!grown->name)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	images->n++;
	return map(dir, name, grown, err);
}

int vol_ckimages_open(const char *path, struct vol_ckimages *images,
		      struct vol_error *err)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int rc = 0, saved;

	*images = (struct vol_ckimages){.n = 0};
	if (!dir)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	while (rc == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = add(images, dirfd(dir), e->d_name, err);
	saved = errno;
	closedir(dir);
	errno = saved;
	return rc;
}

void vol_ckimages_close(struct vol_ckimages *images)
{
	int saved = errno;

	for (size_t i = 0; i < images->n; i++) {
		const struct vol_ckinput *in = &images->input[i];

		if (in->bytes > 0 && in->data)
			munmap((void *)(uintptr_t)in->data, (size_t)in->bytes);
		free((char *)(uintptr_t)in->name);
	}
	free(images->input);
	*images = (struct vol_ckimages){.n = 0};
	errno = saved;
}

int vol_ckimages_list(const struct vol_ckimages *images,
		      struct vol_ckmanifest *m, struct vol_error *err)
{
	for (size_t i = 0; i < images->n; i++) {
		const struct vol_ckinput *in = &images->input[i];
		struct vol_ckfile file = {.bytes = in->bytes};

		if (strlen(in->name) >= sizeof(file.name))
			return vol_errorf_errno(err, EINVAL,
						"%.60s...: no image file",
						in->name);
		strcpy(file.name, in->name);
		if (vol_ckmanifest_add_file(m, &file, err) < 0)
			return -1;
	}
	return 0;
}
