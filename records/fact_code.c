/* SPDX-License-Identifier: Apache-2.0 */
#include "records/fact_code.h"

#include <string.h>

#include "base/addr.h"
#include "records/code.h"
#include "records/policy_code.h"

/* Common record types are one number in an endpoint's first byte. */
static const char *const short_types[] = {NULL, "A",  "AAAA", "CNAME", "TXT",
                                          "NS", "MX", "SRV",  "PTR"};
enum {
	SHORT_TYPES = sizeof(short_types) / sizeof(short_types[0]),
	TYPE_MASK = 0x0f,  /* 0: the type follows as a string */
	TYPE_ADDRESS = 15, /* A with one target, which is an IPv4 address: four bytes */
	HAS_SET_IDENTIFIER = 0x10,
	HAS_TTL = 0x20,
	HAS_ONE_TARGET = 0x40, /* no count before the target */
	HAS_SHARED_END = 0x80 /* only what differs from the name before, and how much is the same */
};
enum { TYPE_A = 1 };       /* in short_types */
enum { SHARED_LEAST = 4 }; /* bytes; fewer are not worth it */
/* Of a DNSEndpoint. */
enum { IS_SITES = 1, SAYS_MORE = 2 /* some endpoint says what is in struct fact_site */ };
/* Of an endpoint, then. */
enum { HAS_PORT = 1, IS_UNREADY = 2, HAS_NO_GATEWAY = 4, HAS_READY = 8, HAS_TOTAL = 16 };
enum {
	HAS_LOCATION = 1,
	IS_DRAINED = 2,
	HAS_SHIFT_AND_LABELS = 4,
	HAS_LET_BACK = 8
}; /* of a cluster */

/* --- writing --- */

static void write_cluster(struct code_writer *w, const struct fact_value *v)
{
	bool has_more = v->cluster.shift.len > 0 || v->cluster.label_count > 0;

	buffer_u8(w->out, (uint8_t)((v->cluster.has_location ? HAS_LOCATION : 0) |
	                            (v->cluster.drain ? IS_DRAINED : 0) |
	                            (v->cluster.let_back_at > 0 ? HAS_LET_BACK : 0) |
	                            (has_more ? HAS_SHIFT_AND_LABELS : 0)));
	if (v->cluster.has_location) {
		code_write_double(w, v->cluster.location.latitude);
		code_write_double(w, v->cluster.location.longitude);
	}
	code_write_string(w, v->cluster.region);
	code_write_strings(w, v->cluster.zones, v->cluster.zone_count);
	if (v->cluster.let_back_at > 0)
		code_write_number(w, (uint64_t)v->cluster.let_back_at);
	if (!has_more)
		return;
	code_write_string(w, v->cluster.shift);
	code_write_strings(w, v->cluster.labels, v->cluster.label_count);
}

/* How many bytes the ends of two names share; 0: too few. */
static size_t shared_end(struct bytes a, struct bytes b)
{
	size_t most = a.len < b.len ? a.len : b.len, same = 0;

	while (same < most && a.data[a.len - 1 - same] == b.data[b.len - 1 - same])
		same++;
	return same < SHARED_LEAST ? 0 : same;
}

/* As it is written by nearly everybody: without needless zeros.  At most 15 bytes. */
static size_t print_ipv4(const uint8_t address[4], uint8_t *out)
{
	uint8_t *at = out;

	for (unsigned i = 0; i < 4; i++) {
		unsigned v = address[i];

		if (v >= 100)
			*at++ = (uint8_t)('0' + v / 100);
		if (v >= 10)
			*at++ = (uint8_t)('0' + v / 10 % 10);
		*at++ = (uint8_t)('0' + v % 10);
		if (i < 3)
			*at++ = '.';
	}
	return (size_t)(at - out);
}

/* Only if reading gives the very same text back. */
static bool is_one_address(const struct fact_endpoint *e, struct addr *out)
{
	return e->target_count == 1 && bytes_equal_text(e->type, "A") &&
	       addr_parse(e->targets[0], out) && out->family == ADDR_IPV4;
}

