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

static uint64_t first_bits(const uint8_t bytes[8], unsigned bits)
{
	uint64_t v;

	memcpy(&v, bytes, sizeof v);
	v = be64toh(v);
	return bits == 0 ? 0 : bits >= 64 ? v : v >> (64 - bits);
}

/* A mapped subnet stays IPv6, the ranking knows it: the scope is in bits of its own family. */
struct client_bucket client_bucket_of(const struct addr *source, bool has_scope,
                                      const struct policy *policy)
{
	struct addr plain = addr_unmapped(source), a = has_scope ? *source : plain;
	unsigned len = bucket_bits(&a, policy);

	if (plain.family == ADDR_IPV4)
		return (struct client_bucket){client_bucket_ipv4(plain.bytes, policy->bucket_ipv4),
		                              len};
	return (struct client_bucket){hash_mix(first_bits(a.bytes, len),
	                                       len > 64 ? first_bits(a.bytes + 8, len - 64) : 0),
	                              len};
}

struct ranking_leaf choose_place_resolver(const struct ranking *ranking,
                                          const struct addr *resolver)
{
	struct addr a = addr_unmapped(resolver);

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

/* From -log(1 - i/128) to the next one, in 26 bits of fraction; behind the last all wait for one more in the mean, so the line ends
 * two higher. */
#define STEP(from, to) (uint64_t)(from) << 32, (to) - (from)
const uint64_t share_steps[2 << SHARE_STEP_BITS] = {
	STEP(0, 526347),
	STEP(526347, 1056854),
	STEP(1056854, 1591589),
	STEP(1591589, 2130619),
	STEP(2130619, 2674014),
	STEP(2674014, 3221844),
	STEP(3221844, 3774184),
	STEP(3774184, 4331107),
	STEP(4331107, 4892691),
	STEP(4892691, 5459013),
	STEP(5459013, 6030156),
	STEP(6030156, 6606201),
	STEP(6606201, 7187234),
	STEP(7187234, 7773342),
	STEP(7773342, 8364613),
	STEP(8364613, 8961140),
	STEP(8961140, 9563017),
	STEP(9563017, 10170342),
	STEP(10170342, 10783212),
	STEP(10783212, 11401731),
	STEP(11401731, 12026004),
	STEP(12026004, 12656139),
	STEP(12656139, 13292247),
	STEP(13292247, 13934442),
	STEP(13934442, 14582842),
	STEP(14582842, 15237568),
	STEP(15237568, 15898744),
	STEP(15898744, 16566499),
	STEP(16566499, 17240966),
	STEP(17240966, 17922280),
	STEP(17922280, 18610582),
	STEP(18610582, 19306017),
	STEP(19306017, 20008734),
	STEP(20008734, 20718887),
	STEP(20718887, 21436636),
	STEP(21436636, 22162144),
	STEP(22162144, 22895582),
	STEP(22895582, 23637124),
	STEP(23637124, 24386951),
	STEP(24386951, 25145252),
	STEP(25145252, 25912219),
	STEP(25912219, 26688052),
	STEP(26688052, 27472960),
	STEP(27472960, 28267157),
	STEP(28267157, 29070866),
	STEP(29070866, 29884316),
	STEP(29884316, 30707748),
	STEP(30707748, 31541410),
	STEP(31541410, 32385557),
	STEP(32385557, 33240459),
	STEP(33240459, 34106392),
	STEP(34106392, 34983644),
	STEP(34983644, 35872516),
	STEP(35872516, 36773320),
	STEP(36773320, 37686380),
	STEP(37686380, 38612034),
	STEP(38612034, 39550635),
	STEP(39550635, 40502550),
	STEP(40502550, 41468162),
	STEP(41468162, 42447870),
	STEP(42447870, 43442094),
	STEP(43442094, 44451269),
	STEP(44451269, 45475852),
	STEP(45475852, 46516320),
	STEP(46516320, 47573174),
	STEP(47573174, 48646939),
	STEP(48646939, 49738164),
	STEP(49738164, 50847427),
	STEP(50847427, 51975333),
	STEP(51975333, 53122521),
	STEP(53122521, 54289661),
	STEP(54289661, 55477460),
	STEP(55477460, 56686661),
	STEP(56686661, 57918051),
	STEP(57918051, 59172459),
	STEP(59172459, 60450762),
	STEP(60450762, 61753887),
	STEP(61753887, 63082819),
	STEP(63082819, 64438600),
	STEP(64438600, 65822337),
	STEP(65822337, 67235207),
	STEP(67235207, 68678464),
	STEP(68678464, 70153444),
	STEP(70153444, 71661572),
	STEP(71661572, 73204372),
	STEP(73204372, 74783477),
	STEP(74783477, 76400636),
	STEP(76400636, 78057730),
	STEP(78057730, 79756779),
	STEP(79756779, 81499964),
	STEP(81499964, 83289640),
	STEP(83289640, 85128354),
	STEP(85128354, 87018870),
	STEP(87018870, 88964190),
	STEP(88964190, 90967589),
	STEP(90967589, 93032640),
	STEP(93032640, 95163259),
	STEP(95163259, 97363747),
	STEP(97363747, 99638841),
	STEP(99638841, 101993780),
	STEP(101993780, 104434371),
	STEP(104434371, 106967082),
	STEP(106967082, 109599139),
	STEP(109599139, 112338657),
	STEP(112338657, 115194784),
	STEP(115194784, 118177891),
	STEP(118177891, 121299797),
	STEP(121299797, 124574049),
	STEP(124574049, 128016284),
	STEP(128016284, 131644674),
	STEP(131644674, 135480510),
	STEP(135480510, 139548960),
	STEP(139548960, 143880066),
	STEP(143880066, 148510100),
	STEP(148510100, 153483402),
	STEP(153483402, 158854977),
	STEP(158854977, 164694211),
	STEP(164694211, 171090369),
	STEP(171090369, 178160994),
	STEP(178160994, 186065279),
	STEP(186065279, 195026420),
	STEP(195026420, 205371297),
	STEP(205371297, 217606689),
	STEP(217606689, 232581599),
	STEP(232581599, 251887616),
	STEP(251887616, 279097919),
	STEP(279097919, 325614239),
	STEP(325614239, 459831967),
};
#undef STEP

static inline void draw(struct lot *lot)
{
	if (!lot->is_drawn)
		lot_draw(lot);
}

unsigned lot_bits(struct lot *lot)
{
	draw(lot);
	return lot->bucket.bits;
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
	return hash_mix(lot->bucket.number, c->name_hash) >> 48 < c->withheld;
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
