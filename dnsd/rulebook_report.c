/* rulebook_report.c -- what /status says of each policy: conditions as Kubernetes has them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dnsd/rulebook_inside.h"
#include "records/names.h"

enum { ACCEPTED, CONFLICTED, PROGRAMMED };

struct reporting {
	const struct rulebook *book;
	const struct records_result *r;
	const struct probe_secrets *secrets;
	struct arena *arena;
	struct snapshot_policy_report *of;       /* by number */
	struct snapshot_policy_report **by_name; /* those that are there */
	size_t named;
	struct shared *lost, *won; /* by number */
};

/* With whom a policy of another namespace shares targets: all, and the one with the most names. */
struct shared {
	uint64_t names;
	size_t others;
	const struct records_policy_override *most;
};

struct object {
	struct bytes namespace, name;
};

static void set(struct snapshot_policy_report *p, unsigned which, bool is_true, const char *reason,
                const char *message)
{
	static const char *const types[] = {"Accepted", "Conflicted", "Programmed"};

	p->condition[which] = (struct snapshot_condition){types[which], is_true, reason, message};
}

static const char *text_of(struct arena *a, struct bytes text)
{
	return arena_strndup(a, (const char *)text.data, text.len);
}

/* --- Accepted --- */

static int compare_object(const void *object, const void *report)
{
	const struct object *o = object;
	const struct snapshot_policy_report *p = *(struct snapshot_policy_report *const *)report;
	int order = bytes_compare(o->namespace, bytes_of(p->namespace));

	return order != 0 ? order : bytes_compare(o->name, bytes_of(p->name));
}

/* "shop/web", perhaps with a dot and more behind it. */
static struct snapshot_policy_report *find_object(const struct reporting *r, struct bytes text)
{
	const uint8_t *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
	struct snapshot_policy_report *const *found = NULL;
	struct object o;

	if (slash == NULL)
		return NULL;
	o.namespace = (struct bytes){text.data, (size_t)(slash - text.data)};
	o.name = (struct bytes){slash + 1, text.len - o.namespace.len - 1};
	while (found == NULL && o.name.len > 0) {
		found = bsearch(&o, r->by_name, r->named, sizeof(*r->by_name), compare_object);
		while (o.name.len > 0 && o.name.data[--o.name.len] != '.')
			;
	}
	return found != NULL ? *found : NULL;
}

static struct snapshot_policy_report *find_policy_in(const struct reporting *r, const char *text)
{
	static const char kind[] = "TrafficPolicy ";
	struct snapshot_policy_report *found = NULL;

	for (const char *at = strstr(text, kind); at != NULL && found == NULL;
	     at = strstr(at, kind)) {
		at += sizeof kind - 1;
		found = find_object(r, (struct bytes){(const uint8_t *)at, strcspn(at, " :,")});
	}
	return found;
}

/* The object as it is now does not parse: what it said before holds.  There may be thousands of both. */
static void on_error(const char *where, const char *message, int64_t since, void *arg)
{
	struct reporting *r = arg;
	struct snapshot_policy_report *p = find_policy_in(r, where);

	(void)since;
	if (p == NULL)
		p = find_policy_in(r, message);
	if (p != NULL)
		set(p, ACCEPTED, false, "Invalid", arena_strdup(r->arena, message));
}

/* --- Conflicted --- */

static const char *describe(struct arena *a, const struct policy_target *t)
{
	static const char *const kinds[] = {[POLICY_HOSTNAME] = "host name",
	                                    [POLICY_SERVICE_DNS_RECORD] = "ServiceDNSRecord",
	                                    [POLICY_INGRESS_DNS_RECORD] = "IngressDNSRecord",
	                                    [POLICY_DNS_ENDPOINT] = "DNSEndpoint",
	                                    [POLICY_SERVICE] = "Service",
	                                    [POLICY_INGRESS] = "Ingress",
	                                    [POLICY_PATTERN] = "host names",
	                                    [POLICY_DOMAIN] = "Domain"};

	return arena_printf(a, "%s %.*s", kinds[t->kind], (int)t->name.len,
	                    (const char *)t->name.data);
}

static void on_conflict(const struct records_policy_conflict *c, void *arg)
{
	struct reporting *r = arg;
	const struct snapshot_policy_report *winner = &r->of[c->winner];

	if (c->loser >= r->r->policy_count || c->winner >= r->r->policy_count ||
	    r->of[c->loser].name == NULL || winner->name == NULL)
		return;
	set(&r->of[c->loser], CONFLICTED, true, "TargetConflict",
	    arena_printf(r->arena, "%s is %s/%s's, which is older", describe(r->arena, c->target),
	                 winner->namespace, winner->name));
}