/* `address`: the one that it is, or NULL. */
static void write_targets(struct code_writer *w, const struct fact_endpoint *e,
                          const struct addr *address)
{
	if (address)
		buffer_put(w->out, address->bytes, 4);
	else if (e->target_count == 1)
		code_write_string(w, e->targets[0]);
	else
		code_write_strings(w, e->targets, e->target_count);
}

static void write_endpoint(struct code_writer *w, const struct fact_endpoint *e,
                           struct bytes name_before)
{
	size_t shared = shared_end(e->name, name_before);
	uint8_t type = SHORT_TYPES - 1;
	uint8_t first;
	struct addr address;
	bool is_address = is_one_address(e, &address);

	if (e->name.len > CODE_LENGTH_MOST) {
		code_write_string(w, e->name); /* which refuses it */
		return;
	}
	while (type > 0 && !bytes_equal_text(e->type, short_types[type]))
		type--;
	first = is_address ? TYPE_ADDRESS : type;
	first |= e->set_identifier.len ? HAS_SET_IDENTIFIER : 0;
	first |= e->ttl > 0 ? HAS_TTL : 0;
	first |= e->target_count == 1 ? HAS_ONE_TARGET : 0;
	first |= shared > 0 ? HAS_SHARED_END : 0;
	buffer_u8(w->out, first);
	code_write_string(w, (struct bytes){e->name.data, e->name.len - shared});
	if (shared > 0)
		code_write_number(w, shared);
	if (type == 0)
		code_write_string(w, e->type);
	if (e->set_identifier.len)
		code_write_string(w, e->set_identifier);
	if (e->ttl > 0)
		code_write_number(w, (uint64_t)e->ttl);
	write_targets(w, e, is_address ? &address : NULL);
}

static uint8_t flags_of_site(const struct fact_site *s)
{
	return (uint8_t)((s->port > 0 ? HAS_PORT : 0) | (s->is_unready ? IS_UNREADY : 0) |
	                 (s->has_no_gateway ? HAS_NO_GATEWAY : 0) | (s->has_ready ? HAS_READY : 0) |
	                 (s->has_total ? HAS_TOTAL : 0));
}

static void write_site(struct code_writer *w, const struct fact_site *s)
{
	buffer_u8(w->out, flags_of_site(s));
	if (s->port > 0)
		code_write_number(w, s->port);
	if (s->has_ready)
		code_write_number(w, s->ready);
	if (s->has_total)
		code_write_number(w, s->total);
}

static bool says_more(const struct fact_value *v)
{
	for (size_t i = 0; i < v->dns_endpoint.endpoint_count; i++)
		if (flags_of_site(&v->dns_endpoint.endpoints[i].site) != 0)
			return true;
	return false;
}

static void write_dns_endpoint(struct code_writer *w, const struct fact_value *v)
{
	struct bytes before = {NULL, 0};
	bool more = v->dns_endpoint.is_sites && says_more(v);

	buffer_u8(w->out,
	          (uint8_t)((v->dns_endpoint.is_sites ? IS_SITES : 0) | (more ? SAYS_MORE : 0)));
	code_write_count(w, v->dns_endpoint.endpoint_count);
	for (size_t i = 0; i < v->dns_endpoint.endpoint_count && !w->err; i++) {
		write_endpoint(w, &v->dns_endpoint.endpoints[i], before);
		if (more)
			write_site(w, &v->dns_endpoint.endpoints[i].site);
		before = v->dns_endpoint.endpoints[i].name;
	}
}

static void write_annotations(struct code_writer *w, const struct fact_annotations *a)
{
	code_write_string(w, a->hostname);
	code_write_string(w, a->target);
	code_write_string(w, a->ttl);
}

static void write_ingress(struct code_writer *w, const struct fact_value *v)
{
	code_write_strings(w, v->ingress.targets, v->ingress.target_count);
	code_write_count(w, v->ingress.rule_count);
	for (size_t i = 0; i < v->ingress.rule_count && !w->err; i++) {
		const struct fact_rule *rule = &v->ingress.rules[i];

		code_write_string(w, rule->host);
		code_write_strings(w, rule->services, rule->service_count);
	}
	code_write_string(w, v->ingress.default_service);
	code_write_strings(w, v->ingress.tls_hosts, v->ingress.tls_host_count);
	write_annotations(w, &v->ingress.annotations);
}

