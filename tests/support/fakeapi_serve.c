/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/xalloc.h"

enum { GZIP_FROM = 128 * 1024 };

/* --- Status objects --- */

static const char *reason_of(int status)
{
	switch (status) {
	case 400:
		return "BadRequest";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "NotFound";
	case 405:
		return "MethodNotAllowed";
	case 406:
		return "NotAcceptable";
	case 409:
		return "Conflict";
	case 410:
		return "Expired";
	case 422:
		return "Invalid";
	case 429:
		return "TooManyRequests";
	case 500:
		return "InternalError";
	case 503:
		return "ServiceUnavailable";
	case 504:
		return "Timeout";
	default:
		return "";
	}
}

void status_add(struct text *out, int status, const char *message, const char *list_continue)
{
	text_add(out, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{");
	if (list_continue)
		text_printf(out, "\"continue\":\"%s\"", list_continue);
	text_add(out, "},\"status\":\"Failure\",\"message\":");
	text_add_json(out, bytes_of(message));
	text_printf(out, ",\"reason\":\"%s\",\"code\":%d}", reason_of(status), status);
}

/* --- answers that are one text --- */

static void add_date(struct text *headers)
{
	char date[64];
	struct tm tm;
	time_t now = (time_t)clock_unix_s();

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	text_printf(headers, "Date: %s\n", date);
}

/* Status and headers, in front of any kind of body. */
static void begin(struct stream *s, int status, const char *content_type)
{
	s->status = status;
	s->phase = STREAM_ANSWERING;
	text_reset(&s->headers);
	text_add(&s->headers, "Audit-Id: 5ca1ab1e-0000-4000-8000-000000000000\n"
	                      "Cache-Control: no-cache, private\n");
	text_printf(&s->headers, "Content-Type: %s\n", content_type);
	add_date(&s->headers);
}

static void send_off(struct stream *s)
{
	if (s->is_lost)
		s->phase = STREAM_STALLED;
	else if (s->conn->h2)
		h2_begin(s);
	else
		h1_begin(s);
}

void serve_text(struct stream *s, int status, const char *content_type, struct bytes body)
{
	begin(s, status, content_type);
	text_printf(&s->headers, "Content-Length: %zu\n", body.len);
	s->has_length = true;
	s->body = BODY_TEXT;
	text_add_bytes(&s->pending, body);
	s->is_made = true;
	send_off(s);
}

void serve_status(struct stream *s, int status, const char *message)
{
	struct text t = {0};

	status_add(&t, status, message, NULL);
	serve_text(s, status, "application/json", bytes_of(t.data));
	text_fini(&t);
}

/* --- the query --- */

static int hex_of(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

static char *percent_decoded(const char *s, size_t len, bool plus_is_space)
{
	char *out = xmalloc(len + 1), *to = out;

	for (size_t i = 0; i < len; i++) {
		int high = i + 2 < len && s[i] == '%' ? hex_of(s[i + 1]) : -1;
		int low = high >= 0 ? hex_of(s[i + 2]) : -1;

		if (low >= 0) {
			*to++ = (char)(high * 16 + low);
			i += 2;
		} else {
			*to++ = plus_is_space && s[i] == '+' ? ' ' : s[i];
		}
	}
	*to = '\0';
	return out;
}

char *query_get(const char *raw, const char *name)
{
	const char *p = strchr(raw, '?');
	size_t len = strlen(name);

	while (p) {
		p++;
		if (strncmp(p, name, len) == 0 && p[len] == '=') {
			p += len + 1;
			return percent_decoded(p, strcspn(p, "&"), true);
		}
		p = strchr(p, '&');
	}
	return NULL;
}

bool query_is_true(const char *raw, const char *name)
{
	char *value = query_get(raw, name);
	bool is_true = value && strcmp(value, "0") != 0 && strcmp(value, "false") != 0;

	free(value);
	return is_true;
}

static uint64_t query_number(const char *raw, const char *name)
{
	char *value = query_get(raw, name);
	uint64_t number = value ? strtoull(value, NULL, 10) : 0;

	free(value);
	return number;
}

/* --- continue tokens: base64url of "VERSION:KEY"; version 0 stands for now --- */

static char *token_print(uint64_t version, const char *key)
{
	struct text t = {0};
	char *out;

	text_printf(&t, "%" PRIu64 ":%s", version, key);
	out = tls_base64(t.data, t.len);
	text_fini(&t);
	for (char *p = out; *p; p++)
		*p = (char)(*p == '+' ? '-' : *p == '/' ? '_' : *p);
	out[strcspn(out, "=")] = '\0';
	return out;
}

/* The key, which the caller frees; NULL: no token. */
static char *token_read(const char *token, uint64_t *version)
{
	size_t len = strlen(token), padded = (len + 3) / 4 * 4;
	char *in = xmalloc(padded + 1), *out = xcalloc(1, padded + 1), *colon;

	for (size_t i = 0; i < padded; i++)
		in[i] = (char)(i >= len          ? '='
		               : token[i] == '-' ? '+'
		               : token[i] == '_' ? '/'
		                                 : token[i]);
	if (EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)in, (int)padded) < 0)
		*out = '\0';
	free(in);
	colon = strchr(out, ':');
	if (!colon) {
		free(out);
		return NULL;
	}
	*version = strtoull(out, NULL, 10);
	memmove(out, colon + 1, strlen(colon + 1) + 1);
	return out;
}

/* --- lists --- */

static void answer_list(struct stream *s, struct kind *k, const struct choice *c, bool partial)
{
	struct fakeapi *f = s->conn->f;
	size_t limit = query_number(s->request.raw, "limit");
	char *token = query_get(s->request.raw, "continue"), *after = NULL;
	char *asked = query_get(s->request.raw, "resourceVersion");
	uint64_t version = 0;

	if (asked && strcmp(asked, "0") == 0)
		limit = 0; /* from the watch cache, which knows no pages */
	if (token && *token)
		after = token_read(token, &version);
	if (token && *token && !after) {
		serve_status(s, 400, "continue key is not valid");
	} else if (after && version && version < f->compacted) {
		struct text t = {0};
		char *fresh = token_print(0, after);

		status_add(&t, 410,
		           "The provided continue parameter is too old to display a consistent "
		           "list result.",
		           fresh);
		serve_text(s, 410, "application/json", bytes_of(t.data));
		text_fini(&t);
		free(fresh);
	} else if (!after && asked && strtoull(asked, NULL, 10) > f->version) {
		serve_status(s, 504, "Too large resource version");
	} else {
		begin(s, 200, "application/json");
		s->body = BODY_LIST;
		s->list_kind = k;
		s->list_partial = partial;
		store_list(f, k, c, version > f->version ? 0 : version, after, limit, &s->list);
		if (s->list.remaining > 0)
			s->list_continue = token_print(s->list.version,
			                               s->list.objects[s->list.count - 1]->key);
		if (c->name || c->labels || c->fields)
			s->list.remaining = 0; /* not told of selections */
		if (f->options.gzip && s->request.accepts_gzip && s->list.bytes >= GZIP_FROM)
			stream_gzip(s);
		send_off(s);
	}
	free(asked);
	free(token);
	free(after);
}

static void answer_object(struct stream *s, struct kind *k, const struct choice *c, bool partial)
{
	struct list l;
	struct text t = {0};

	store_list(s->conn->f, k, c, 0, NULL, 0, &l);
	if (l.count == 0) {
		text_printf(&t, "%s%s%s \"%s\" not found", k->plural, *k->group ? "." : "",
		            k->group, c->name);
		serve_status(s, 404, t.data);
	} else if (partial) {
		text_printf(&t,
		            "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\","
		            "\"metadata\":%.*s}",
		            (int)l.objects[0]->meta_len,
		            l.objects[0]->text + l.objects[0]->meta_at);
		serve_text(s, 200, "application/json", bytes_of(t.data));
	} else {
		serve_text(s, 200, "application/json", bytes_of(l.objects[0]->text));
	}
	text_fini(&t);
	list_fini(&l);
}

/* --- watches --- */

static void answer_watch(struct stream *s, struct kind *k, struct choice *c, bool partial)
{
	struct fakeapi *f = s->conn->f;
	bool wants_list = query_is_true(s->request.raw, "sendInitialEvents");
	char *match = query_get(s->request.raw, "resourceVersionMatch");
	bool matches = match && strcmp(match, "NotOlderThan") == 0;

	free(match);
	if (wants_list && f->options.watch_list == FAKEAPI_WATCH_LIST_REFUSED) {
		serve_status(s, 422,
		             "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for "
		             "watch unless the WatchList feature gate is enabled");
		return;
	}
	if (wants_list && f->options.watch_list == FAKEAPI_WATCH_LIST_SERVED && !matches) {
		serve_status(s, 422,
		             "resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
		             "resourceVersionMatch to NotOlderThan");
		return;
	}
	begin(s, 200, "application/json");
	watch_begin(s, k, c, s->request.raw, partial);
	send_off(s);
}

/* --- finding the way --- */

/* "a=b" of a field selector; false: there is something that is not known here. */
static bool read_selector(char *selector, struct choice *c)
{
	char *rest = selector, *part;

	while (rest && (part = strsep(&rest, ",")) != NULL) {
		char *equals = strchr(part, '=');
		char **to = NULL;

		if (!*part)
			continue;
		if (!equals || (equals > part && equals[-1] == '!'))
			return false;
		*equals = '\0';
		equals += equals[1] == '=' ? 2 : 1;
		if (strcmp(part, "metadata.name") == 0)
			to = &c->name;
		else if (strcmp(part, "metadata.namespace") == 0)
			to = &c->namespace;
		if (to) {
			free(*to);
			*to = xstrdup(equals);
		} else if (!fields_read(c, part, equals)) {
			return false;
		}
	}
	return true;
}

/* The kind of a path, and what of it is meant; NULL: none.  *is_one: a single object; *sub: a subresource of it, "" for
 * none. */
static struct kind *route(struct fakeapi *f, const char *path, struct choice *c, bool *is_one,
                          const char **sub)
{
	const char *base_end = path, *rest, *slash;
	struct text list = {0};
	struct kind *k;
	size_t slashes = strncmp(path, "/apis/", 6) == 0 ? 4 : 3;

	*is_one = false;
	*sub = "";
	for (size_t i = 0; i < slashes; i++) {
		base_end = strchr(i ? base_end + 1 : base_end, '/');
		if (!base_end)
			return NULL;
	}
	rest = base_end + 1;
	if (strncmp(rest, "namespaces/", 11) == 0 && (slash = strchr(rest + 11, '/')) != NULL) {
		c->namespace = xstrndup(rest + 11, (size_t)(slash - rest) - 11);
		rest = slash + 1;
	}
	slash = strchr(rest, '/');
	text_add_bytes(&list, (struct bytes){(const uint8_t *)path, (size_t)(base_end - path) + 1});
	text_add_bytes(&list, (struct bytes){(const uint8_t *)rest, strcspn(rest, "/")});
	k = store_find(f, list.data, list.len);
	text_fini(&list);
	if (k && slash) {
		*is_one = true;
		c->name = xstrndup(slash + 1, strcspn(slash + 1, "/"));
		*sub = slash + 1 + strlen(c->name);
		*sub += **sub == '/';
	}
	return k && k->registered && (k->namespaced || !c->namespace) ? k : NULL;
}

static const char *verb_of(const struct stream *s, bool watches, bool is_one)
{
	static const char *const verbs[][2] = {
		{"POST", "create"}, {"PUT", "update"}, {"PATCH", "patch"}, {"DELETE", "delete"}};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(s->request.method, verbs[i][0]) == 0)
			return verbs[i][1];
	return watches ? "watch" : is_one ? "get" : "list";
}