/* The first by name of those with the most. */
static void count_shared(const struct reporting *r, struct shared *s,
                         const struct records_policy_override *o, uint32_t with, uint32_t most_with)
{
	const struct snapshot_policy_report *a = &r->of[with], *b = &r->of[most_with];
	bool is_more = s->most == NULL || o->names > s->most->names;

	if (s->most != NULL && o->names == s->most->names)
		is_more = strcmp(a->namespace, b->namespace) < 0 ||
		          (strcmp(a->namespace, b->namespace) == 0 && strcmp(a->name, b->name) < 0);
	s->names += o->names;
	s->others++;
	if (is_more)
		s->most = arena_memdup(r->arena, o, sizeof *o);
}

static void on_override(const struct records_policy_override *o, void *arg)
{
	struct reporting *r = arg;
	struct shared *lost, *won;

	if (o->loser >= r->r->policy_count || o->winner >= r->r->policy_count ||
	    r->of[o->loser].name == NULL || r->of[o->winner].name == NULL)
		return;
	lost = &r->lost[o->loser];
	won = &r->won[o->winner];
	count_shared(r, lost, o, o->winner, lost->most != NULL ? lost->most->winner : 0);
	count_shared(r, won, o, o->loser, won->most != NULL ? won->most->loser : 0);
}

/* "shop/web (3, such as www.example.com) and 2 others" */
static const char *describe_shared(const struct reporting *r, const struct shared *s, uint32_t with)
{
	char example[NAMES_TEXT_SIZE] = "";
	struct text out = {0};
	const char *all;

	text_printf(&out, "%s/%s (%" PRIu64, r->of[with].namespace, r->of[with].name,
	            s->most->names);
	if (s->most->example.data != NULL) {
		names_to_text(s->most->example.data, example);
		text_printf(&out, ", such as %s", example);
	}
	text_add(&out, ")");
	if (s->others > 1)
		text_printf(&out, " and %zu other%s", s->others - 1, s->others > 2 ? "s" : "");
	all = arena_strdup(r->arena, out.data);
	text_fini(&out);
	return all;
}

/* Who loses a target altogether is told that. */
static void set_shared(const struct reporting *r, size_t number)
{
	struct snapshot_policy_report *p = &r->of[number];
	const struct shared *lost = &r->lost[number], *won = &r->won[number];

	if (p->condition[CONFLICTED].is_true)
		return;
	if (lost->names > 0)
		set(p, CONFLICTED, true, "Overridden",
		    arena_printf(r->arena,
		                 "%" PRIu64
		                 " names of its targets have policies of other namespaces "
		                 "that target them more exactly: %s",
		                 lost->names, describe_shared(r, lost, lost->most->winner)));
	else if (won->names > 0)
		set(p, CONFLICTED, false, "Overrides",
		    arena_printf(r->arena,
		                 "%" PRIu64 " of its names are targets of policies of other "
		                 "namespaces, too: %s",
		                 won->names, describe_shared(r, won, won->most->loser)));
}

/* --- Programmed --- */

/* Why it decides nothing, or not what it says now; false: it does. */
static bool set_unprogrammed(const struct reporting *r, const struct rulebook_entry *e,
                             struct snapshot_policy_report *p)
{
	const struct rulebook_policy *is = e->in_force;
	const struct rulebook *b = r->book;

	if (e->is_refused)
		set(p, PROGRAMMED, false, "TooManyRules",
		    arena_printf(r->arena,
		                 "policies have more than %d different orders of clusters",
		                 GEO_LOADER_MAX_RULES));
	else if (e->wanted != NULL || is == NULL)
		set(p, PROGRAMMED, false, "WaitsForRanking",
		    is != NULL
		            ? "what it said before is in force until its order of clusters is made"
		            : "its order of clusters is being made");
	else if (is->fences_areas && !b->is_whole)
		set(p, PROGRAMMED, false, "WaitsForPlaces",
		    "a file of `geo` was never read: whose place is in its fence is not known");
	else if (is->fences_areas && !b->has_areas)
		set(p, PROGRAMMED, false, "NoGeoData",
		    "no file of `geo` tells what country or so a client is in, and a fence of that "
		    "must hold: its names answer SERVFAIL");
	else
		return false;
	return true;
}