static void write_service_record(struct code_writer *w, const struct fact_value *v)
{
	code_write_string(w, v->service_record.domain_ref);
	code_write_string(w, v->service_record.dns_prefix);
	code_write_string(w, v->service_record.external_name);
	code_write_signed(w, v->service_record.ttl);
	buffer_u8(w->out, v->service_record.allow_without_endpoints);
}

static void write_kind(struct code_writer *w, const struct fact_value *v)
{
	switch (v->kind) {
	case FACT_KUBEFED_CLUSTER:
		write_cluster(w, v);
		break;
	case FACT_DOMAIN:
		code_write_string(w, v->domain.domain);
		if (v->domain.release_guard != 0)
			code_write_number(w, v->domain.release_guard);
		break;
	case FACT_SERVICE_DNS_RECORD:
		write_service_record(w, v);
		break;
	case FACT_INGRESS_DNS_RECORD:
		code_write_strings(w, v->ingress_record.hosts, v->ingress_record.host_count);
		code_write_signed(w, v->ingress_record.ttl);
		break;
	case FACT_DNS_ENDPOINT:
	case FACT_EXTERNAL_DNS_ENDPOINT:
		write_dns_endpoint(w, v);
		break;
	case FACT_SERVICE:
		code_write_strings(w, v->service.targets, v->service.target_count);
		code_write_number(w, v->service.port);
		write_annotations(w, &v->service.annotations);
		break;
	case FACT_ENDPOINT_SLICE:
		code_write_string(w, v->slice.service);
		code_write_number(w, v->slice.ready);
		code_write_number(w, v->slice.total);
		break;
	case FACT_INGRESS:
		write_ingress(w, v);
		break;
	case FACT_NODE:
		code_write_string(w, v->node.region);
		code_write_string(w, v->node.zone);
		break;
	case FACT_TRAFFIC_POLICY:
		policy_code_write(w, &v->policy);
		break;
	default:
		w->err = reason_set(w->why, ERR_RANGE, "%d is not a kind of fact", (int)v->kind);
	}
}

enum err fact_code_write(const struct fact_value *value, struct buffer *out, struct reason *why)
{
	struct code_writer w = {out, ERR_OK, why};

	buffer_u8(out, (uint8_t)value->kind);
	code_write_signed(&w, value->created);
	code_write_string(&w, value->namespace);
	code_write_string(&w, value->name);
	write_kind(&w, value);
	return w.err;
}

/* --- reading --- */

static void read_cluster(struct cursor *c, struct arena *a, struct fact_value *v)
{
	uint8_t flags =
		code_read_flags(c, HAS_LOCATION | IS_DRAINED | HAS_SHIFT_AND_LABELS | HAS_LET_BACK);

	v->cluster.has_location = flags & HAS_LOCATION;
	v->cluster.drain = flags & IS_DRAINED;
	v->cluster.location = (struct place){0, 0};
	if (v->cluster.has_location) {
		v->cluster.location.latitude = code_read_double(c);
		v->cluster.location.longitude = code_read_double(c);
		if (!place_is_valid(&v->cluster.location))
			code_spoil(c);
	}
	v->cluster.region = code_read_string(c);
	v->cluster.zones = code_read_strings(c, a, &v->cluster.zone_count);
	v->cluster.shift = (struct bytes){NULL, 0};
	v->cluster.labels = NULL;
	v->cluster.label_count = 0;
	v->cluster.let_back_at = flags & HAS_LET_BACK ? (int64_t)code_read_up_to(c, INT64_MAX) : 0;
	if (flags & HAS_LET_BACK && v->cluster.let_back_at == 0)
		code_spoil(c);
	if (!(flags & HAS_SHIFT_AND_LABELS))
		return;
	v->cluster.shift = code_read_string(c);
	v->cluster.labels = code_read_strings(c, a, &v->cluster.label_count);
	if (v->cluster.shift.len == 0 && v->cluster.label_count == 0)
		code_spoil(c);
}

static void read_domain(struct cursor *c, struct fact_value *v)
{
	v->domain.domain = code_read_string(c);
	v->domain.release_guard = 0;
	if (cursor_left(c) == 0)
		return;
	v->domain.release_guard = code_read_number(c);
	if (v->domain.release_guard == 0)
		code_spoil(c);
}

