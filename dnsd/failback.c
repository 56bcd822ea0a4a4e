/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/failback.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "dnsd/comeback.h"
#include "dnsd/wiring.h"
#include "records/names.h"

enum { FEW_OTHERS = 256 };

/* A site with a hold, by the hold's index. */
struct held {
	uint64_t identity; /* of owner and cluster; another one: the index means another site now */
	struct comeback comeback;
	int64_t down_unix_s; /* when it last went down; what was down before a restart: when it did */
	bool is_touched;
	struct buffer key; /* of what is saved; empty: nothing is */
};

struct failback {
	struct saved *saved;
	struct held *held;
	size_t count;
	bool *waits; /* as zones have it */
	bool any_touched;
	uint64_t changes;          /* of states */
	int64_t unix_s;            /* of the last look ... */
	uint64_t let_back;         /* in it, by objects */
	bool any_cluster_let_back; /* ... whose clusters' objects let somebody back */
	uint64_t tables; /* a number that differs when tables do that make sites usable or not */
	/* of the last look, for orders and lists */
	const struct records_result *result;
	const struct snapshot *snapshot;
};

struct failback *failback_new(struct saved *saved)
{
	struct failback *f = xcalloc(1, sizeof *f);

	f->saved = saved;
	return f;
}

void failback_free(struct failback *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->count; i++)
		buffer_fini(&f->held[i].key);
	free(f->held);
	free(f->waits);
	free(f);
}

static void make_room(struct failback *f, size_t count)
{
	if (count <= f->count)
		return;
	f->held = xreallocarray(f->held, count, sizeof *f->held);
	f->waits = xreallocarray(f->waits, count, sizeof *f->waits);
	for (; f->count < count; f->count++) {
		f->held[f->count] = (struct held){.is_touched = true};
		f->waits[f->count] = false;
	}
}

void failback_touch(struct failback *f, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->site_count; i++) {
		uint32_t hold = endpoint->sites[i].hold;

		if (hold == 0)
			continue;
		make_room(f, (size_t)hold + 1);
		f->held[hold].is_touched = f->any_touched = true;
	}
}

/* --- over a restart --- */

static void add_key(struct buffer *key, const struct records_hold_back *hold, const char *cluster)
{
	buffer_str16(key, hold->owner);
	buffer_put(key, cluster, strlen(cluster));
}

static struct bytes bytes_in(const struct buffer *b) { return (struct bytes){b->data, b->len}; }

static const char waits_since[] = "waits since ";
enum { WAITS_SIZE = sizeof waits_since + 20 };

/* Of a value of before there was one: now. */
static int64_t read_since(struct bytes value, int64_t unix_s)
{
	size_t len = sizeof waits_since - 1;
	uint64_t since;

	if (value.len > len && memcmp(value.data, waits_since, len) == 0 &&
	    text_to_u64((struct bytes){value.data + len, value.len - len}, INT64_MAX, &since))
		return (int64_t)since;
	return unix_s;
}

static void save(struct failback *f, struct held *held, const struct records_hold_back *hold,
                 const char *cluster)
{
	bool waits = comeback_waits(&held->comeback);

	if (waits && (held->key.len == 0 || held->comeback.state == COMEBACK_DOWN)) {
		char value[WAITS_SIZE];

		snprintf(value, sizeof value, "%s%" PRId64, waits_since, held->down_unix_s);
		buffer_reset(&held->key);
		add_key(&held->key, hold, cluster);
		saved_put_value(f->saved, SAVED_WAITING, bytes_in(&held->key), bytes_of(value));
	} else if (!waits && held->key.len > 0) {
		saved_put_value(f->saved, SAVED_WAITING, bytes_in(&held->key),
		                (struct bytes){NULL, 0});
		buffer_reset(&held->key);
	}
}

static uint64_t identity_of(const struct records_hold_back *hold)
{
	return hash_mix(hash_fixed(hold->owner), hold->cluster);
}