/* False: there is nothing to say of Secrets that its probe names. */
static bool set_secrets(const struct reporting *r, const struct records_policy *from,
                        struct snapshot_policy_report *p)
{
	struct reason why = {0};
	enum probe_secrets_sight sight =
		probe_secrets_look(r->secrets, from->namespace, &from->is->check, &why);

	if (sight == PROBE_SECRETS_NONE)
		set(p, PROGRAMMED, true, "ProbeWithoutEffect",
		    arena_printf(r->arena, "%s: no probe judges the sites", why.text));
	else if (sight == PROBE_SECRETS_OLD)
		set(p, PROGRAMMED, true, "ProbeSecretBroken",
		    arena_printf(r->arena, "%s: what it was before is in use", why.text));
	return sight != PROBE_SECRETS_GOOD;
}

/* What of it has no effect. */
static void set_remark(const struct reporting *r, const struct records_policy *from,
                       const struct rulebook_entry *e, struct snapshot_policy_report *p)
{
	const struct rulebook_policy *is = e->in_force;

	if (is->has_areas && !r->book->has_areas)
		set(p, PROGRAMMED, true, "NoGeoData",
		    "no file of `geo` tells what country or so a client is in: rules of that match "
		    "nobody");
	else if (is->unknown[0] != '\0')
		set(p, PROGRAMMED, true, "UnknownCluster",
		    arena_printf(r->arena, "no cluster is registered as %s", is->unknown));
	else if (set_secrets(r, from, p))
		return;
	else if (is->warning[0] != '\0')
		set(p, PROGRAMMED, true, "StageWithoutEffect", arena_strdup(r->arena, is->warning));
	else
		set(p, PROGRAMMED, true, "Programmed", "");
}

static void set_programmed(const struct reporting *r, const struct records_policy *from,
                           const struct rulebook_entry *e, struct snapshot_policy_report *p)
{
	const char *also;

	if (set_unprogrammed(r, e, p))
		return;
	set_remark(r, from, e, p);
	also = p->condition[PROGRAMMED].message;
	if (p->names == 0)
		set(p, PROGRAMMED, false, "NoNames",
		    arena_printf(r->arena,
		                 "no name has it: nothing that is answered is of its targets, or "
		                 "others decide%s%s",
		                 *also != '\0' ? "; " : "", also));
}

static int by_name(const void *a, const void *b)
{
	const struct snapshot_policy_report *const *x = a, *const *y = b;
	int order = strcmp((*x)->namespace, (*y)->namespace);

	return order != 0 ? order : strcmp((*x)->name, (*y)->name);
}

size_t rulebook_report(const struct rulebook *b, const struct records_result *r,
                       const struct records *records, const struct store *store,
                       const struct probe_secrets *secrets, struct arena *arena,
                       const struct snapshot_policy_report **out)
{
	struct reporting all = {.book = b, .r = r, .secrets = secrets, .arena = arena};
	struct snapshot_policy_report *list;

	all.of = arena_calloc(arena, r->policy_count + 1, sizeof *all.of);
	all.lost = arena_calloc(arena, r->policy_count + 1, sizeof *all.lost);
	all.won = arena_calloc(arena, r->policy_count + 1, sizeof *all.won);
	all.by_name = arena_calloc(arena, r->policy_count + 1, sizeof(*all.by_name));
	for (size_t i = 1; i < r->policy_count; i++) {
		const struct records_policy *from = &r->policies[i];
		struct snapshot_policy_report *p = &all.of[i];

		if (from->is == NULL || i >= b->count)
			continue;
		p->namespace = text_of(arena, from->namespace);
		p->name = text_of(arena, from->name);
		p->targets = from->is->target_count;
		p->names = from->names;
		p->generation = from->is->generation;
		set(p, ACCEPTED, true, "Accepted", "");
		set(p, CONFLICTED, false, "NoConflict", "");
		set_programmed(&all, from, &b->entry[i], p);
		all.by_name[all.named++] = p;
	}
	qsort(all.by_name, all.named, sizeof(*all.by_name), by_name);
	records_each_policy_conflict(records, on_conflict, &all);
	records_each_policy_override(records, on_override, &all);
	for (size_t i = 1; i < r->policy_count; i++)
		set_shared(&all, i);
	store_each_error(store, on_error, &all);
	list = arena_calloc(arena, all.named + 1, sizeof *list);
	for (size_t i = 0; i < all.named; i++)
		list[i] = *all.by_name[i];
	*out = list;
	return all.named;
}
