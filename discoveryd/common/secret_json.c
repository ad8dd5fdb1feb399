/* SPDX-License-Identifier: GPL-2.0-or-later */
/* secret_json.c - keys and tokens pass through JSON on their way */
#include "config.h"

#include "secret_json.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static void wipe_and_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void vol_secret_json(void)
{
	json_set_alloc_funcs(malloc, wipe_and_free);
}