static struct bytes read_name(struct cursor *c, struct arena *a, bool has_shared_end,
                              struct bytes before)
{
	struct bytes begin = code_read_string(c);
	size_t shared = has_shared_end ? code_read_up_to(c, before.len) : 0;
	uint8_t *name;

	if (shared == 0)
		return begin;
	if (begin.len + shared > CODE_LENGTH_MOST) {
		code_spoil(c);
		return (struct bytes){NULL, 0};
	}
	name = arena_alloc(a, begin.len + shared);
	if (begin.len > 0)
		bytes_copy(name, begin.data, begin.len);
	bytes_copy(name + begin.len, before.data + before.len - shared, shared);
	return (struct bytes){name, begin.len + shared};
}

static void read_target(struct cursor *c, struct arena *a, struct fact_endpoint *e)
{
	struct bytes target = code_read_string(c);

	e->target_count = 1;
	e->targets = arena_memdup(a, &target, sizeof(target));
}

static void read_address(struct cursor *c, struct arena *a, struct fact_endpoint *e)
{
	struct bytes address = cursor_bytes(c, 4);
	struct {
		struct bytes target;
		uint8_t text[16];
	} *one = arena_alloc(a, sizeof(*one));

	one->target = (struct bytes){one->text,
	                             address.len == 4 ? print_ipv4(address.data, one->text) : 0};
	e->target_count = 1;
	e->targets = &one->target;
}

static void read_endpoint(struct cursor *c, struct arena *a, struct bytes name_before,
                          struct fact_endpoint *e)
{
	uint8_t first = cursor_u8(c);
	uint8_t type = first & TYPE_MASK;

	if (type == TYPE_ADDRESS && first & HAS_ONE_TARGET)
		type = TYPE_A;
	else if (type >= SHORT_TYPES) {
		code_spoil(c);
		return;
	}
	e->name = read_name(c, a, first & HAS_SHARED_END, name_before);
	e->type = type ? bytes_of(short_types[type]) : code_read_string(c);
	e->set_identifier =
		first & HAS_SET_IDENTIFIER ? code_read_string(c) : (struct bytes){NULL, 0};
	e->ttl = first & HAS_TTL ? (int64_t)code_read_up_to(c, INT64_MAX) : 0;
	if ((first & TYPE_MASK) == TYPE_ADDRESS)
		read_address(c, a, e);
	else if (first & HAS_ONE_TARGET)
		read_target(c, a, e);
	else
		e->targets = code_read_strings(c, a, &e->target_count);
}

static void read_site(struct cursor *c, struct fact_site *s)
{
	uint8_t flags =
		code_read_flags(c, HAS_PORT | IS_UNREADY | HAS_NO_GATEWAY | HAS_READY | HAS_TOTAL);

	*s = (struct fact_site){.is_unready = flags & IS_UNREADY,
	                        .has_no_gateway = flags & HAS_NO_GATEWAY,
	                        .has_ready = flags & HAS_READY,
	                        .has_total = flags & HAS_TOTAL};
	if (flags & HAS_PORT)
		s->port = (uint16_t)code_read_up_to(c, UINT16_MAX);
	if (flags & HAS_READY)
		s->ready = (uint32_t)code_read_up_to(c, UINT32_MAX);
	if (flags & HAS_TOTAL)
		s->total = (uint32_t)code_read_up_to(c, UINT32_MAX);
	if (flags_of_site(s) != flags || (s->has_total && !s->has_ready))
		code_spoil(c);
}

static void read_dns_endpoint(struct cursor *c, struct arena *a, struct fact_value *v)
{
	uint8_t flags = code_read_flags(c, IS_SITES | SAYS_MORE);
	struct fact_endpoint *list;

	v->dns_endpoint.is_sites = flags & IS_SITES;
	v->dns_endpoint.endpoint_count = code_read_count(c);
	list = arena_calloc(a, v->dns_endpoint.endpoint_count, sizeof(*list));
	for (size_t i = 0; i < v->dns_endpoint.endpoint_count && !c->bad; i++) {
		read_endpoint(c, a, i > 0 ? list[i - 1].name : (struct bytes){NULL, 0}, &list[i]);
		if (flags & SAYS_MORE)
			read_site(c, &list[i].site);
	}
	v->dns_endpoint.endpoints = list;
	if (flags & SAYS_MORE && !(v->dns_endpoint.is_sites && says_more(v)))
		code_spoil(c);
}

