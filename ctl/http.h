/* http.h -- one question to nighd's HTTP interface (libcurl).
 *
 * No redirects, no proxies, five seconds, sixteen megabytes: what does not fit is an error.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_HTTP_H
#define CTL_HTTP_H

#include "base/err.h"
#include "base/text.h"

enum { HTTP_BODY_MOST = 16 << 20, HTTP_TIMEOUT_S = 5 };

/* Appends `?key=value` or `&key=value`, escaped (RFC 3986 2); nothing for a NULL or empty value. */
void http_add_arg(struct text *url, const char *key, const char *value);

/* GET or POST of http(s)://...  ERR_UNREACHABLE, ERR_TIMEOUT, ERR_NOSPACE (the body is too long),
 * and for an answer that is not 200 ERR_NOTFOUND (404), ERR_DENIED (401, 403) or ERR_PARSE, with
 * the server's {error}. */
enum err http_get(const char *url, struct text *body, struct reason *why) MUST_CHECK;
enum err http_post(const char *url, struct text *body, struct reason *why) MUST_CHECK;

#endif
