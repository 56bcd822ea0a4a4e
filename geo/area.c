/* area.c -- codes of countries and their parts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/area.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "geo/regions.h"

static bool is_upper(uint8_t c) { return c >= 'A' && c <= 'Z'; }

/* Three at most, letters or digits. */
static bool is_part_code(struct bytes s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_upper(s.data[i]) && (s.data[i] < '0' || s.data[i] > '9'))
			return false;
	return s.len >= 1 && s.len <= 3;
}

bool area_of_label(struct bytes label, struct area *out)
{
	struct regions_country country;
	char code[AREA_CODE_SIZE] = {0};

	*out = (struct area){0};
	if (label.len < 2 || !is_upper(label.data[0]) || !is_upper(label.data[1]))
		return false;
	memcpy(code, label.data, 2);
	if (!regions_find_country(bytes_of(code), &country))
		return false;
	if (label.len > 2 &&
	    (label.data[2] != '-' || !is_part_code((struct bytes){label.data + 3, label.len - 3})))
		return false;
	area_set_country(out, code);
	if (label.len > 2)
		area_set_subdivision(out, (struct bytes){label.data + 3, label.len - 3});
	return true;
}

void area_set_country(struct area *a, const char code[AREA_CODE_SIZE])
{
	struct regions_country country;

	memcpy(a->country, code, AREA_CODE_SIZE);
	if (a->continent[0] == '\0' && regions_find_country(bytes_of(code), &country))
		memcpy(a->continent, country.continent, AREA_CODE_SIZE);
}

void area_set_subdivision(struct area *a, struct bytes name)
{
	if (name.len == 0 || name.len + 4 > AREA_SUBDIVISION_SIZE || !text_is_plain(name) ||
	    a->country[0] == '\0')
		return;
	snprintf(a->subdivision, sizeof(a->subdivision), "%s-%.*s", a->country, (int)name.len,
	         (const char *)name.data);
}
