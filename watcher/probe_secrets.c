/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/probe_secrets.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/smallfile.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "watcher/probe_pem.h"

/* What a check takes from a Secret: authorities, or a certificate with its key. */
struct use {
	bool is_wanted;
	struct buffer data[DECODE_SECRET_KEYS]; /* the last good; empty: there never was one */
	char *trouble;                          /* NULL: none */
	struct decode_secret *judged;           /* what that is of; NULL: of none */
};
enum { AS_CA, AS_CLIENT, USES };

struct entry {
	char *namespace, *name;
	bool is_named;                /* between begin and end */
	struct decode_secret *server; /* as the API server has it; NULL: it gives none */
	char *why;                    /* it gives none; NULL: it has not said */
	struct use use[USES];
	uint64_t version;
};

struct probe_secrets {
	struct entry *entry[PROBE_SECRETS_MOST]; /* in the order in which they came */
	size_t count;
	bool are_others; /* since begin */
	struct decode_secret **files;
	size_t file_count;
	bool files_are_whole, is_asked;
	bool is_stale; /* something was told that is not judged yet */
	uint64_t versions;
};

static const char unread[] = "is not read yet";
static const char absent[] = "does not exist";

/* --- life --- */

struct probe_secrets *probe_secrets_new(void) { return xcalloc(1, sizeof(struct probe_secrets)); }

static void free_use(struct use *u)
{
	for (size_t i = 0; i < DECODE_SECRET_KEYS; i++)
		smallfile_wipe(&u->data[i]);
	free(u->trouble);
	decode_secret_unref(u->judged);
	*u = (struct use){.is_wanted = false};
}

static void free_entry(struct entry *e)
{
	for (size_t i = 0; i < USES; i++)
		free_use(&e->use[i]);
	decode_secret_unref(e->server);
	free(e->why);
	free(e->namespace);
	free(e->name);
	free(e);
}

static void drop_files(struct probe_secrets *s)
{
	for (size_t i = 0; i < s->file_count; i++)
		decode_secret_unref(s->files[i]);
	free(s->files);
	s->files = NULL;
	s->file_count = 0;
}

void probe_secrets_free(struct probe_secrets *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		free_entry(s->entry[i]);
	drop_files(s);
	free(s);
}

/* --- which are wanted --- */

static struct entry *find(const struct probe_secrets *s, struct bytes namespace, struct bytes name)
{
	for (size_t i = 0; i < s->count; i++)
		if (bytes_equal_text(name, s->entry[i]->name) &&
		    bytes_equal_text(namespace, s->entry[i]->namespace))
			return s->entry[i];
	return NULL;
}

void probe_secrets_begin(struct probe_secrets *s)
{
	s->are_others = false;
	for (size_t i = 0; i < s->count; i++) {
		s->entry[i]->is_named = false;
		for (size_t k = 0; k < USES; k++)
			s->entry[i]->use[k].is_wanted = false;
	}
}

static void want(struct probe_secrets *s, struct bytes namespace, struct bytes name, size_t use)
{
	struct entry *e = find(s, namespace, name);

	if (name.len == 0 || (!e && s->count == PROBE_SECRETS_MOST))
		return;
	if (!e) {
		e = xcalloc(1, sizeof(*e));
		e->namespace = text_copy(namespace);
		e->name = text_copy(name);
		s->entry[s->count++] = e;
		s->are_others = s->is_stale = true;
	}
	s->is_stale |= !e->use[use].is_wanted;
	e->is_named = e->use[use].is_wanted = true;
}

void probe_secrets_want(struct probe_secrets *s, struct bytes namespace,
                        const struct policy_check *check)
{
	if (check->mode == POLICY_MODE_OFF)
		return;
	want(s, namespace, check->ca_secret, AS_CA);
	want(s, namespace, check->client_secret, AS_CLIENT);
}

bool probe_secrets_end(struct probe_secrets *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (s->entry[i]->is_named) {
			s->entry[kept++] = s->entry[i];
			continue;
		}
		free_entry(s->entry[i]);
		s->are_others = true;
	}
	s->count = kept;
	return s->are_others;
}

void probe_secrets_each(const struct probe_secrets *s, probe_secrets_on_name_fn *fn, void *arg)
{
	for (size_t i = 0; i < s->count; i++)
		fn(s->entry[i]->namespace, s->entry[i]->name, arg);
}

/* --- what sources tell --- */

