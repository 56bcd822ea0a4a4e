/* SPDX-License-Identifier: Apache-2.0 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

uint8_t addr_bits(const struct addr *a)
{
	return a->family == ADDR_IPV4 ? 32 : a->family == ADDR_IPV6 ? 128 : 0;
}

bool addr_is_loopback(const struct addr *a)
{
	static const struct addr v6 = {.family = ADDR_IPV6, .bytes = {[15] = 1}};

	return a->family == ADDR_IPV4 ? a->bytes[0] == 127 : addr_equal(a, &v6);
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zeros[sizeof(a->bytes)];

	return memcmp(a->bytes, zeros, sizeof(zeros)) == 0;
}

bool addr_equal(const struct addr *a, const struct addr *b) { return addr_compare(a, b) == 0; }

int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* Four decimal numbers without needless zeros, as inet_pton() has it; a million of them are read at a
 * start, and need no copies. */
static bool parse_ipv4(struct bytes text, uint8_t out[4])
{
	const uint8_t *at = text.data, *end = text.data + text.len;

	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *start = at;
		unsigned v = 0;

		for (; at < end && (uint8_t)(*at - '0') < 10 && at - start < 3; at++)
			v = v * 10 + (unsigned)(*at - '0');
		if (at == start || v > 255 || (*start == '0' && at - start > 1))
			return false;
		out[i] = (uint8_t)v;
		if (i < 3 && (at == end || *at++ != '.'))
			return false;
	}
	return at == end;
}

bool addr_parse(struct bytes text, struct addr *out)
{
	char copy[ADDR_TEXT_SIZE];
	struct addr a = {0};

	if (parse_ipv4(text, a.bytes)) {
		a.family = ADDR_IPV4;
		*out = a;
		return true;
	}
	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, 0, text.len))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET6, copy, a.bytes) != 1)
		return false;
	a.family = ADDR_IPV6;
	*out = a;
	return true;
}

char *addr_print(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
	static const uint8_t zeros[12];

	/* ::102:304 is no longer written as ::1.2.3.4, which inet_ntop() still does
	 * (RFC 4291 2.5.5.1, RFC 5952 5). */
	if (a->family == ADDR_IPV6 && memcmp(a->bytes, zeros, 12) == 0 &&
	    bytes_get16(a->bytes + 12) != 0)
		snprintf(out, ADDR_TEXT_SIZE, "::%x:%x", bytes_get16(a->bytes + 12),
		         bytes_get16(a->bytes + 14));
	else if (a->family == ADDR_NONE)
		snprintf(out, ADDR_TEXT_SIZE, "none");
	else
		CHECK(inet_ntop(a->family == ADDR_IPV4 ? AF_INET : AF_INET6, a->bytes, out,
		                ADDR_TEXT_SIZE));
	return out;
}

struct addr addr_masked(const struct addr *a, uint8_t len)
{
	struct addr masked = *a;
	size_t whole = len / 8;

	if (len >= addr_bits(a))
		return masked;
	masked.bytes[whole] = (uint8_t)(masked.bytes[whole] & ~(0xffu >> len % 8));
	memset(masked.bytes + whole + 1, 0, sizeof(masked.bytes) - whole - 1);
	return masked;
}

struct addr addr_unmapped(const struct addr *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct addr v4 = {.family = ADDR_IPV4};

	if (a->family != ADDR_IPV6 || memcmp(a->bytes, mapped, sizeof(mapped)) != 0)
		return *a;
	memcpy(v4.bytes, a->bytes + 12, 4);
	return v4;
}

static struct bytes part(struct bytes text, size_t from, size_t to)
{
	return (struct bytes){text.data + from, to - from};
}

enum err addr_network_parse(struct bytes text, struct addr_network *out, struct reason *why)
{
	const uint8_t *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
	size_t end = slash ? (size_t)(slash - text.data) : text.len;
	struct addr_network n;
	struct addr masked;
	uint64_t len;
	char show[80];