static void read_annotations(struct cursor *c, struct fact_annotations *a)
{
	a->hostname = code_read_string(c);
	a->target = code_read_string(c);
	a->ttl = code_read_string(c);
}

static void read_ingress(struct cursor *c, struct arena *a, struct fact_value *v)
{
	struct fact_rule *rules;

	v->ingress.targets = code_read_strings(c, a, &v->ingress.target_count);
	v->ingress.rule_count = code_read_count(c);
	rules = arena_calloc(a, v->ingress.rule_count, sizeof(*rules));
	for (size_t i = 0; i < v->ingress.rule_count && !c->bad; i++) {
		rules[i].host = code_read_string(c);
		rules[i].services = code_read_strings(c, a, &rules[i].service_count);
	}
	v->ingress.rules = rules;
	v->ingress.default_service = code_read_string(c);
	v->ingress.tls_hosts = code_read_strings(c, a, &v->ingress.tls_host_count);
	read_annotations(c, &v->ingress.annotations);
}

static void read_service_record(struct cursor *c, struct fact_value *v)
{
	v->service_record.domain_ref = code_read_string(c);
	v->service_record.dns_prefix = code_read_string(c);
	v->service_record.external_name = code_read_string(c);
	v->service_record.ttl = code_read_signed(c);
	v->service_record.allow_without_endpoints = code_read_flags(c, 1);
}

static void read_kind(struct cursor *c, struct arena *a, struct fact_value *v)
{
	switch (v->kind) {
	case FACT_KUBEFED_CLUSTER:
		read_cluster(c, a, v);
		break;
	case FACT_DOMAIN:
		read_domain(c, v);
		break;
	case FACT_SERVICE_DNS_RECORD:
		read_service_record(c, v);
		break;
	case FACT_INGRESS_DNS_RECORD:
		v->ingress_record.hosts = code_read_strings(c, a, &v->ingress_record.host_count);
		v->ingress_record.ttl = code_read_signed(c);
		break;
	case FACT_DNS_ENDPOINT:
	case FACT_EXTERNAL_DNS_ENDPOINT:
		read_dns_endpoint(c, a, v);
		break;
	case FACT_SERVICE:
		v->service.targets = code_read_strings(c, a, &v->service.target_count);
		v->service.port = (uint16_t)code_read_up_to(c, UINT16_MAX);
		read_annotations(c, &v->service.annotations);
		break;
	case FACT_ENDPOINT_SLICE:
		v->slice.service = code_read_string(c);
		v->slice.ready = (uint32_t)code_read_up_to(c, UINT32_MAX);
		v->slice.total = (uint32_t)code_read_up_to(c, UINT32_MAX);
		break;
	case FACT_INGRESS:
		read_ingress(c, a, v);
		break;
	case FACT_NODE:
		v->node.region = code_read_string(c);
		v->node.zone = code_read_string(c);
		break;
	case FACT_TRAFFIC_POLICY:
		policy_code_read(c, a, &v->policy);
		break;
	}
}

bool fact_code_read_key(struct cursor *c, struct fact_value *out)
{
	uint8_t kind = cursor_u8(c);

	if (kind < FACT_KUBEFED_CLUSTER || kind >= FACT_KINDS)
		return false;
	out->kind = (enum fact_kind)kind;
	out->created = code_read_signed(c);
	out->namespace = code_read_string(c);
	out->name = code_read_string(c);
	return !c->bad;
}

bool fact_code_is_sites(struct cursor *c)
{
	struct fact_value key;

	return fact_code_read_key(c, &key) && fact_kind_is_dns_endpoint(key.kind) &&
	       cursor_u8(c) & IS_SITES && !c->bad;
}

bool fact_code_read(struct cursor *c, struct arena *a, struct fact_value *out)
{
	if (!fact_code_read_key(c, out))
		return false;
	read_kind(c, a, out);
	return !c->bad && cursor_left(c) == 0;
}