void probe_secrets_set_files(struct probe_secrets *s, struct decode_secret *const *list,
                             size_t count, bool is_whole)
{
	struct decode_secret **files;

	if (count == s->file_count && is_whole == s->files_are_whole &&
	    (count == 0 || !memcmp(list, s->files, count * sizeof(*list))))
		return; /* files of other objects have changed */
	files = xcalloc(count + 1, sizeof(struct decode_secret *));
	for (size_t i = 0; i < count; i++)
		files[i] = decode_secret_ref(list[i]);
	drop_files(s);
	s->files = files;
	s->file_count = count;
	s->files_are_whole = is_whole;
	s->is_stale = true;
}

static void set_server(struct entry *e, struct decode_secret *is, const char *why)
{
	decode_secret_unref(e->server);
	e->server = is ? decode_secret_ref(is) : NULL;
	free(e->why);
	e->why = why ? xstrdup(why) : NULL;
}

void probe_secrets_set_server(struct probe_secrets *s, bool is_asked)
{
	for (size_t i = 0; i < s->count && !is_asked; i++)
		set_server(s->entry[i], NULL, NULL);
	s->is_asked = is_asked;
	s->is_stale = true;
}

void probe_secrets_put(struct probe_secrets *s, const char *namespace, const char *name,
                       struct decode_secret *is, const char *why)
{
	struct entry *e = find(s, bytes_of(namespace), bytes_of(name));

	if (!e)
		return;
	set_server(e, is, why);
	s->is_stale = true;
}

/* --- what follows --- */

static struct decode_secret *find_in_files(const struct probe_secrets *s, struct bytes namespace,
                                           struct bytes name)
{
	for (size_t i = 0; i < s->file_count; i++)
		if (bytes_equal_text(name, s->files[i]->name) &&
		    bytes_equal_text(namespace, s->files[i]->namespace))
			return s->files[i];
	return NULL;
}

static struct decode_secret *find_told(const struct probe_secrets *s, const struct entry *e)
{
	struct decode_secret *file = find_in_files(s, bytes_of(e->namespace), bytes_of(e->name));

	return file ? file : e->server;
}

bool probe_secrets_has(const struct probe_secrets *s, struct bytes namespace, struct bytes name)
{
	const struct entry *e = find(s, namespace, name);

	return find_in_files(s, namespace, name) != NULL || (e && e->server);
}

static const char *why_none(const struct probe_secrets *s, const struct entry *e)
{
	if (e->why)
		return e->why;
	return s->is_asked || !s->files_are_whole ? unread : absent;
}

static struct bytes bytes_in(const struct buffer *b) { return (struct bytes){b->data, b->len}; }

static enum err check_value(const struct decode_secret *d, size_t key, struct reason *why)
{
	const struct decode_secret_value *v = &d->of[key];

	if (v->wrong)
		return reason_set(why, ERR_PARSE, "%s", v->wrong);
	if (key == DECODE_SECRET_PRIVATE)
		return probe_pem_check_key(bytes_in(&v->data), "tls.key",
		                           bytes_in(&d->of[DECODE_SECRET_CERTIFICATE].data),
		                           "tls.crt", why);
	return probe_pem_check_certificates(bytes_in(&v->data),
	                                    key == DECODE_SECRET_CA ? "ca.crt" : "tls.crt", why);
}

/* True: the value is another one than before. */
static bool take_value(struct use *u, const struct decode_secret *d, size_t key)
{
	struct bytes is = bytes_in(&d->of[key].data);

	if (bytes_equal(bytes_in(&u->data[key]), is))
		return false;
	smallfile_wipe(&u->data[key]);
	buffer_put(&u->data[key], is.data, is.len);
	return true;
}

/* A certificate and its key are taken together, or not.  True: something is another than before. */
static bool take(struct probe_secrets *s, struct entry *e, struct use *u,
                 const struct decode_secret *d)
{
	bool is_other = false;

	if (u == &e->use[AS_CA]) {
		is_other = take_value(u, d, DECODE_SECRET_CA);
	} else {
		is_other = take_value(u, d, DECODE_SECRET_CERTIFICATE);
		is_other |= take_value(u, d, DECODE_SECRET_PRIVATE);
	}
	if (is_other) {
		e->version = ++s->versions;
		log_info("watcher", "secret of probes read secret=%s/%s", e->namespace, e->name);
	}
	return is_other;
}

