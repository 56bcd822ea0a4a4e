/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *err_text(enum err err)
{
	static const char *const text[] = {
#define ERR_TEXT(code, text) [code] = text,
		ERR_LIST(ERR_TEXT)
#undef ERR_TEXT
	};
	size_t i = (size_t)err;

	return i < sizeof(text) / sizeof(text[0]) ? text[i] : "unknown error";
}

/* Both functions format aside first: the arguments may point into why->text. */
enum err reason_set(struct reason *why, enum err err, const char *fmt, ...)
{
	struct reason fresh;
	va_list ap;

	if (!why)
		return err;
	va_start(ap, fmt);
	vsnprintf(fresh.text, sizeof(fresh.text), fmt, ap);
	va_end(ap);
	*why = fresh;
	return err;
}

void reason_prefix(struct reason *why, const char *fmt, ...)
{
	struct reason fresh;
	va_list ap;
	size_t len;

	if (!why)
		return;
	va_start(ap, fmt);
	vsnprintf(fresh.text, sizeof(fresh.text), fmt, ap);
	va_end(ap);
	len = strlen(fresh.text);
	snprintf(fresh.text + len, sizeof(fresh.text) - len, "%s", why->text);
	*why = fresh;
}
