/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/edns.h"

#include <string.h>

#include "base/check.h"
#include "dnsd/rare.h"
#include "zones/rrset.h"

/* RFC 7871 6: no more address than the prefix needs, nothing behind it but zeros. */
static bool parse_ecs_address(const uint8_t *from, struct edns_ecs *out)
{
	if (out->source % 8 != 0 && (from[out->len - 1] & (0xffu >> out->source % 8)) != 0)
		return false;
	if (out->source > 0) {
		out->addr =
			(struct addr){.family = out->family == EDNS_IPV4 ? ADDR_IPV4 : ADDR_IPV6};
		bytes_copy(out->addr.bytes, from, out->len);
	}
	return true;
}

/* Its code and length stand before it. */
static bool parse_ecs(struct bytes option, struct edns_ecs *out)
{
	unsigned source, bits, len;

	if (out->present || option.len < EDNS_ECS_FIXED)
		return false;
	out->family = bytes_get16(option.data);
	source = option.data[2];
	bits = out->family == EDNS_IPV4 ? 32 : out->family == EDNS_IPV6 ? 128 : 0;
	len = (source + 7) / 8;
	if (source > bits || option.data[3] != 0 || option.len != EDNS_ECS_FIXED + len ||
	    out->family > EDNS_IPV6)
		return false;
	out->source = (uint8_t)source;
	out->len = (uint8_t)len;
	out->sent = option.data - EDNS_OPTION_LEN;
	out->present = parse_ecs_address(option.data + EDNS_ECS_FIXED, out);
	return out->present;
}

/* Those that cannot be malformed, or not by themselves. */
static void note_option(unsigned code, struct bytes option, struct edns *out)
{
	switch (code) {
	case OPTION_NSID: /* RFC 5001 2.1: what a query has in it is ignored */
		out->asked |= EDNS_ASKED_NSID;
		return;
	case OPTION_COOKIE: /* RFC 7873 5.2: of several the first counts */
		if ((out->asked & EDNS_ASKED_COOKIE) == 0)
			out->cookie = option;
		out->asked |= EDNS_ASKED_COOKIE;
		return;
	case OPTION_EXPIRE:
		out->asked |= EDNS_ASKED_EXPIRE;
		return;
	case OPTION_KEEPALIVE: /* RFC 7828 3.2.1: a client has no timeout to tell */
		out->asked |= option.len == 0 ? EDNS_ASKED_KEEPALIVE : 0;
		return;
	case OPTION_PADDING: /* RFC 7830 4: of any length and content */
		out->asked |= EDNS_ASKED_PADDING;
		return;
	default:
		return;
	}
}

static bool parse_options(struct bytes rdata, struct edns *out)
{
	const uint8_t *at = rdata.data, *end = rdata.data + rdata.len;

	while (at < end) {
		struct bytes option;
		unsigned code;

		if (end - at < 4)
			return false;
		code = bytes_get16(at);
		option = (struct bytes){at + 4, bytes_get16(at + 2)};
		if ((size_t)(end - option.data) < option.len)
			return false;
		if (code != OPTION_ECS)
			note_option(code, option, out);
		else if (!parse_ecs(option, &out->ecs))
			return false;
		at = option.data + option.len;
	}
	return true;
}

RARE bool edns_parse_options(struct bytes rdata, struct edns *out)
{
	if (parse_options(rdata, out))
		return true;
	/* What came before the fault is not to be answered. */
	edns_forget_options(out);
	return false;
}

static uint8_t *write_option(uint8_t *at, unsigned code, struct bytes data)
{
	bytes_put16(at, (uint16_t)code);
	bytes_put16(at + 2, (uint16_t)data.len);
	bytes_copy(at + EDNS_OPTION_LEN, data.data, data.len);
	return at + EDNS_OPTION_LEN + data.len;
}

void edns_add(struct edns *e, uint16_t code, struct bytes data)
{
	CHECK(e->extra_len + EDNS_OPTION_LEN + data.len <= EDNS_EXTRA_MOST);
	e->extra_len = (uint16_t)(write_option(e->extra + e->extra_len, code, data) - e->extra);
}

/* But for the subnet; returns their end. */
static uint8_t *write_options(const struct edns *query, enum edns_ede ede, uint8_t *at)
{
	bytes_copy(at, query->extra, query->extra_len);
	at += query->extra_len;
	if (ede != EDE_NONE) {
		uint8_t code[2];

		bytes_put16(code, (uint16_t)ede);
		at = write_option(at, OPTION_EDE, (struct bytes){code, sizeof code});
	}
	return at;
}

size_t edns_write_other(const struct edns *query, uint16_t rcode, uint8_t scope, enum edns_ede ede,
                        uint8_t *out)
{
	uint8_t *end = out + EDNS_OPT_LEN;

	out[0] = 0;
	bytes_put16(out + 1, RR_OPT);
	edns_put_fixed(query, rcode, out);
	if (query->ecs.present) {
		size_t len = (size_t)EDNS_ECS_LEN + query->ecs.len;

		bytes_copy(end, query->ecs.sent, len);
		end[EDNS_ECS_LEN - 1] = scope;
		end += len;
	}
	end = write_options(query, ede, end);
	bytes_put16(out + 9, (uint16_t)(end - out - EDNS_OPT_LEN));
	return (size_t)(end - out);
}

size_t edns_pad(uint8_t *message, size_t len, size_t opt_len, size_t beside, size_t limit)
{
	uint8_t *rdata_len = message + len - opt_len + EDNS_OPT_LEN - 2, *at = message + len;
	size_t least = len + EDNS_OPTION_LEN, whole, padding;

	if (least > limit)
		return 0;
	whole = (least + beside + EDNS_PAD_BLOCK - 1) / EDNS_PAD_BLOCK * EDNS_PAD_BLOCK - beside;
	padding = (whole < limit ? whole : limit) - least;
	bytes_put16(at, OPTION_PADDING);
	bytes_put16(at + 2, (uint16_t)padding);
	memset(at + EDNS_OPTION_LEN, 0, padding); /* RFC 7830 3: NULs */
	bytes_put16(rdata_len, (uint16_t)(opt_len - EDNS_OPT_LEN + EDNS_OPTION_LEN + padding));
	return EDNS_OPTION_LEN + padding;
}
