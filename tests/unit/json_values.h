/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json_values.h - one value of each JSON type, to put where another belongs */
#ifndef VOL_TEST_JSON_VALUES_H
#define VOL_TEST_JSON_VALUES_H

#include <jansson.h>

#define N_JSON_TYPES 8

/* jansson numbers its types from 0 (object) to 7 (null). */
static inline json_t *value_of_type(json_type type)
{
	switch (type) {
	case JSON_OBJECT:
		return json_pack("{s:i}", "x", 1);
	case JSON_ARRAY:
		return json_pack("[s]", "x");
	case JSON_STRING:
		return json_string("x");
	case JSON_INTEGER:
		return json_integer(1);
	case JSON_REAL:
		return json_real(1.5);
	case JSON_TRUE:
		return json_true();
	case JSON_FALSE:
		return json_false();
	default:
		return json_null();
	}
}

/* Is this a value that its reader may take for the other? */
static inline int same_kind(const json_t *a, const json_t *b)
{
	if (json_is_boolean(a))
		return json_is_boolean(b);
	return json_typeof(a) == json_typeof(b);
}

#endif
