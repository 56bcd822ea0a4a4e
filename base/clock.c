/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/check.h"

enum { YEARS_BEFORE_S = 10 * 365 * 86400 };

static struct timespec now(clockid_t which)
{
	struct timespec ts;

	CHECK(clock_gettime(which, &ts) == 0);
	return ts;
}

uint64_t clock_monotonic_us(void)
{
	struct timespec ts = now(CLOCK_MONOTONIC);

	return ((uint64_t)ts.tv_sec + YEARS_BEFORE_S) * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_monotonic_ms(void) { return clock_monotonic_us() / 1000; }

uint64_t clock_boottime_ms(void)
{
	struct timespec ts = now(CLOCK_BOOTTIME);

	return ((uint64_t)ts.tv_sec + YEARS_BEFORE_S) * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int64_t clock_unix_s(void) { return now(CLOCK_REALTIME).tv_sec; }

int64_t clock_unix_ms(void)
{
	struct timespec ts = now(CLOCK_REALTIME);

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Not gmtime_r(): it may read the time zone file, which a sandbox forbids.
 * Days are counted in eras of 400 years that begin on a first of March. */
char *clock_print(int64_t unix_s, char out[CLOCK_TEXT_SIZE])
{
	int64_t day = unix_s / 86400, second = unix_s % 86400;
	int64_t era, of_era, year, of_year, month;

	if (second < 0) {
		second += 86400;
		day--;
	}
	day += 719468; /* 0000-03-01 to 1970-01-01 */
	era = (day >= 0 ? day : day - 146096) / 146097;
	of_era = day - era * 146097;
	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	month = (5 * of_year + 2) / 153; /* 0 is March */
	snprintf(out, CLOCK_TEXT_SIZE, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02dZ",
	         year + era * 400 + (month >= 10), (int)(month < 10 ? month + 3 : month - 9),
	         (int)(of_year - (153 * month + 2) / 5 + 1), (int)(second / 3600),
	         (int)(second / 60 % 60), (int)(second % 60));
	return out;
}