static void answer_resource(struct stream *s, struct kind *k, struct choice *c, bool is_one,
                            const char *sub)
{
	bool watches = query_is_true(s->request.raw, "watch") && !is_one;
	const char *accept = s->request.accept ? s->request.accept : "";
	bool partial = strstr(accept, "as=PartialObjectMetadata") != NULL;
	bool partial_list = strstr(accept, "as=PartialObjectMetadataList") != NULL;
	char *fields = query_get(s->request.raw, "fieldSelector");
	char *labels = query_get(s->request.raw, "labelSelector");
	struct text message = {0};

	if (k->forbidden) {
		text_printf(
			&message,
			"%s%s%s is forbidden: User \"system:serviceaccount:nigh:reader\" cannot "
			"%s resource \"%s\" in API group \"%s\" at the cluster scope",
			k->plural, *k->group ? "." : "", k->group, verb_of(s, watches, is_one),
			k->plural, k->group);
		serve_status(s, 403, message.data);
	} else if ((fields && !read_selector(fields, c)) || (labels && !labels_read(c, labels))) {
		serve_status(s, 400, "fakeapi knows no such selector");
	} else if (partial && (watches || is_one) == partial_list) {
		text_printf(&message,
		            "you requested PartialObjectMetadata%s, but the requested "
		            "object is %s list",
		            partial_list ? "List" : "", partial_list ? "not a" : "a");
		serve_status(s, 406, message.data);
	} else if (strcmp(s->request.method, "GET") != 0) {
		write_answer(s, k, c, sub);
	} else if (watches) {
		answer_watch(s, k, c, partial);
	} else if (is_one) {
		answer_object(s, k, c, partial);
	} else {
		answer_list(s, k, c, partial);
	}
	text_fini(&message);
	free(fields);
	free(labels);
}

