/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

/* Exactly `width` digits at the cursor, at most max. */
static bool number(struct cursor *c, size_t width, uint64_t max, int64_t *out)
{
	uint64_t v;

	if (!text_to_u64(cursor_bytes(c, width), max, &v))
		return false;
	*out = (int64_t)v;
	return true;
}

static bool mark(struct cursor *c, const char *one_of)
{
	uint8_t found = cursor_u8(c);

	for (; *one_of; one_of++)
		if (found == (uint8_t)*one_of)
			return true;
	return false;
}

static int64_t days_of_month(int64_t year, int64_t month)
{
	static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01.  Years begin in March here, so that the leap day is last. */
static int64_t days_to(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return 365 * y + (y + 4) / 4 - (y + 100) / 100 + (y + 400) / 400 - 1 + (153 * m + 2) / 5 +
	       day - 1 - 719468;
}

/* ".123" or nothing. */
static bool skip_fraction(struct cursor *c)
{
	size_t digits = 0;

	if (cursor_left(c) == 0 || *c->at != '.')
		return true;
	cursor_u8(c);
	while (cursor_left(c) > 0 && *c->at >= '0' && *c->at <= '9') {
		cursor_u8(c);
		digits++;
	}
	return digits > 0;
}

/* "Z", "+01:00", "-08:00": what to take off the local time, in seconds. */
static bool offset(struct cursor *c, int64_t *out)
{
	uint8_t sign = cursor_u8(c);
	int64_t hour, minute;

	*out = 0;
	if (sign == 'Z' || sign == 'z')
		return true;
	if ((sign != '+' && sign != '-') || !number(c, 2, 23, &hour) || !mark(c, ":") ||
	    !number(c, 2, 59, &minute))
		return false;
	*out = (hour * 60 + minute) * (sign == '+' ? 60 : -60);
	return true;
}

bool text_to_time(struct bytes s, int64_t *out)
{
	struct cursor c = cursor_over(s.data, s.len);
	int64_t year, month, day, hour, minute, second, ahead;

	if (!number(&c, 4, 9999, &year) || !mark(&c, "-") || !number(&c, 2, 12, &month) ||
	    !mark(&c, "-") || !number(&c, 2, 31, &day) || !mark(&c, "Tt ") ||
	    !number(&c, 2, 23, &hour) || !mark(&c, ":") || !number(&c, 2, 59, &minute) ||
	    !mark(&c, ":") || !number(&c, 2, 60, &second) || !skip_fraction(&c) ||
	    !offset(&c, &ahead) || c.bad || cursor_left(&c) > 0)
		return false;
	if (month == 0 || day == 0 || day > days_of_month(year, month))
		return false;
	*out = days_to(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - ahead;
	return true;
}
