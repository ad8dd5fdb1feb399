/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.c - is this a volunteer device, and where its files are */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"
#include "stepfile.h"

const char *vol_spank_root = "";

int vol_spank_device(char name[VOL_NODE_NAME_SIZE], struct vol_error *err)
{
	const char *value = getenv(VOL_ENV_DEVICE);

	name[0] = '\0';
	if (!value)
		return 0;
	if (!vol_node_name_valid(value))
		return vol_errorf_errno(err, EINVAL, "%s=%s: not a node name",
					VOL_ENV_DEVICE, value);
	snprintf(name, VOL_NODE_NAME_SIZE, "%s", value);
	return 0;
}

int vol_spank_path(char *buf, size_t size, struct vol_error *err,
		   const char *fmt, ...)
{
	int root = snprintf(buf, size, "%s", vol_spank_root), len = -1;
	va_list ap;

	if (root >= 0 && (size_t)root < size) {
		va_start(ap, fmt);
		len = vsnprintf(buf + root, size - (size_t)root, fmt, ap);
		va_end(ap);
	}
	if (len < 0 || (size_t)len >= size - (size_t)root)
		return vol_errorf_errno(err, ENAMETOOLONG, "path too long");
	return 0;
}
