/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outlook_view.c - how long devices will stay open, for people; pure */
#include "config.h"

#include <string.h>

#include "explain_choice.h"
#include "explain_words.h"
#include "outlook_view.h"
#include "owner_words.h"
#include "table.h"
#include "when.h"

static const struct {
	const char *key;
	uint32_t seconds;
} spans[] = {{"1h", 3600}, {"4h", 14400}, {"8h", 28800}, {"24h", 86400}};

#define N_SPANS (sizeof(spans) / sizeof(spans[0]))

json_t *vol_outlook_json(const struct vol_outlook *o)
{
	uint32_t median = vol_outlook_quantile(o, 0.5);
	json_t *forecast = json_object();
	size_t i;

	for (i = 0; forecast && i < N_SPANS; i++)
		json_object_set_new(
			forecast, spans[i].key,
			json_real(vol_outlook_survival(o, spans[i].seconds)));
	if (forecast)
		json_object_set_new(forecast, "median_s",
				    median == UINT32_MAX
					    ? json_null()
					    : json_integer(median));
	return forecast;
}

json_t *vol_outlook_devices(const struct vol_device_list *d, time_t now)
{
	json_t *list = json_array();
	char words[256];
	size_t i;

	for (i = 0; list && i < d->n; i++) {
		const struct vol_nodetable_node *n = &d->list[i];
		int open = n->state == VOL_NODETABLE_OPEN;

		vol_choice_state_words(n, d->now_s, now, words, sizeof(words));
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:I, s:I, "
				  "s:o}",
				  "node", n->name, "harvest",
				  n->state == VOL_NODETABLE_UNKNOWN
					  ? ""
					  : vol_nodetable_state_name(n->state),
				  "why", open ? "" : words, "away_since",
				  (json_int_t)n->away_since, "closes_at",
				  (json_int_t)n->closes_at, "battery",
				  (int)n->on_battery, "speed",
				  (json_int_t)n->speed, "evictions_week",
				  (json_int_t)n->evictions_week, "forecast",
				  open ? vol_outlook_json(&n->outlook)
				       : json_null()));
	}
	return list;
}

const char *vol_outlook_median(const json_t *forecast, char *buf, size_t size)
{
	const json_t *median = json_object_get(forecast, "median_s");
	uint32_t most = vol_outlook_seconds(VOL_OUTLOOK_POINTS - 1);
	char span[VOL_WORDS_SIZE];

	if (!json_is_object(forecast))
		snprintf(buf, size, "-");
	else if (json_is_number(median) && json_number_value(median) < most)
		snprintf(buf, size, "%s",
			 vol_words_span(json_number_value(median), span));
	else
		snprintf(buf, size, ">%s", vol_words_span(most, span));
	return buf;
}

static json_t *row_of(const json_t *device, time_t now)
{
	const json_t *forecast = json_object_get(device, "forecast"), *chance;
	time_t away = (time_t)vol_get_number(device, "away_since");
	time_t closes = (time_t)vol_get_number(device, "closes_at");
	const char *harvest = vol_get_text(device, "harvest");
	json_t *row =
		json_pack("{s:s, s:s}", "node", vol_get_text(device, "node"),
			  "state", *harvest ? harvest : "no link");
	char text[VOL_WORDS_SIZE * 2];
	size_t i;

	/* Of one who is there it tells nothing. */
	if (away && away <= now && !strcmp(harvest, "open"))
		json_object_set_new(row, "away",
				    json_string(vol_words_span(
					    (double)(now - away), text)));
	if (closes)
		json_object_set_new(
			row, "closes",
			json_string(vol_when(closes, now, text, sizeof(text))));
	for (i = 0; i < N_SPANS; i++) {
		chance = json_object_get(forecast, spans[i].key);
		if (json_is_number(chance))
			json_object_set_new(
				row, spans[i].key,
				json_string(vol_words_chance(
					json_number_value(chance), text)));
	}
	json_object_set_new(
		row, "median",
		json_string(vol_outlook_median(forecast, text, sizeof(text))));
	json_object_set_new(
		row, "speed",
		json_string(vol_words_speed(
			(uint32_t)vol_get_number(device, "speed"), text)));
	json_object_set(row, "evictions",
			json_object_get(device, "evictions_week"));
	json_object_set_new(row, "remark",
			    json_string(vol_get_flag(device, "battery")
						? "on battery"
						: vol_get_text(device, "why")));
	return row;
}

void vol_outlook_view(FILE *out, const json_t *devices, time_t now)
{
	static const struct vol_column columns[] = {
		{"NODE", "node"},
		{"STATE", "state"},
		{"AWAY", "away"},
		{"CLOSES", "closes"},
		{"1H", "1h"},
		{"4H", "4h"},
		{"8H", "8h"},
		{"24H", "24h"},
		{"LIKELY-FOR", "median"},
		{"SPEED", "speed"},
		{"EVICTIONS", "evictions"},
		{"REMARK", "remark"},
		{NULL, NULL},
	};
	json_t *rows = json_array();
	const json_t *device;
	size_t i;

	json_array_foreach(devices, i, device)
		json_array_append_new(rows, row_of(device, now));
	vol_table_print(out, rows, columns, now);
	json_decref(rows);
}