/* The index is another site's now, or nobody's. */
static void begin(struct failback *f, struct held *held, const struct records_hold_back *hold,
                  const char *cluster)
{
	struct buffer key = {0};
	struct bytes value;

	held->comeback = (struct comeback){.state = COMEBACK_NEW};
	f->changes++;
	save(f, held, hold, cluster);
	held->identity = identity_of(hold);
	if (hold->owner.len == 0)
		return;
	add_key(&key, hold, cluster);
	if (saved_find_value(f->saved, SAVED_WAITING, bytes_in(&key), &value)) {
		held->comeback.state = COMEBACK_DOWN;
		held->down_unix_s = read_since(value, f->unix_s);
		buffer_fini(&held->key);
		held->key = key;
		return;
	}
	buffer_fini(&key);
}

/* Sites may have gone for good while nobody ran. */
static void forget_others(struct failback *f)
{
	struct bytes *wanted = xcalloc(f->count + 1, sizeof *wanted);
	size_t count = 0;

	for (size_t i = 1; i < f->count; i++)
		if (f->held[i].key.len > 0)
			wanted[count++] = bytes_in(&f->held[i].key);
	qsort(wanted, count, sizeof *wanted, bytes_by_order);
	wiring_forget(f->saved, SAVED_WAITING, wanted, count);
	free(wanted);
}

/* --- looking --- */

static uint64_t mix_flags(uint64_t hash, const bool *flags, size_t count)
{
	return flags == NULL
	               ? hash
	               : hash_mix(hash, hash_fixed((struct bytes){(const uint8_t *)flags, count}));
}

/* Of all that makes sites usable or not without their names changing. */
static uint64_t number_of_tables(const struct snapshot *s, const struct records_result *r)
{
	const struct snapshot_head *head = snapshot_head(s);
	const struct snapshot_cluster *c;
	uint64_t hash = 1;

	for (size_t i = 0; (c = snapshot_cluster_at(s, i)) != NULL; i++)
		hash = hash_mix(hash, (uint64_t)c->id << 2 | (uint64_t)c->drained << 1 |
		                              (uint64_t)c->expired);
	for (uint32_t i = 0; i < head->policy_count; i++)
		hash = mix_flags(hash, head->policies[i].expired, head->policies[i].cluster_count);
	for (size_t i = 0; i < r->probe_count; i++) {
		uint32_t probe = (uint32_t)i;
		bool is_judged = snapshot_probe_at_ms(s, probe) != 0;

		if (is_judged)
			hash = hash_mix(hash, (uint64_t)probe << 1 |
			                              (uint64_t)snapshot_probe_is_down(s, probe));
	}
	return hash;
}

static bool is_usable(const struct snapshot *s, const struct records_hold_back *hold)
{
	struct name name;
	const struct zone *zone;
	const struct node *node;
	const struct site *site;

	if (hold->owner.len == 0 || name_parse(&name, hold->owner.data, hold->owner.len) == 0)
		return false;
	zone = snapshot_find_zone(s, &name);
	node = zone != NULL ? zone_find_node(zone, &name) : NULL;
	site = node != NULL ? node_find_site(node, hold->cluster) : NULL;
	return site != NULL &&
	       snapshot_site_is_usable(s, snapshot_node_policy(s, node), site, NULL);
}

static struct comeback_rule rule_of(const struct records_result *r,
                                    const struct records_hold_back *hold)
{
	const struct policy_value *p =
		hold->policy < r->policy_count ? r->policies[hold->policy].is : NULL;

	if (p == NULL)
		return (struct comeback_rule){false, 0};
	return (struct comeback_rule){p->failback == POLICY_MANUAL,
	                              p->failback == POLICY_AFTER ? p->stable_for_ms : 0};
}

static const char *cluster_name(const struct snapshot *s, uint16_t id)
{
	const struct snapshot_cluster *c = snapshot_cluster(s, id);

	return c != NULL ? c->name : "";
}

/* Does somebody say so in an object, of those who went down by then? */
static bool is_of(const struct failback *f, const struct held *held, int64_t at)
{
	return at > 0 && at <= f->unix_s && held->down_unix_s <= at;
}