static void answer_version(struct stream *s)
{
	struct text t = {0};

	text_add(&t, "{\n  \"major\": \"1\",\n  \"minor\": \"31\",\n  \"gitVersion\": ");
	text_add_json(&t, bytes_of(s->conn->f->version_text));
	text_add(&t, ",\n  \"gitTreeState\": \"clean\",\n  \"platform\": \"linux/amd64\"\n}");
	serve_text(s, 200, "application/json", bytes_of(t.data));
	text_fini(&t);
}

static bool is_let_in(const struct stream *s)
{
	const struct fakeapi *f = s->conn->f;
	const char *authorization = s->request.authorization;

	if (!*f->token || (!authorization && tls_knows(s->conn->ssl)))
		return true;
	return authorization && strncasecmp(authorization, "Bearer ", 7) == 0 &&
	       strcmp(authorization + 7, f->token) == 0;
}

static void answer_truly(struct stream *s)
{
	struct fakeapi *f = s->conn->f;
	char *path = xstrndup(s->request.target, strcspn(s->request.target, "?"));
	struct choice c = {0};
	const char *sub;
	struct kind *k;
	bool is_one;

	if (!is_let_in(s))
		serve_status(s, 401, "Unauthorized");
	else if ((k = route(f, path, &c, &is_one, &sub)) != NULL &&
	         (!*sub || strcmp(sub, "status") == 0))
		answer_resource(s, k, &c, is_one, sub);
	else if (strcmp(s->request.method, "GET") != 0)
		serve_status(s, 405,
		             "the server does not allow this method on the requested resource");
	else if (strcmp(path, "/version") == 0)
		answer_version(s);
	else if (strcmp(path, "/healthz") == 0 || strcmp(path, "/livez") == 0 ||
	         strcmp(path, "/readyz") == 0)
		serve_text(s, 200, "text/plain; charset=utf-8", bytes_of("ok"));
	else
		serve_status(s, 404, "the server could not find the requested resource");
	choice_fini(&c);
	free(path);
}

