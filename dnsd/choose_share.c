/* choose_share.c -- who gets which share of the clients: weights, capacity, what is withheld. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <string.h>

#include "base/hash.h"
#include "dnsd/choose_inside.h"

enum { MAPPED_BITS = 96 };

/* --- buckets --- */

/* Does a network of that length around the address hold ::ffff:0:0/96, or lie in it? */
static bool meets_mapped(const struct addr *a, unsigned bits)
{
	static const struct addr mapped = {.family = ADDR_IPV6,
	                                   .bytes = {[10] = 0xff, [11] = 0xff}};
	unsigned len = bits < MAPPED_BITS ? bits : MAPPED_BITS, rest = len % 8;

	if (memcmp(a->bytes, mapped.bytes, len / 8) != 0)
		return false;
	return rest == 0 || (a->bytes[len / 8] ^ mapped.bytes[len / 8]) >> (8 - rest) == 0;
}

/* ::ffff:a.b.c.d has the bucket of a.b.c.d, so no other bucket may hold it. */
static unsigned bucket_bits(const struct addr *a, const struct policy *p)
{
	if (a->family == ADDR_IPV4)
		return p->bucket_ipv4;
	if (!meets_mapped(a, p->bucket_ipv6))
		return p->bucket_ipv6;
	if (addr_unmapped(a).family == ADDR_IPV4)
		return MAPPED_BITS + p->bucket_ipv4;
	return p->bucket_ipv6 > MAPPED_BITS ? p->bucket_ipv6 : MAPPED_BITS;
}

static inline uint64_t bucket_of_ipv4(const uint8_t bytes[4], const struct policy *p)
{
	uint32_t first;

	memcpy(&first, bytes, sizeof first);
	return UINT64_C(4) << 32 | be32toh(first) >> (32 - p->bucket_ipv4);
}

static uint64_t first_bits(const uint8_t bytes[8], unsigned bits)
{
	uint64_t v;

	memcpy(&v, bytes, sizeof v);
	v = be64toh(v);
	return bits == 0 ? 0 : bits >= 64 ? v : v >> (64 - bits);
}

/* A mapped subnet stays IPv6, the ranking knows it: the scope is in bits of its own family. */
static struct addr deciding(const struct client *c)
{
	return c->has_scope ? *c->source : addr_unmapped(c->source);
}

RARE static uint64_t bucket_of_ipv6(const struct client *c, const struct policy *p, unsigned *bits)
{
	struct addr a = deciding(c), plain = addr_unmapped(&a);
	unsigned len = bucket_bits(&a, p);

	*bits = len;
	if (plain.family == ADDR_IPV4)
		return bucket_of_ipv4(plain.bytes, p);
	return hash_mix(first_bits(a.bytes, len), len > 64 ? first_bits(a.bytes + 8, len - 64) : 0);
}

uint64_t client_bucket(const struct client *c, const struct policy *policy, unsigned *bits)
{
	if (c->source->family != ADDR_IPV4)
		return bucket_of_ipv6(c, policy, bits);
	*bits = policy->bucket_ipv4;
	return bucket_of_ipv4(c->source->bytes, policy);
}

struct ranking_leaf choose_place_resolver(const struct ranking *ranking, const struct client *c)
{
	struct addr a = deciding(c);

	return ranking_find(ranking, &a);
}

void choose_place_as_resolver(const struct policy *policy, struct client *c)
{
	struct addr resolver;

	if (!c->has_scope || !c->leaf.order->is_unplaced)
		return;
	/* Its network is in a fence, which is not the resolver's. */
	if (ranking_fence(policy->ranking, c->leaf.order) != 0)
		return;
	resolver = addr_unmapped(c->resolver);
	c->leaf.order = ranking_find(policy->ranking, &resolver).order;
	c->placed_by = NULL;
}

/* --- weighted rendezvous --- */

