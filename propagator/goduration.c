/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/goduration.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t ns;
};

/* The longer of two that begin alike comes first. */
static const struct unit units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000}, /* U+00B5 */
	{"\xce\xbcs", 1000}, /* U+03BC */
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", 60 * UINT64_C(1000000000)},
	{"h", 3600 * UINT64_C(1000000000)},
};

static const struct unit *unit_at(const char *text)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strncmp(text, units[i].name, strlen(units[i].name)) == 0)
			return &units[i];
	return NULL;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* "1.5h" of "1.5h30m" is added, and passed. */
static bool add_part(const char **text, uint64_t *total)
{
	const char *c = *text;
	uint64_t whole = 0, part = 0, scale = 1, ns;
	bool has_digits = is_digit(*c);
	const struct unit *unit;

	for (; is_digit(*c); c++)
		if (__builtin_mul_overflow(whole, UINT64_C(10), &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*c - '0'), &whole))
			return false;
	if (*c == '.') {
		for (c++; is_digit(*c); c++) {
			has_digits = true;
			if (scale < UINT64_C(1000000000000)) {
				part = part * 10 + (uint64_t)(*c - '0');
				scale *= 10;
			}
		}
	}
	unit = unit_at(c);
	if (!has_digits || !unit || __builtin_mul_overflow(whole, unit->ns, &ns) || ns > INT64_MAX)
		return false;
	ns += (uint64_t)((double)part * ((double)unit->ns / (double)scale));
	*text = c + strlen(unit->name);
	return !__builtin_add_overflow(*total, ns, total) && *total <= INT64_MAX;
}

bool goduration_parse(const char *text, int64_t *out_ns)
{
	bool is_negative = *text == '-';
	uint64_t total = 0;

	if (*text == '-' || *text == '+')
		text++;
	if (strcmp(text, "0") == 0) {
		*out_ns = 0;
		return true;
	}
	if (*text == '\0')
		return false;
	while (*text != '\0')
		if (!add_part(&text, &total))
			return false;
	*out_ns = is_negative ? -(int64_t)total : (int64_t)total;
	return true;
}

void goduration_print(uint64_t seconds, char out[GODURATION_ROOM])
{
	uint64_t hours = seconds / 3600, minutes = seconds / 60 % 60;

	if (hours > 0)
		snprintf(out, GODURATION_ROOM, "%" PRIu64 "h%" PRIu64 "m%" PRIu64 "s", hours,
		         minutes, seconds % 60);
	else if (minutes > 0)
		snprintf(out, GODURATION_ROOM, "%" PRIu64 "m%" PRIu64 "s", minutes, seconds % 60);
	else
		snprintf(out, GODURATION_ROOM, "%" PRIu64 "s", seconds);
}
