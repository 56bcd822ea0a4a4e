/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"

bool where_fits(const char *where, const char *target)
{
	const char *mark = strchr(where, '?'), *query = strchr(target, '?');
	size_t len = mark ? (size_t)(mark - where) : strlen(where);

	if (strncmp(target, where, len) != 0)
		return false;
	if (!mark)
		return true;
	query = query ? query + 1 : "";
	if (mark[1] == '!')
		return strstr(query, mark + 2) == NULL;
	return strstr(query, mark + 1) != NULL;
}

/* --- making and removing --- */

void rule_free(struct rule *r)
{
	if (!r)
		return;
	free(r->where);
	free(r->headers);
	free(r->content_type);
	text_fini(&r->body);
	free(r);
}

void rules_fini(struct fakeapi *f)
{
	while (f->rules) {
		struct rule *r = f->rules;

		f->rules = r->next;
		rule_free(r);
	}
}

static void add_rule(struct fakeapi *f, const char *where, unsigned times, struct rule made)
{
	struct rule *r = xmalloc(sizeof(*r));

	*r = made;
	r->where = xstrdup(where);
	r->times = times;
	fake_lock(f);
	r->next = f->rules;
	f->rules = r;
	fake_unlock(f);
}

void fakeapi_no_rule(struct fakeapi *f, const char *where)
{
	fake_lock(f);
	for (struct rule **at = &f->rules; *at;) {
		struct rule *r = *at;

		if (where && strcmp(r->where, where) != 0) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		rule_free(r);
	}
	fake_unlock(f);
}

static void add_data(struct text *t, const void *data, size_t len)
{
	text_add(t, "");
	text_add_bytes(t, (struct bytes){data, len});
}

void fakeapi_answer(struct fakeapi *f, const char *where, unsigned times, int status,
                    const char *headers)
{
	struct rule r = {.what = RULE_ANSWER, .status = status};

	r.headers = xstrdup(headers ? headers : "");
	r.content_type = xstrdup("application/json");
	status_add(&r.body, status, "the test wants it so", NULL);
	add_rule(f, where, times, r);
}

void fakeapi_answer_bytes(struct fakeapi *f, const char *where, unsigned times, int status,
                          const char *content_type, const void *data, size_t len)
{
	struct rule r = {.what = RULE_ANSWER, .status = status};

	r.headers = xstrdup("");
	r.content_type = xstrdup(content_type);
	add_data(&r.body, data, len);
	add_rule(f, where, times, r);
}

void fakeapi_redirect(struct fakeapi *f, const char *where, unsigned times, const char *url)
{
	struct text location = {0};

	text_printf(&location, "Location: %s", url);
	fakeapi_answer(f, where, times, 302, location.data);
	text_fini(&location);
}

void fakeapi_answer_wire(struct fakeapi *f, const char *where, unsigned times, const void *data,
                         size_t len)
{
	struct rule r = {.what = RULE_WIRE};

	add_data(&r.body, data, len);
	add_rule(f, where, times, r);
}

void fakeapi_stall(struct fakeapi *f, const char *where, unsigned times)
{
	add_rule(f, where, times, (struct rule){.what = RULE_STALL});
}

void fakeapi_hang(struct fakeapi *f, const char *where, unsigned times, uint64_t after_bytes)
{
	add_rule(f, where, times, (struct rule){.what = RULE_HANG, .number = after_bytes});
}

void fakeapi_cut(struct fakeapi *f, const char *where, unsigned times, uint64_t after_bytes,
                 enum fakeapi_cut how)
{
	add_rule(f, where, times,
	         (struct rule){.what = RULE_CUT, .number = after_bytes, .how = how});
}

void fakeapi_endless(struct fakeapi *f, const char *where, unsigned times,
                     enum fakeapi_endless what)
{
	add_rule(f, where, times, (struct rule){.what = RULE_ENDLESS, .number = what});
}

void fakeapi_delay(struct fakeapi *f, const char *where, unsigned times, unsigned ms)
{
	add_rule(f, where, times, (struct rule){.what = RULE_DELAY, .number = ms});
}

void fakeapi_drip(struct fakeapi *f, const char *where, unsigned times, unsigned bytes_per_s)
{
	add_rule(f, where, times, (struct rule){.what = RULE_DRIP, .number = bytes_per_s});
}

void fakeapi_lose(struct fakeapi *f, const char *where, unsigned times, enum fakeapi_loss what)
{
	add_rule(f, where, times, (struct rule){.what = RULE_LOSE, .number = what});
}

/* --- applying --- */

/* "/api/v1/namespaces/shop/services/web?a=b" -> "/api/v1/services/shop/web?a=b" */
static void add_by_list(struct text *out, const char *target)
{
	const char *at = strstr(target, "/namespaces/"), *name = at ? at + 12 : NULL;
	const char *plural = name ? strchr(name, '/') : NULL;
	size_t plural_len = plural ? strcspn(plural + 1, "/?") + 1 : 0;

	if (!plural || plural > target + strcspn(target, "?")) {
		text_add(out, target);
		return;
	}
	text_printf(out, "%.*s%.*s/%.*s%s", (int)(at - target), target, (int)plural_len, plural,
	            (int)(plural - name), name, plural + plural_len);
}

static bool request_fits(const char *where, const struct request *r)
{
	const char *path = strchr(where, '/');
	struct text target = {0};
	bool fits;

	if (!path || path == where)
		return where_fits(where, r->target);
	if (strncmp(where, "WRITE ", 6) == 0 ? strcmp(r->method, "GET") == 0
	                                     : strncmp(where, r->method, strlen(r->method)) != 0)
		return false;
	add_by_list(&target, r->target);
	fits = where_fits(path, target.data);
	text_fini(&target);
	return fits;
}

static struct rule *rule_copy(const struct rule *r)
{
	struct rule *copy = xmalloc(sizeof(*copy));

	*copy = *r;
	copy->next = NULL;
	copy->where = xstrdup(r->where);
	copy->headers = r->headers ? xstrdup(r->headers) : NULL;
	copy->content_type = r->content_type ? xstrdup(r->content_type) : NULL;
	copy->body = (struct text){0};
	add_data(&copy->body, r->body.data, r->body.len);
	return copy;
}

/* What joins an answer. */
static void join(struct stream *s, const struct rule *r)
{
	switch (r->what) {
	case RULE_DELAY:
		s->start_at_ms = clock_monotonic_ms() + r->number;
		break;
	case RULE_DRIP:
		s->drip_per_s = r->number;
		break;
	case RULE_CUT:
		s->cut_at = r->number;
		s->cut_how = r->how;
		break;
	case RULE_HANG:
		s->hang_at = r->number;
		break;
	case RULE_ANSWER:
	case RULE_WIRE:
	case RULE_STALL:
	case RULE_ENDLESS:
	case RULE_LOSE:
		break;
	}
}

struct rule *rules_apply(struct fakeapi *f, struct stream *s)
{
	struct rule *answer = NULL;
	unsigned seen = 0;

	for (struct rule **at = &f->rules; *at;) {
		struct rule *r = *at;
		unsigned sort = 1U << (r->what < RULE_DELAY ? RULE_ANSWER : r->what);

		if ((seen & sort) || !request_fits(r->where, &s->request)) {
			at = &r->next;
			continue;
		}
		seen |= sort;
		if (r->what < RULE_DELAY)
			answer = rule_copy(r);
		else
			join(s, r);
		if (r->times == 1) {
			*at = r->next;
			rule_free(r);
			continue;
		}
		r->times -= r->times > 0;
		at = &r->next;
	}
	return answer;
}