	if (!addr_parse((struct bytes){text.data, end}, &n.addr))
		return reason_set(why, ERR_PARSE, "'%s' is not a network",
		                  text_shown(text, show, sizeof(show)));
	len = addr_bits(&n.addr);
	if (slash && !text_to_u64(part(text, end + 1, text.len), len, &len))
		return reason_set(why, ERR_PARSE, "'%s' has no length of 0 to %u behind the slash",
		                  text_shown(text, show, sizeof(show)), addr_bits(&n.addr));
	n.len = (uint8_t)len;
	masked = addr_masked(&n.addr, n.len);
	if (!addr_equal(&masked, &n.addr))
		return reason_set(why, ERR_RANGE, "'%s' has bits set behind its length",
		                  text_shown(text, show, sizeof(show)));
	*out = n;
	return ERR_OK;
}

char *addr_network_print(const struct addr_network *n, char out[ADDR_NETWORK_TEXT_SIZE])
{
	size_t len = strlen(addr_print(&n->addr, out));

	snprintf(out + len, ADDR_NETWORK_TEXT_SIZE - len, "/%u", n->len);
	return out;
}

bool addr_network_has(const struct addr_network *n, const struct addr *a)
{
	struct addr masked = addr_masked(a, n->len);

	return addr_equal(&masked, &n->addr);
}

int addr_network_compare(const struct addr_network *a, const struct addr_network *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

struct addr_network addr_network_unmapped(const struct addr_network *n)
{
	struct addr a = n->len >= 96 ? addr_unmapped(&n->addr) : n->addr;

	if (a.family == n->addr.family)
		return *n;
	return (struct addr_network){a, (uint8_t)(n->len - 96)};
}

enum err addr_port_parse(struct bytes text, struct addr *addr, uint16_t *port, struct reason *why)
{
	size_t colon = text.len;
	struct addr a;
	uint64_t number;
	bool found;
	char show[80];

	while (colon > 0 && text.data[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return reason_set(why, ERR_PARSE, "'%s' has no port (A.B.C.D:PORT or [V6]:PORT)",
		                  text_shown(text, show, sizeof(show)));
	if (colon > 3 && text.data[0] == '[' && text.data[colon - 2] == ']')
		found = addr_parse(part(text, 1, colon - 2), &a) && a.family == ADDR_IPV6;
	else
		found = addr_parse(part(text, 0, colon - 1), &a) && a.family == ADDR_IPV4;
	if (!found)
		return reason_set(why, ERR_PARSE, "'%s' is not A.B.C.D:PORT or [V6]:PORT",
		                  text_shown(text, show, sizeof(show)));
	if (!text_to_u64(part(text, colon, text.len), UINT16_MAX, &number))
		return reason_set(why, ERR_PARSE, "'%s' has no port of 0 to 65535",
		                  text_shown(text, show, sizeof(show)));
	*addr = a;
	*port = (uint16_t)number;
	return ERR_OK;
}

char *addr_port_print(const struct addr *a, uint16_t port, char out[ADDR_PORT_TEXT_SIZE])
{
	char text[ADDR_TEXT_SIZE];
	bool v6 = a->family == ADDR_IPV6;

	snprintf(out, ADDR_PORT_TEXT_SIZE, "%s%s%s:%u", v6 ? "[" : "", addr_print(a, text),
	         v6 ? "]" : "", port);
	return out;
}

socklen_t addr_to_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	CHECK(a->family != ADDR_NONE);
	memset(out, 0, sizeof(*out));
	if (a->family == ADDR_IPV4) {
		memcpy(&v4.sin_addr, a->bytes, 4);
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, a->bytes, 16);
	memcpy(out, &v6, sizeof(v6));
	return sizeof(v6);
}

struct addr addr_from_sockaddr(const struct sockaddr *sa, uint16_t *port_out)
{
	struct addr a = {.family = ADDR_NONE};
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uint16_t port = 0;

	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		a.family = ADDR_IPV4;
		memcpy(a.bytes, &v4.sin_addr, 4);
		port = ntohs(v4.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		a.family = ADDR_IPV6;
		memcpy(a.bytes, &v6.sin6_addr, 16);
		port = ntohs(v6.sin6_port);
	}
	if (port_out)
		*port_out = port;
	return a;
}