/* --- by rule --- */

static void answer_by_rule(struct stream *s, const struct rule *r)
{
	switch (r->what) {
	case RULE_ANSWER:
		if (r->status < 300 && strcmp(s->request.method, "GET") != 0)
			write_tell(s);
		begin(s, r->status, r->content_type);
		text_printf(&s->headers, "%s%sContent-Length: %zu\n", r->headers,
		            *r->headers ? "\n" : "", r->body.len);
		s->has_length = true;
		text_add_bytes(&s->pending,
		               (struct bytes){(const uint8_t *)r->body.data, r->body.len});
		s->is_made = true;
		send_off(s);
		break;
	case RULE_WIRE:
		s->phase = STREAM_STALLED;
		buffer_put(&s->conn->out, r->body.data, r->body.len);
		break;
	case RULE_ENDLESS:
		begin(s, 200, "application/json");
		s->body = BODY_ENDLESS;
		s->endless = (enum fakeapi_endless)r->number;
		send_off(s);
		break;
	case RULE_LOSE:
		s->is_lost = true;
		s->phase = STREAM_STALLED;
		if (r->number != FAKEAPI_LOSS_BEFORE)
			answer_truly(s);
		if (r->number == FAKEAPI_LOSS_ANSWER)
			break;
		if (s->conn->h2)
			nghttp2_submit_rst_stream(s->conn->h2, NGHTTP2_FLAG_NONE, s->id,
			                          NGHTTP2_INTERNAL_ERROR);
		else
			conn_end(s->conn, FAKEAPI_CUT_CLOSE);
		break;
	case RULE_STALL:
	case RULE_DELAY:
	case RULE_DRIP:
	case RULE_CUT:
	case RULE_HANG:
		s->phase = STREAM_STALLED;
		break;
	}
}

void serve_answer(struct stream *s)
{
	if (s->rule)
		answer_by_rule(s, s->rule);
	else
		answer_truly(s);
}

/* --- what came --- */

static void note_request(struct fakeapi *f, const struct stream *s)
{
	struct text line = {0};

	text_printf(&line, "%s %s HTTP/%s", s->request.method, s->request.target,
	            s->conn->h2 ? "2" : "1.1");
	if (f->request_count == f->request_room) {
		f->request_room = f->request_room ? f->request_room * 2 : 64;
		f->requests = xreallocarray(f->requests, f->request_room, sizeof(char *));
	}
	f->requests[f->request_count++] = text_take(&line);
	if (s->request.body.len > 0) {
		text_reset(&f->written);
		text_add_bytes(&f->written, bytes_of(s->request.body.data));
	}
	free(f->authorization);
	f->authorization = xstrdup(s->request.authorization ? s->request.authorization : "");
}

void serve_request(struct stream *s)
{
	struct fakeapi *f = s->conn->f;

	if (!s->request.method)
		s->request.method = xstrdup("");
	if (!s->request.raw)
		s->request.raw = xstrdup("");
	s->request.target = percent_decoded(s->request.raw, strlen(s->request.raw), false);
	s->is_watch_request = query_is_true(s->request.raw, "watch");
	note_request(f, s);
	s->rule = rules_apply(f, s);
	if (s->start_at_ms)
		s->phase = STREAM_WAITING;
	else
		serve_answer(s);
}
