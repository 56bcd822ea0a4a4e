/* SPDX-License-Identifier: Apache-2.0 */
#include "records/fact_code.h"

#include <string.h>

#include "base/addr.h"

enum { LENGTH_MOST = UINT16_MAX };

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

/* --- writing --- */

struct writer {
	struct buffer *out;
	enum err err;
	struct reason *why;
};

static void write_number(struct writer *w, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buffer_u8(w->out, (uint8_t)(v | 0x80));
	buffer_u8(w->out, (uint8_t)v);
}

static void write_signed(struct writer *w, int64_t v)
{
	write_number(w, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

static void write_string(struct writer *w, struct bytes s)
{
	if (s.len > LENGTH_MOST) {
		w->err = reason_set(w->why, ERR_RANGE, "a string of %zu bytes is too long", s.len);
		return;
	}
	write_number(w, s.len);
	buffer_put(w->out, s.data, s.len);
}

static void write_count(struct writer *w, size_t count)
{
	if (count > LENGTH_MOST)
		w->err = reason_set(w->why, ERR_RANGE, "a list of %zu items is too long", count);
	else
		write_number(w, count);
}

static void write_strings(struct writer *w, const struct bytes *s, size_t count)
{
	write_count(w, count);
	for (size_t i = 0; i < count && !w->err; i++)
		write_string(w, s[i]);
}

static void write_double(struct writer *w, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	buffer_u64(w->out, bits);
}

static void write_cluster(struct writer *w, const struct fact_value *v)
{
	buffer_u8(w->out, (uint8_t)(v->cluster.has_location | v->cluster.drain << 1));
	if (v->cluster.has_location) {
		write_double(w, v->cluster.location.latitude);
		write_double(w, v->cluster.location.longitude);
	}
	write_string(w, v->cluster.region);
	write_strings(w, v->cluster.zones, v->cluster.zone_count);
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
static void write_targets(struct writer *w, const struct fact_endpoint *e,
                          const struct addr *address)
{
	if (address)
		buffer_put(w->out, address->bytes, 4);
	else if (e->target_count == 1)
		write_string(w, e->targets[0]);
	else
		write_strings(w, e->targets, e->target_count);
}

static void write_endpoint(struct writer *w, const struct fact_endpoint *e,
                           struct bytes name_before)
{
	size_t shared = shared_end(e->name, name_before);
	uint8_t type = SHORT_TYPES - 1;
	uint8_t first;
	struct addr address;
	bool is_address = is_one_address(e, &address);

	if (e->name.len > LENGTH_MOST) {
		write_string(w, e->name); /* which refuses it */
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
	write_string(w, (struct bytes){e->name.data, e->name.len - shared});
	if (shared > 0)
		write_number(w, shared);
	if (type == 0)
		write_string(w, e->type);
	if (e->set_identifier.len)
		write_string(w, e->set_identifier);
	if (e->ttl > 0)
		write_number(w, (uint64_t)e->ttl);
	write_targets(w, e, is_address ? &address : NULL);
}

static void write_dns_endpoint(struct writer *w, const struct fact_value *v)
{
	struct bytes before = {NULL, 0};

	buffer_u8(w->out, v->dns_endpoint.is_rendering);
	write_count(w, v->dns_endpoint.endpoint_count);
	for (size_t i = 0; i < v->dns_endpoint.endpoint_count && !w->err; i++) {
		write_endpoint(w, &v->dns_endpoint.endpoints[i], before);
		before = v->dns_endpoint.endpoints[i].name;
	}
}

static void write_annotations(struct writer *w, const struct fact_annotations *a)
{
	write_string(w, a->hostname);
	write_string(w, a->target);
	write_string(w, a->ttl);
}

static void write_ingress(struct writer *w, const struct fact_value *v)
{
	write_strings(w, v->ingress.targets, v->ingress.target_count);
	write_count(w, v->ingress.rule_count);
	for (size_t i = 0; i < v->ingress.rule_count && !w->err; i++) {
		const struct fact_rule *rule = &v->ingress.rules[i];

		write_string(w, rule->host);
		write_strings(w, rule->services, rule->service_count);
	}
	write_string(w, v->ingress.default_service);
	write_strings(w, v->ingress.tls_hosts, v->ingress.tls_host_count);
	write_annotations(w, &v->ingress.annotations);
}

static void write_service_record(struct writer *w, const struct fact_value *v)
{
	write_string(w, v->service_record.domain_ref);
	write_string(w, v->service_record.dns_prefix);
	write_string(w, v->service_record.external_name);
	write_signed(w, v->service_record.ttl);
	buffer_u8(w->out, v->service_record.allow_without_endpoints);
}

static void write_kind(struct writer *w, const struct fact_value *v)
{
	switch (v->kind) {
	case FACT_KUBEFED_CLUSTER:
		write_cluster(w, v);
		break;
	case FACT_DOMAIN:
		write_string(w, v->domain.domain);
		if (v->domain.release_guard != 0)
			write_number(w, v->domain.release_guard);
		break;
	case FACT_SERVICE_DNS_RECORD:
		write_service_record(w, v);
		break;
	case FACT_INGRESS_DNS_RECORD:
		write_strings(w, v->ingress_record.hosts, v->ingress_record.host_count);
		write_signed(w, v->ingress_record.ttl);
		break;
	case FACT_DNS_ENDPOINT:
	case FACT_EXTERNAL_DNS_ENDPOINT:
		write_dns_endpoint(w, v);
		break;
	case FACT_SERVICE:
		write_strings(w, v->service.targets, v->service.target_count);
		write_number(w, v->service.port);
		write_annotations(w, &v->service.annotations);
		break;
	case FACT_ENDPOINT_SLICE:
		write_string(w, v->slice.service);
		write_number(w, v->slice.ready);
		write_number(w, v->slice.total);
		break;
	case FACT_INGRESS:
		write_ingress(w, v);
		break;
	case FACT_NODE:
		write_string(w, v->node.region);
		write_string(w, v->node.zone);
		break;
	default:
		w->err = reason_set(w->why, ERR_RANGE, "%d is not a kind of fact", (int)v->kind);
	}
}

enum err fact_code_write(const struct fact_value *value, struct buffer *out, struct reason *why)
{
	struct writer w = {out, ERR_OK, why};

	buffer_u8(out, (uint8_t)value->kind);
	write_signed(&w, value->created);
	write_string(&w, value->namespace);
	write_string(&w, value->name);
	write_kind(&w, value);
	return w.err;
}

/* --- reading: the cursor turns bad at the first fault, and is asked once, at the end --- */

static void spoil(struct cursor *c)
{
	c->bad = true;
	c->at = c->end;
}

static uint64_t read_number(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cursor_u8(c);
		uint64_t part = byte & 0x7f;

		/* Only the bits there are, no needless last byte: equal values, equal bytes. */
		if (part << shift >> shift != part || (byte == 0 && shift > 0))
			break;
		v |= part << shift;
		if (byte < 0x80)
			return v;
	}
	spoil(c);
	return 0;
}

static int64_t read_signed(struct cursor *c)
{
	uint64_t v = read_number(c);

	return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

static uint64_t read_up_to(struct cursor *c, uint64_t most)
{
	uint64_t v = read_number(c);

	if (v <= most)
		return v;
	spoil(c);
	return 0;
}

static struct bytes read_string(struct cursor *c)
{
	return cursor_bytes(c, read_up_to(c, LENGTH_MOST));
}

/* An item takes a byte at least: damaged bytes cannot ask for more memory than that. */
static size_t read_count(struct cursor *c)
{
	size_t count = read_up_to(c, LENGTH_MOST);

	if (count <= cursor_left(c))
		return count;
	spoil(c);
	return 0;
}

static uint8_t read_flags(struct cursor *c, uint8_t known)
{
	uint8_t flags = cursor_u8(c);

	if (flags & ~known)
		spoil(c);
	return flags;
}

static const struct bytes *read_strings(struct cursor *c, struct arena *a, size_t *count)
{
	struct bytes *list;

	*count = read_count(c);
	list = arena_calloc(a, *count, sizeof(*list));
	for (size_t i = 0; i < *count && !c->bad; i++)
		list[i] = read_string(c);
	return list;
}

static double read_double(struct cursor *c)
{
	uint64_t bits = cursor_u64(c);
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static void read_cluster(struct cursor *c, struct arena *a, struct fact_value *v)
{
	uint8_t flags = read_flags(c, 3);

	v->cluster.has_location = flags & 1;
	v->cluster.drain = flags >> 1 & 1;
	v->cluster.location = (struct place){0, 0};
	if (v->cluster.has_location) {
		v->cluster.location.latitude = read_double(c);
		v->cluster.location.longitude = read_double(c);
		if (!place_is_valid(&v->cluster.location))
			spoil(c);
	}
	v->cluster.region = read_string(c);
	v->cluster.zones = read_strings(c, a, &v->cluster.zone_count);
}

static struct bytes read_name(struct cursor *c, struct arena *a, bool has_shared_end,
                              struct bytes before)
{
	struct bytes begin = read_string(c);
	size_t shared = has_shared_end ? read_up_to(c, before.len) : 0;
	uint8_t *name;

	if (shared == 0)
		return begin;
	if (begin.len + shared > LENGTH_MOST) {
		spoil(c);
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
	struct bytes target = read_string(c);

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
		spoil(c);
		return;
	}
	e->name = read_name(c, a, first & HAS_SHARED_END, name_before);
	e->type = type ? bytes_of(short_types[type]) : read_string(c);
	e->set_identifier = first & HAS_SET_IDENTIFIER ? read_string(c) : (struct bytes){NULL, 0};
	e->ttl = first & HAS_TTL ? (int64_t)read_up_to(c, INT64_MAX) : 0;
	if ((first & TYPE_MASK) == TYPE_ADDRESS)
		read_address(c, a, e);
	else if (first & HAS_ONE_TARGET)
		read_target(c, a, e);
	else
		e->targets = read_strings(c, a, &e->target_count);
}

static void read_dns_endpoint(struct cursor *c, struct arena *a, struct fact_value *v)
{
	struct fact_endpoint *list;

	v->dns_endpoint.is_rendering = read_flags(c, 1);
	v->dns_endpoint.endpoint_count = read_count(c);
	list = arena_calloc(a, v->dns_endpoint.endpoint_count, sizeof(*list));
	for (size_t i = 0; i < v->dns_endpoint.endpoint_count && !c->bad; i++)
		read_endpoint(c, a, i > 0 ? list[i - 1].name : (struct bytes){NULL, 0}, &list[i]);
	v->dns_endpoint.endpoints = list;
}

static void read_annotations(struct cursor *c, struct fact_annotations *a)
{
	a->hostname = read_string(c);
	a->target = read_string(c);
	a->ttl = read_string(c);
}

static void read_ingress(struct cursor *c, struct arena *a, struct fact_value *v)
{
	struct fact_rule *rules;

	v->ingress.targets = read_strings(c, a, &v->ingress.target_count);
	v->ingress.rule_count = read_count(c);
	rules = arena_calloc(a, v->ingress.rule_count, sizeof(*rules));
	for (size_t i = 0; i < v->ingress.rule_count && !c->bad; i++) {
		rules[i].host = read_string(c);
		rules[i].services = read_strings(c, a, &rules[i].service_count);
	}
	v->ingress.rules = rules;
	v->ingress.default_service = read_string(c);
	v->ingress.tls_hosts = read_strings(c, a, &v->ingress.tls_host_count);
	read_annotations(c, &v->ingress.annotations);
}

static void read_service_record(struct cursor *c, struct fact_value *v)
{
	v->service_record.domain_ref = read_string(c);
	v->service_record.dns_prefix = read_string(c);
	v->service_record.external_name = read_string(c);
	v->service_record.ttl = read_signed(c);
	v->service_record.allow_without_endpoints = read_flags(c, 1);
}

static void read_kind(struct cursor *c, struct arena *a, struct fact_value *v)
{
	switch (v->kind) {
	case FACT_KUBEFED_CLUSTER:
		read_cluster(c, a, v);
		break;
	case FACT_DOMAIN:
		v->domain.domain = read_string(c);
		v->domain.release_guard = cursor_left(c) > 0 ? read_number(c) : 0;
		break;
	case FACT_SERVICE_DNS_RECORD:
		read_service_record(c, v);
		break;
	case FACT_INGRESS_DNS_RECORD:
		v->ingress_record.hosts = read_strings(c, a, &v->ingress_record.host_count);
		v->ingress_record.ttl = read_signed(c);
		break;
	case FACT_DNS_ENDPOINT:
	case FACT_EXTERNAL_DNS_ENDPOINT:
		read_dns_endpoint(c, a, v);
		break;
	case FACT_SERVICE:
		v->service.targets = read_strings(c, a, &v->service.target_count);
		v->service.port = (uint16_t)read_up_to(c, UINT16_MAX);
		read_annotations(c, &v->service.annotations);
		break;
	case FACT_ENDPOINT_SLICE:
		v->slice.service = read_string(c);
		v->slice.ready = (uint32_t)read_up_to(c, UINT32_MAX);
		v->slice.total = (uint32_t)read_up_to(c, UINT32_MAX);
		break;
	case FACT_INGRESS:
		read_ingress(c, a, v);
		break;
	case FACT_NODE:
		v->node.region = read_string(c);
		v->node.zone = read_string(c);
		break;
	}
}

bool fact_code_read_key(struct cursor *c, struct fact_value *out)
{
	uint8_t kind = cursor_u8(c);

	if (kind < FACT_KUBEFED_CLUSTER || kind >= FACT_KINDS)
		return false;
	out->kind = (enum fact_kind)kind;
	out->created = read_signed(c);
	out->namespace = read_string(c);
	out->name = read_string(c);
	return !c->bad;
}

bool fact_code_read(struct cursor *c, struct arena *a, struct fact_value *out)
{
	if (!fact_code_read_key(c, out))
		return false;
	read_kind(c, a, out);
	return !c->bad && cursor_left(c) == 0;
}