static enum err check(const struct entry *e, const struct use *u, const struct decode_secret *d,
                      struct reason *why)
{
	enum err err;

	if (u == &e->use[AS_CA])
		return check_value(d, DECODE_SECRET_CA, why);
	err = check_value(d, DECODE_SECRET_CERTIFICATE, why);
	return err ? err : check_value(d, DECODE_SECRET_PRIVATE, why);
}

static bool set_trouble(const struct entry *e, struct use *u, const char *trouble)
{
	if (trouble && u->trouble ? !strcmp(trouble, u->trouble) : trouble == u->trouble)
		return false;
	free(u->trouble);
	u->trouble = trouble ? xstrdup(trouble) : NULL;
	if (trouble && strcmp(trouble, unread) != 0)
		log_warn("watcher", "secret of probes cannot be used secret=%s/%s reason=\"%s\"",
		         e->namespace, e->name, trouble);
	return true;
}

static bool judge_use(struct probe_secrets *s, struct entry *e, struct use *u)
{
	struct decode_secret *told = find_told(s, e);
	struct reason why = {0};
	bool is_other;

	if (!u->is_wanted) {
		free_use(u);
		return false;
	}
	if (told && told == u->judged)
		return false;
	decode_secret_unref(u->judged);
	u->judged = told ? decode_secret_ref(told) : NULL;
	if (!told)
		return set_trouble(e, u, why_none(s, e));
	if (check(e, u, told, &why) != ERR_OK)
		return set_trouble(e, u, why.text);
	is_other = take(s, e, u, told);
	if (!is_other && u->trouble)
		log_info("watcher", "secret of probes is good again secret=%s/%s", e->namespace,
		         e->name);
	return set_trouble(e, u, NULL) || is_other;
}

bool probe_secrets_judge(struct probe_secrets *s)
{
	bool is_news = false;

	for (size_t i = 0; i < s->count && s->is_stale; i++)
		for (size_t k = 0; k < USES; k++)
			is_news |= judge_use(s, s->entry[i], &s->entry[i]->use[k]);
	s->is_stale = false;
	return is_news;
}

static enum probe_secrets_sight look_at(const struct probe_secrets *s, struct bytes namespace,
                                        struct bytes name, size_t use, struct reason *why)
{
	const struct entry *e = find(s, namespace, name);
	const struct use *u = e ? &e->use[use] : NULL;
	size_t first = use == AS_CA ? DECODE_SECRET_CA : DECODE_SECRET_CERTIFICATE;
	bool is_there = u && u->data[first].len > 0;

	if (name.len == 0 || (u && is_there && !u->trouble))
		return PROBE_SECRETS_GOOD;
	if (!u)
		(void)reason_set(why, ERR_RANGE, "is not read: policies name more than %d Secrets",
		                 PROBE_SECRETS_MOST);
	else
		(void)reason_set(why, ERR_NOTFOUND, "%s", u->trouble ? u->trouble : unread);
	reason_prefix(why, "%s: Secret %.*s/%.*s: ",
	              use == AS_CA ? "caSecret" : "clientCertificateSecret", (int)namespace.len,
	              (const char *)namespace.data, (int)name.len, (const char *)name.data);
	return is_there ? PROBE_SECRETS_OLD : PROBE_SECRETS_NONE;
}

enum probe_secrets_sight probe_secrets_look(const struct probe_secrets *s, struct bytes namespace,
                                            const struct policy_check *check, struct reason *why)
{
	struct reason other = {0};
	enum probe_secrets_sight ca, client;

	if (check->mode == POLICY_MODE_OFF)
		return PROBE_SECRETS_GOOD;
	ca = look_at(s, namespace, check->ca_secret, AS_CA, why);
	client = look_at(s, namespace, check->client_secret, AS_CLIENT, &other);
	if (client > ca)
		*why = other;
	return client > ca ? client : ca;
}

struct probe_secret probe_secrets_find(const struct probe_secrets *s, struct bytes namespace,
                                       struct bytes name)
{
	const struct entry *e = find(s, namespace, name);

	if (!e)
		return (struct probe_secret){.version = 0};
	return (struct probe_secret){bytes_in(&e->use[AS_CA].data[DECODE_SECRET_CA]),
	                             bytes_in(&e->use[AS_CLIENT].data[DECODE_SECRET_CERTIFICATE]),
	                             bytes_in(&e->use[AS_CLIENT].data[DECODE_SECRET_PRIVATE]),
	                             e->version};
}