/* log2(1 + i/128) in 26 bits of fraction. */
const uint32_t share_logs[(1 << SHARE_LOG_STEPS) + 1] = {
	0,        753448,   1501079,  2242980,  2979239,  3709941,  4435170,  5155007,  5869532,
	6578822,  7282953,  7982000,  8676036,  9365133,  10049359, 10728784, 11403474, 12073495,
	12738911, 13399784, 14056177, 14708150, 15355762, 15999071, 16638134, 17273006, 17903742,
	18530395, 19153019, 19771664, 20386381, 20997220, 21604229, 22207456, 22806948, 23402750,
	23994909, 24583468, 25168470, 25749959, 26327977, 26902564, 27473761, 28041608, 28606143,
	29167407, 29725435, 30280265, 30831934, 31380477, 31925930, 32468327, 33007703, 33544090,
	34077521, 34608030, 35135648, 35660406, 36182335, 36701466, 37217828, 37731450, 38242363,
	38750593, 39256169, 39759119, 40259469, 40757247, 41252479, 41745191, 42235408, 42723155,
	43208457, 43691339, 44171825, 44649938, 45125701, 45599138, 46070271, 46539122, 47005714,
	47470068, 47932205, 48392147, 48849915, 49305528, 49759007, 50210372, 50659643, 51106838,
	51551977, 51995079, 52436163, 52875246, 53312346, 53747482, 54180672, 54611931, 55041278,
	55468730, 55894303, 56318013, 56739877, 57159911, 57578130, 57994550, 58409188, 58822057,
	59233172, 59642550, 60050204, 60456148, 60860398, 61262966, 61663868, 62063117, 62460725,
	62856708, 63251078, 63643848, 64035030, 64424639, 64812686, 65199184, 65584145, 65967582,
	66349506, 66729930, 67108864,
};

void lot_draw(struct lot *lot)
{
	const struct name *asked = lot->how->asked;

	lot->bucket = client_bucket(lot->how->client, lot->policy, &lot->bits);
	lot->asker = hash_mix_begin(
		hash_mix(lot->bucket, hash_light((struct bytes){asked->wire, asked->len})));
	lot->is_drawn = true;
}

static inline void draw(struct lot *lot)
{
	if (!lot->is_drawn)
		lot_draw(lot);
}

unsigned lot_bits(struct lot *lot)
{
	draw(lot);
	return lot->bits;
}

/* --- what is withheld --- */

static bool is_split(const struct snapshot_cluster *c)
{
	return c != NULL && c->withheld > 0 && c->withheld < SNAPSHOT_EVERYBODY;
}

bool lot_is_withheld(struct lot *lot, const struct site *site)
{
	const struct snapshot_cluster *c = snapshot_cluster(lot->how->s, site_cluster(site));

	if (c == NULL || c->withheld == 0)
		return false;
	draw(lot);
	/* The cluster's own clients, whatever the name: a page and its images go together. */
	return hash_mix(lot->bucket, c->name_hash) >> 48 < c->withheld;
}

bool lot_splits(const struct choosing *how)
{
	if (!snapshot_head(how->s)->any_shifted)
		return false;
	for (size_t i = 0, count = node_site_count(how->node); i < count; i++) {
		const struct site *site = node_site(how->node, i);

		if (is_split(snapshot_cluster(how->s, site_cluster(site))) &&
		    site_rrset(site, how->type) != NULL)
			return true;
	}
	return false;
}

uint8_t lot_scope(struct lot *lot, bool is_shared, bool was_close)
{
	const struct client *client = lot->how->client;
	unsigned depth;

	if (!client->has_scope || (!is_shared && !lot->policy->has_fence))
		return 0;
	depth = client->leaf.depth;
	if ((was_close || lot_splits(lot->how)) && depth < lot_bits(lot))
		depth = lot_bits(lot);
	return (uint8_t)depth;
}

uint32_t choose_ttl(const struct snapshot *s, const struct policy *policy, const struct site *site,
                    uint32_t ttl, bool is_degraded)
{
	const struct snapshot_cluster *c = snapshot_cluster(s, site_cluster(site));

	return choose_ttl_within(policy, ttl, is_degraded, c != NULL ? c->ttl_most : 0);
}
