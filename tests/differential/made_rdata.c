/* What records say: names that lead elsewhere, and bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/differential/made.h"

/* Mostly a name that is there, in any of the zones. */
static struct dname target(const struct made *m, struct dice *d)
{
	unsigned kind = dice_roll(d, 100);

	if (kind < 60)
		return m->set[dice_roll(d, m->set_count)].owner;
	if (kind < 90)
		return made_name_below(d, &m->set[dice_roll(d, m->set_count)].owner);
	return dname_of(kind < 95 ? "elsewhere.x" : kind < 97 ? "" : "z");
}

static void put_soa(struct dice *d, struct text *out)
{
	static const unsigned minimums[] = {0, 5, 60, 300, 86400};

	text_printf(out, "a.z. b.z. 7 3600 900 604800 %u", dice_pick(d, minimums));
}

static void put_txt(struct dice *d, unsigned i, struct text *out)
{
	static const char *const texts[] = {"\"a\"", "\"a b\" \"c\"", "\"\"",
	                                    "\"\\255\\000;\\\"\""};

	text_printf(out, "%s \"%u", dice_pick(d, texts), i);
	for (unsigned k = dice_chance(d, 20) ? 120 : 0; k > 0; k--)
		text_add(out, "x");
	text_add(out, "\"");
}

static void put_svcb(const struct made *m, struct dice *d, struct text *out)
{
	static const char *const params[] = {"", " alpn=h2", " alpn=h2,h3 port=8443",
	                                     " port=1 ipv4hint=192.0.2.1", " key667=a"};
	struct dname to = dice_chance(d, 20) ? dname_of("") : target(m, d);
	unsigned priority = dice_roll(d, 3);

	text_printf(out, "%u ", priority);
	dname_print(&to, out);
	if (priority > 0)
		text_add(out, dice_pick(d, params));
}

static void put_name(const struct made *m, struct dice *d, struct text *out)
{
	struct dname to = target(m, d);

	if (dice_chance(d, 5))
		to = dname_upper(&to);
	dname_print(&to, out);
}

/* Half of a zone's name servers are in it, where their glue may be. */
static void put_nameserver(const struct made *m, struct dice *d, const struct dname *owner,
                           struct text *out)
{
	struct dname to = target(m, d);

	if (dice_chance(d, 60) && !dname_put_before("ns", 2, owner, &to))
		to = *owner;
	else if (dice_chance(d, 20))
		to = made_name_below(d, owner);
	dname_print(&to, out);
}

/* `i` makes the records of a set differ. */
void made_rdata(struct made *m, struct dice *d, const struct dname *owner, uint16_t type,
                unsigned i, struct text *out)
{
	unsigned any = dice_roll(d, 250);

	switch (type) {
	case TYPE_A:
		text_printf(out, "192.0.%u.%u", i, any);
		break;
	case TYPE_AAAA:
		text_printf(out, "2001:db8::%x:%x", i, any);
		break;
	case TYPE_SOA:
		put_soa(d, out);
		break;
	case TYPE_NS:
		put_nameserver(m, d, owner, out);
		break;
	case TYPE_MX:
		text_printf(out, "%u ", i);
		put_name(m, d, out);
		break;
	case TYPE_SRV:
		text_printf(out, "%u %u 80 ", i, any);
		put_name(m, d, out);
		break;
	case TYPE_TXT:
		put_txt(d, i, out);
		break;
	case TYPE_DS:
		text_printf(out, "%u 13 2 %064x", i, any);
		break;
	case TYPE_SVCB:
	case TYPE_HTTPS:
		put_svcb(m, d, out);
		break;
	case TYPE_CAA:
		text_printf(out, "%u issue \"ca%u.x\"", i, any);
		break;
	case TYPE_UNKNOWN:
		text_printf(out, "\\# 3 %02x%04x", i, any);
		break;
	default:
		put_name(m, d, out);
	}
}
