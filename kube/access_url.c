/* SPDX-License-Identifier: Apache-2.0 */
/* No text of these errors holds a part of the URL: where a URL should be, people put tokens too. */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/text.h"
#include "kube/access.h"

enum { URL_MOST = 2048, HOST_MOST = 253, PORT_MOST = 65535 };

struct parts {
	bool has_scheme;
	struct bytes scheme;    /* "https" */
	struct bytes authority; /* "user@host:port" */
	struct bytes path;      /* from its slash on, or empty */
};

static struct bytes until(struct bytes b, const uint8_t *end)
{
	return (struct bytes){b.data, (size_t)(end - b.data)};
}

static struct bytes from(struct bytes b, const uint8_t *begin)
{
	return (struct bytes){begin, (size_t)(b.data + b.len - begin)};
}

static void split(const char *text, struct parts *out)
{
	struct bytes rest = bytes_of(text);
	const char *mark = strstr(text, "://");
	const uint8_t *slash;

	*out = (struct parts){.has_scheme = mark != NULL};
	if (mark) {
		out->scheme = until(rest, (const uint8_t *)mark);
		rest = from(rest, (const uint8_t *)mark + 3);
	}
	slash = rest.len > 0 ? memchr(rest.data, '/', rest.len) : NULL;
	out->authority = slash ? until(rest, slash) : rest;
	out->path = from(rest, slash ? slash : rest.data + rest.len);
}

/* What no URL of ours holds, wherever in it. */
static enum err check_characters(const char *text, struct reason *why)
{
	size_t len = strnlen(text, URL_MOST + 1);

	if (len == 0)
		return reason_set(why, ERR_PARSE, "empty");
	if (len > URL_MOST)
		return reason_set(why, ERR_PARSE, "longer than %d bytes", URL_MOST);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c >= 0x7f || c == '\\')
			return reason_set(why, ERR_PARSE,
			                  "holds a space, a backslash, a control character or one "
			                  "that is not ASCII");
		if (c == '?' || c == '#')
			return reason_set(why, ERR_PARSE, "may not have a query or a fragment");
	}
	return ERR_OK;
}

static bool is_host_name(struct bytes host)
{
	for (size_t i = 0; i < host.len; i++) {
		uint8_t c = host.data[i];
		bool is_alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');

		if (!is_alnum && c != '-' && c != '_' && c != '.')
			return false;
		if (c == '.' && (i == 0 || host.data[i - 1] == '.'))
			return false;
	}
	return host.len > 0 && host.len <= HOST_MOST;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static enum err check_host(struct bytes authority, struct reason *why)
{
	bool is_bracketed = authority.len > 0 && authority.data[0] == '[';
	const uint8_t *end =
		authority.len > 0 ? memchr(authority.data, is_bracketed ? ']' : ':', authority.len)
				  : NULL;
	struct bytes host = end ? until(authority, end) : authority;
	struct bytes port = end ? from(authority, end + is_bracketed) : (struct bytes){0};
	struct addr addr;
	uint64_t number;

	if (is_bracketed && end)
		host = from(host, host.data + 1);
	if (host.len == 0)
		return reason_set(why, ERR_PARSE, "has no host");
	if (is_bracketed && (!end || !addr_parse(host, &addr) || addr.family != ADDR_IPV6))
		return reason_set(why, ERR_PARSE, "has no IPv6 address between its brackets");
	if (!is_bracketed && !is_host_name(host))
		return reason_set(why, ERR_PARSE, "its host is neither a name nor an address");
	if (port.len == 0)
		return ERR_OK;
	if (port.data[0] != ':' || !text_to_u64(from(port, port.data + 1), PORT_MOST, &number) ||
	    number == 0)
		return reason_set(why, ERR_PARSE, "its port is not 1..%d", PORT_MOST);
	return ERR_OK;
}

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character of a path that begins at *at, which is moved behind it; -1: not one that may be there. */
static int next_of_path(struct bytes path, size_t *at)
{
	int c = path.data[(*at)++], high, low;

	if (c != '%')
		return c;
	if (path.len - *at < 2)
		return -1;
	high = hex(path.data[*at]);
	low = hex(path.data[*at + 1]);
	*at += 2;
	c = high < 0 || low < 0 ? -1 : high * 16 + low;
	return c < ' ' || c == 0x7f || c == '\\' ? -1 : c;
}

/* Seen as a server may see it, with its escapes undone: no segment is "." or "..", and no escape hides a
 * control character. */
static enum err check_path(struct bytes path, struct reason *why)
{
	size_t len = 0, dots = 0; /* of the segment */

	for (size_t at = 0; at < path.len;) {
		int c = next_of_path(path, &at);

		if (c < 0)
			return reason_set(why, ERR_PARSE, "its path has a bad escape");
		if (c == '.')
			dots++;
		if (c != '/')
			len++;
		if ((c == '/' || at == path.len) && dots == len && (len == 1 || len == 2))
			return reason_set(why, ERR_PARSE, "its path has a segment of dots");
		if (c == '/')
			len = dots = 0;
	}
	return ERR_OK;
}

static bool is_scheme(struct bytes scheme, const char *name)
{
	return scheme.len == strlen(name) &&
	       strncasecmp((const char *)scheme.data, name, scheme.len) == 0;
}

static enum err check_endpoint(const char *text, struct parts *parts, struct reason *why)
{
	enum err err = check_characters(text, why);

	if (err)
		return err;
	split(text, parts);
	if (parts->has_scheme && !is_scheme(parts->scheme, "https") &&
	    !is_scheme(parts->scheme, "http"))
		return reason_set(why, ERR_PARSE, "its scheme is neither https nor http");
	if (!parts->has_scheme && parts->path.len > 1)
		return reason_set(why, ERR_PARSE, "has a path, but no scheme (https://) before it");
	if (parts->authority.len > 0 && memchr(parts->authority.data, '@', parts->authority.len))
		return reason_set(why, ERR_PARSE, "may not have a user");
	err = check_host(parts->authority, why);
	return err ? err : check_path(parts->path, why);
}

enum err kube_endpoint_read(const char *text, char **out, struct reason *why)
{
	struct parts parts;
	struct text url = {0};
	enum err err = check_endpoint(text, &parts, why);

	*out = NULL;
	if (err)
		return err;
	while (parts.path.len > 0 && parts.path.data[parts.path.len - 1] == '/')
		parts.path.len--;
	text_add(&url, parts.has_scheme && is_scheme(parts.scheme, "http") ? "http" : "https");
	text_add(&url, "://");
	text_add_bytes(&url, parts.authority);
	text_add_bytes(&url, parts.path);
	*out = text_take(&url);
	return ERR_OK;
}

enum err kube_proxy_check(const char *text, struct reason *why)
{
	struct parts parts;
	struct bytes host;
	const uint8_t *at;
	enum err err = check_characters(text, why);

	if (err)
		return err;
	split(text, &parts);
	if (!is_scheme(parts.scheme, "http") && !is_scheme(parts.scheme, "https") &&
	    !is_scheme(parts.scheme, "socks5"))
		return reason_set(why, ERR_PARSE, "its scheme is none of http, https, socks5");
	host = parts.authority;
	at = host.len > 0 ? memrchr(host.data, '@', host.len) : NULL;
	err = check_host(at ? from(host, at + 1) : host, why);
	return err ? err : check_path(parts.path, why);
}