static bool is_let_back(const struct failback *f, const struct held *held,
                        const struct records_hold_back *hold)
{
	const struct records_result *r = f->result;
	const struct policy_value *p =
		hold->policy < r->policy_count ? r->policies[hold->policy].is : NULL;
	uint8_t wire[NAMES_WIRE_MAX];
	size_t len;

	for (size_t i = 0; f->any_cluster_let_back && i < r->cluster_count; i++)
		if (r->clusters[i].id == hold->cluster &&
		    is_of(f, held, r->clusters[i].let_back_at))
			return true;
	if (p == NULL || !is_of(f, held, p->let_back.at))
		return false;
	if (p->let_back.cluster.len > 0 &&
	    !bytes_equal_text(p->let_back.cluster, cluster_name(f->snapshot, hold->cluster)))
		return false;
	return p->let_back.name.len == 0 ||
	       (names_from_text(p->let_back.name, wire, &len, NULL) == ERR_OK &&
	        names_wire_equal(hold->owner.data, wire));
}

static void look_at(struct failback *f, size_t index, bool again, uint64_t now_ms)
{
	const struct records_hold_back *hold = &f->result->holds_back[index];
	struct held *held = &f->held[index];
	struct comeback_rule rule = rule_of(f->result, hold);
	const char *cluster = cluster_name(f->snapshot, hold->cluster);
	bool usable = true; /* as it was, where it waits and nothing else changed than the time */

	if (again) {
		if (held->identity != identity_of(hold))
			begin(f, held, hold, cluster);
		usable = is_usable(f->snapshot, hold);
	} else if (held->comeback.state != COMEBACK_WAITS) {
		return;
	}
	if (comeback_see(&held->comeback, usable, &rule, now_ms)) {
		if (held->comeback.state == COMEBACK_DOWN)
			held->down_unix_s = f->unix_s;
		save(f, held, hold, cluster);
		f->changes++;
	}
	if (held->comeback.state == COMEBACK_WAITS && is_let_back(f, held, hold)) {
		(void)comeback_release(&held->comeback);
		save(f, held, hold, cluster);
		f->changes++;
		f->let_back++;
	}
	held->is_touched = false;
}

/* True: other sites wait than zones know of. */
static bool compare(struct failback *f)
{
	bool differs = false;

	for (size_t i = 1; i < f->count; i++) {
		bool waits = comeback_waits(&f->held[i].comeback);

		differs |= f->waits[i] != waits;
		f->waits[i] = waits;
	}
	return differs;
}

bool failback_look(struct failback *f, const struct records_result *r, const struct snapshot *s,
                   const struct failback_times *now, struct zones *z)
{
	bool is_another = f->snapshot != s, all = false;

	f->result = r;
	f->snapshot = s;
	f->unix_s = now->unix_s;
	f->any_cluster_let_back = false;
	f->let_back = 0;
	for (size_t i = 0; i < r->cluster_count; i++)
		f->any_cluster_let_back |= r->clusters[i].let_back_at > 0;
	make_room(f, r->hold_back_count);
	/* Not without a site to look at: of all probes, that is work. */
	if (f->count > 1 && (is_another || f->any_touched)) {
		uint64_t tables = number_of_tables(s, r);

		all = tables != f->tables;
		f->tables = tables;
	}
	for (size_t i = 1; i < f->count && i < r->hold_back_count; i++)
		look_at(f, i, all || f->held[i].is_touched, now->now_ms);
	f->any_touched = false;
	if (f->let_back > 0)
		log_info("dnsd", "sites are let back by nigh.dev/failback count=%" PRIu64,
		         f->let_back);
	if (saved_count_values(f->saved, SAVED_WAITING) > f->count + FEW_OTHERS)
		forget_others(f);
	if (!compare(f))
		return false;
	zones_set_waiting(z, f->waits, f->count);
	return true;
}

/* --- orders and lists --- */

/* The hold of the first site from `index` on that waits and is usable, and moves there; NULL: there is none any more. */
static const struct records_hold_back *next_pending(const struct failback *f, size_t *index)
{
	for (; f->result != NULL && *index < f->count && *index < f->result->hold_back_count;
	     ++*index) {
		const struct records_hold_back *hold = &f->result->holds_back[*index];
		const struct held *held = &f->held[*index];

		if (held->comeback.state == COMEBACK_WAITS && held->identity == identity_of(hold))
			return hold;
	}
	return NULL;
}

/* "NAMESPACE/NAME" */
static bool is_policy(const struct records_policy *p, const char *text)
{
	const char *slash = strchr(text, '/');

	return slash != NULL && bytes_equal_text(p->name, slash + 1) &&
	       bytes_equal(p->namespace,
	                   (struct bytes){(const uint8_t *)text, (size_t)(slash - text)});
}

