/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/svcb.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/xalloc.h"

enum key {
	MANDATORY = 0,
	ALPN = 1,
	NO_DEFAULT_ALPN = 2,
	PORT = 3,
	IPV4HINT = 4,
	IPV6HINT = 6,
	INVALID = 65535
};

struct param {
	uint16_t key;
	struct bytes value;
};

static int by_key(const void *a, const void *b)
{
	return ((const struct param *)a)->key - ((const struct param *)b)->key;
}

static bool has_key(const struct param *p, size_t count, uint16_t key)
{
	for (size_t i = 0; i < count; i++)
		if (p[i].key == key)
			return true;
	return false;
}

/* RFC 9460 8: keys that are there, ascending, not "mandatory" itself. */
static enum err check_mandatory(const struct param *p, size_t count, struct bytes value,
                                struct reason *why)
{
	unsigned last = MANDATORY;

	if (value.len == 0 || value.len % 2)
		return reason_set(why, ERR_PARSE, "mandatory lists no keys");
	for (size_t i = 0; i < value.len; i += 2) {
		uint16_t key = bytes_get16(value.data + i);

		if (key <= last)
			return reason_set(why, ERR_PARSE,
			                  "mandatory lists keys out of order, twice, or itself");
		if (!has_key(p, count, key))
			return reason_set(why, ERR_PARSE, "key %u is mandatory but not there", key);
		last = key;
	}
	return ERR_OK;
}

/* RFC 9460 7.1.1: strings of 1 to 255 bytes. */
static bool alpn_is_good(struct bytes value)
{
	size_t at = 0;

	while (at < value.len && value.data[at] != 0)
		at += 1U + value.data[at];
	return value.len > 0 && at == value.len;
}

/* ldns writes the keys of "mandatory" as they stand in the text. */
static void sort_mandatory(uint8_t *value, size_t len)
{
	for (size_t i = 2; i + 2 <= len; i += 2)
		for (size_t j = i; j >= 2 && bytes_get16(value + j) < bytes_get16(value + j - 2);
		     j -= 2) {
			uint16_t smaller = bytes_get16(value + j);

			bytes_put16(value + j, bytes_get16(value + j - 2));
			bytes_put16(value + j - 2, smaller);
		}
}

static enum err check_value(const struct param *p, size_t count, const struct param *one,
                            struct reason *why)
{
	size_t len = one->value.len;

	switch (one->key) {
	case MANDATORY:
		return check_mandatory(p, count, one->value, why);
	case ALPN:
		return alpn_is_good(one->value) ? ERR_OK
		                                : reason_set(why, ERR_PARSE, "a bad list of alpn");
	case NO_DEFAULT_ALPN:
		if (len || !has_key(p, count, ALPN))
			return reason_set(
				why, ERR_PARSE,
				"no-default-alpn has no value, and stands beside alpn only");
		return ERR_OK;
	case PORT:
		return len == 2 ? ERR_OK : reason_set(why, ERR_PARSE, "a bad port");
	case IPV4HINT:
		return len && len % 4 == 0 ? ERR_OK : reason_set(why, ERR_PARSE, "a bad ipv4hint");
	case IPV6HINT:
		return len && len % 16 == 0 ? ERR_OK : reason_set(why, ERR_PARSE, "a bad ipv6hint");
	case INVALID:
		return reason_set(why, ERR_RANGE, "key65535 is reserved");
	default:
		return ERR_OK;
	}
}

static enum err check_params(const struct param *p, size_t count, struct reason *why)
{
	for (size_t i = 0; i < count; i++) {
		enum err err;

		if (i > 0 && p[i].key == p[i - 1].key)
			return reason_set(why, ERR_PARSE, "key %u is there twice", p[i].key);
		err = check_value(p, count, &p[i], why);
		if (err)
			return err;
	}
	return ERR_OK;
}

static void rewrite(const struct param *p, size_t count, uint8_t *out, size_t len)
{
	uint8_t *copy = xmalloc(len), *at = copy;

	for (size_t i = 0; i < count; i++) {
		bytes_put16(at, p[i].key);
		bytes_put16(at + 2, (uint16_t)p[i].value.len);
		if (p[i].value.len)
			memcpy(at + 4, p[i].value.data, p[i].value.len);
		at += 4 + p[i].value.len;
	}
	memcpy(out, copy, len);
	free(copy);
}

enum err svcb_normalize(uint8_t *rdata, size_t len, struct reason *why)
{
	struct cursor c = cursor_over(rdata, len);
	uint16_t priority = cursor_u16(&c);
	struct param *params;
	size_t count = 0, start;
	enum err err;

	for (uint8_t label; !c.bad && (label = cursor_u8(&c)) != 0;)
		(void)cursor_bytes(&c, label);
	start = len - cursor_left(&c);
	if (c.bad)
		return reason_set(why, ERR_PARSE, "no priority and target");
	if (start == len)
		return ERR_OK;
	if (priority == 0)
		return reason_set(why, ERR_PARSE, "priority 0 (an alias) has no parameters");
	params = xcalloc((len - start) / 4 + 1, sizeof(*params));
	for (; cursor_left(&c) && !c.bad; count++) {
		params[count].key = cursor_u16(&c);
		params[count].value = cursor_bytes(&c, cursor_u16(&c));
		if (params[count].key == MANDATORY && !c.bad && params[count].value.len % 2 == 0)
			sort_mandatory(rdata + (params[count].value.data - rdata),
			               params[count].value.len);
	}
	qsort(params, count, sizeof(*params), by_key);
	err = c.bad ? reason_set(why, ERR_PARSE, "a parameter is cut short")
	            : check_params(params, count, why);
	if (!err)
		rewrite(params, count, rdata + start, len - start);
	free(params);
	return err;
}