/* `wire`: of about->name. */
static bool is_meant(const struct failback *f, const struct records_hold_back *hold,
                     const struct order_about *about, const uint8_t *wire)
{
	if (about->name != NULL && !names_wire_equal(hold->owner.data, wire))
		return false;
	if (about->cluster != NULL &&
	    strcmp(about->cluster, cluster_name(f->snapshot, hold->cluster)) != 0)
		return false;
	return about->policy == NULL ||
	       (hold->policy < f->result->policy_count &&
	        is_policy(&f->result->policies[hold->policy], about->policy));
}

static enum err tell_nobody(const struct order_about *about, struct reason *why)
{
	const char *cluster = about->cluster, *policy = about->policy;

	if (about->name != NULL)
		return reason_set(why, ERR_NOTFOUND,
		                  "no site of %s%s%s waits to come back (of an alias, name what it "
		                  "leads to)",
		                  about->name, cluster != NULL ? " at " : "",
		                  cluster != NULL ? cluster : "");
	return reason_set(why, ERR_NOTFOUND, "no site%s%s%s%s waits to come back",
	                  policy != NULL ? " of policy " : "", policy != NULL ? policy : "",
	                  cluster != NULL ? " at " : "", cluster != NULL ? cluster : "");
}

enum err failback_release(struct failback *f, const struct order_about *about, struct zones *z,
                          uint64_t *count, struct reason *why)
{
	uint8_t wire[NAMES_WIRE_MAX];
	const struct records_hold_back *hold;
	size_t len;

	*count = 0;
	if (about->name != NULL) {
		enum err err = names_from_text(bytes_of(about->name), wire, &len, why);

		if (err != ERR_OK)
			return err;
	}
	for (size_t i = 1; (hold = next_pending(f, &i)) != NULL; i++) {
		if (!is_meant(f, hold, about, wire))
			continue;
		*count += comeback_release(&f->held[i].comeback);
		f->changes++;
		save(f, &f->held[i], hold, cluster_name(f->snapshot, hold->cluster));
	}
	if (compare(f))
		zones_set_waiting(z, f->waits, f->count);
	if (*count == 0)
		return tell_nobody(about, why);
	log_info("dnsd", "sites are let back name=%s cluster=%s policy=%s count=%" PRIu64,
	         about->name != NULL ? about->name : "",
	         about->cluster != NULL ? about->cluster : "",
	         about->policy != NULL ? about->policy : "", *count);
	return ERR_OK;
}

uint64_t failback_changes(const struct failback *f) { return f->changes; }

static const char *policy_name(const struct records_result *r, const struct records_hold_back *hold,
                               struct arena *a)
{
	const struct records_policy *p =
		hold->policy < r->policy_count ? &r->policies[hold->policy] : NULL;

	if (p == NULL || p->is == NULL)
		return "";
	return arena_printf(a, "%.*s/%.*s", (int)p->namespace.len, (const char *)p->namespace.data,
	                    (int)p->name.len, (const char *)p->name.data);
}

static int by_name(const void *a, const void *b)
{
	const struct snapshot_waiting *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : strcmp(x->cluster, y->cluster);
}

const struct snapshot_waiting *failback_list(const struct failback *f, struct arena *a,
                                             size_t *count)
{
	struct snapshot_waiting *list = arena_calloc(a, FAILBACK_TOLD, sizeof *list);
	const struct records_hold_back *hold;

	*count = 0;
	for (size_t i = 1; (hold = next_pending(f, &i)) != NULL && *count < FAILBACK_TOLD; i++) {
		struct comeback_rule rule = rule_of(f->result, hold);
		char text[NAMES_TEXT_SIZE];
		size_t len = strlen(names_to_text(hold->owner.data, text));

		list[(*count)++] = (struct snapshot_waiting){
			.name = arena_strndup(a, text, len > 1 ? len - 1 : len),
			.cluster = arena_strdup(a, cluster_name(f->snapshot, hold->cluster)),
			.policy = policy_name(f->result, hold, a),
			.by_hand = rule.by_hand,
			.since_ms = f->held[i].comeback.since_ms,
			.needs_ms = rule.stable_ms,
		};
	}
	qsort(list, *count, sizeof *list, by_name);
	return list;
}
