/* SPDX-License-Identifier: Apache-2.0 */
#include "records/policy_code.h"

#include <string.h>

enum {
	SAME_REGION_FIRST = 1,
	UNKNOWN_BY_RESOLVER = 2,
	NO_DATA_WHEN_ALL_DOWN = 4,
	HAS_UNSEEN_AFTER = 8,
	HAS_LET_BACK = 16,
	HAS_GENERATION = 32
};
enum { CHECK_TLS = 1, CHECK_INSECURE = 2 };

/* --- writing --- */

static void write_targets(struct code_writer *w, const struct policy_value *p)
{
	code_write_count(w, p->target_count);
	for (size_t i = 0; i < p->target_count && !w->err; i++) {
		buffer_u8(w->out, (uint8_t)p->targets[i].kind);
		code_write_string(w, p->targets[i].name);
	}
}

static void write_networks(struct code_writer *w, const struct policy_fence *f)
{
	code_write_count(w, f->network_count);
	for (size_t i = 0; i < f->network_count && !w->err; i++) {
		const struct addr_network *n = &f->networks[i];

		buffer_u8(w->out, n->addr.family);
		buffer_u8(w->out, n->len);
		buffer_put(w->out, n->addr.bytes, addr_bits(&n->addr) / 8);
	}
}

static void write_fences(struct code_writer *w, const struct policy_value *p)
{
	code_write_count(w, p->fence_count);
	for (size_t i = 0; i < p->fence_count && !w->err; i++) {
		const struct policy_fence *f = &p->fences[i];

		code_write_strings(w, f->continents, f->continent_count);
		code_write_strings(w, f->countries, f->country_count);
		code_write_strings(w, f->subdivisions, f->subdivision_count);
		write_networks(w, f);
		code_write_strings(w, f->clusters, f->cluster_count);
		buffer_u8(w->out, f->required);
	}
}

static void write_tiers(struct code_writer *w, const struct policy_value *p)
{
	code_write_count(w, p->tier_count);
	for (size_t i = 0; i < p->tier_count && !w->err; i++) {
		const struct policy_tier *t = &p->tiers[i];

		code_write_strings(w, t->clusters, t->cluster_count);
		buffer_u8(w->out, t->has_selector);
		code_write_count(w, t->selector_count);
		for (size_t k = 0; k < t->selector_count && !w->err; k++) {
			code_write_string(w, t->selector[k].key);
			buffer_u8(w->out, (uint8_t)t->selector[k].operator);
			code_write_strings(w, t->selector[k].values, t->selector[k].value_count);
		}
	}
}

static void write_numbers(struct code_writer *w, const struct policy_number *list, size_t count)
{
	code_write_count(w, count);
	for (size_t i = 0; i < count && !w->err; i++) {
		code_write_string(w, list[i].cluster);
		code_write_signed(w, list[i].value);
	}
}

static void write_check(struct code_writer *w, const struct policy_check *k)
{
	const struct bytes texts[] = {
		k->host,         k->path,      k->import,           k->body,
		k->ca_file,      k->ca_secret, k->certificate_file, k->key_file,
		k->client_secret};

	buffer_u8(w->out, (uint8_t)k->kind);
	buffer_u8(w->out, (uint8_t)((k->tls ? CHECK_TLS : 0) | (k->insecure ? CHECK_INSECURE : 0)));
	code_write_number(w, k->port);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		code_write_string(w, texts[i]);
	code_write_count(w, k->header_count);
	for (size_t i = 0; i < k->header_count && !w->err; i++) {
		code_write_string(w, k->headers[i].name);
		code_write_string(w, k->headers[i].value);
	}
	code_write_count(w, k->status_count);
	for (size_t i = 0; i < k->status_count && !w->err; i++) {
		code_write_number(w, k->status[i].from);
		code_write_number(w, k->status[i].to);
	}
	code_write_number(w, k->interval_ms);
	code_write_number(w, k->timeout_ms);
	code_write_number(w, k->down);
	code_write_number(w, k->up);
	buffer_u8(w->out, k->mode);
}

static void write_stages(struct code_writer *w, const struct policy_value *p)
{
	code_write_count(w, p->stage_count);
	for (size_t i = 0; i < p->stage_count; i++)
		buffer_u8(w->out, (uint8_t)p->stages[i]);
	write_fences(w, p);
	write_tiers(w, p);
	write_numbers(w, p->biases, p->bias_count);
	write_numbers(w, p->weights, p->weight_count);
	buffer_u8(w->out, p->sticky_ipv4);
	buffer_u8(w->out, p->sticky_ipv6);
}

void policy_code_write(struct code_writer *w, const struct policy_value *p)
{
	write_targets(w, p);
	buffer_u8(w->out, (uint8_t)((p->same_region_first ? SAME_REGION_FIRST : 0) |
	                            (p->unknown_by_resolver ? UNKNOWN_BY_RESOLVER : 0) |
	                            (p->no_data_when_all_down ? NO_DATA_WHEN_ALL_DOWN : 0) |
	                            (p->has_unseen_after ? HAS_UNSEEN_AFTER : 0) |
	                            (p->let_back.at > 0 ? HAS_LET_BACK : 0) |
	                            (p->generation > 0 ? HAS_GENERATION : 0)));
	write_stages(w, p);
	code_write_strings(w, p->unknown_order, p->unknown_order_count);
	write_numbers(w, p->unknown_weights, p->unknown_weight_count);
	code_write_number(w, p->ttl);
	code_write_number(w, p->degraded_ttl);
	code_write_number(w, p->max_addresses);
	if (p->has_unseen_after)
		code_write_number(w, p->unseen_after_ms);
	buffer_u8(w->out, p->min_ready_percent);
	buffer_u8(w->out, (uint8_t)p->failback);
	code_write_number(w, p->stable_for_ms);
	write_check(w, &p->check);
	if (p->let_back.at > 0) {
		code_write_number(w, (uint64_t)p->let_back.at);
		code_write_string(w, p->let_back.name);
		code_write_string(w, p->let_back.cluster);
	}
	if (p->generation > 0)
		code_write_number(w, (uint64_t)p->generation);
}

/* --- reading --- */

static unsigned read_between(struct cursor *c, unsigned least, unsigned most)
{
	unsigned v = cursor_u8(c);

	if (v >= least && v <= most)
		return v;
	code_spoil(c);
	return least;
}

static void read_targets(struct cursor *c, struct arena *a, struct policy_value *p)
{
	struct policy_target *list;

	p->target_count = code_read_count(c);
	list = arena_calloc(a, p->target_count, sizeof(*list));
	for (size_t i = 0; i < p->target_count && !c->bad; i++) {
		list[i].kind =
			(enum policy_target_kind)read_between(c, POLICY_HOSTNAME, POLICY_DOMAIN);
		list[i].name = code_read_string(c);
	}
	p->targets = list;
}

/* Bits behind the length would be a second form of the same network. */
static void read_network(struct cursor *c, struct addr_network *n)
{
	struct bytes bytes;
	struct addr masked;

	n->addr.family = cursor_u8(c);
	n->len = cursor_u8(c);
	if ((n->addr.family != ADDR_IPV4 && n->addr.family != ADDR_IPV6) ||
	    n->len > addr_bits(&n->addr)) {
		code_spoil(c);
		*n = (struct addr_network){.addr = {.family = ADDR_IPV4}};
		return;
	}
	bytes = cursor_bytes(c, addr_bits(&n->addr) / 8U);
	if (bytes.len > 0)
		memcpy(n->addr.bytes, bytes.data, bytes.len);
	masked = addr_masked(&n->addr, n->len);
	if (!addr_equal(&masked, &n->addr))
		code_spoil(c);
}

static void read_fence(struct cursor *c, struct arena *a, struct policy_fence *f)
{
	struct addr_network *networks;

	f->continents = code_read_strings(c, a, &f->continent_count);
	f->countries = code_read_strings(c, a, &f->country_count);
	f->subdivisions = code_read_strings(c, a, &f->subdivision_count);
	f->network_count = code_read_count(c);
	networks = arena_calloc(a, f->network_count, sizeof(*networks));
	for (size_t i = 0; i < f->network_count && !c->bad; i++)
		read_network(c, &networks[i]);
	f->networks = networks;
	f->clusters = code_read_strings(c, a, &f->cluster_count);
	f->required = code_read_flags(c, 1);
}

static void read_fences(struct cursor *c, struct arena *a, struct policy_value *p)
{
	struct policy_fence *list;

	p->fence_count = code_read_count(c);
	list = arena_calloc(a, p->fence_count, sizeof(*list));
	for (size_t i = 0; i < p->fence_count && !c->bad; i++)
		read_fence(c, a, &list[i]);
	p->fences = list;
}

static void read_tier(struct cursor *c, struct arena *a, struct policy_tier *t)
{
	struct policy_requirement *list;

	t->clusters = code_read_strings(c, a, &t->cluster_count);
	t->has_selector = code_read_flags(c, 1);
	t->selector_count = code_read_count(c);
	list = arena_calloc(a, t->selector_count, sizeof(*list));
	for (size_t i = 0; i < t->selector_count && !c->bad; i++) {
		struct bytes key = code_read_string(c);
		unsigned op = read_between(c, POLICY_IN, POLICY_DOES_NOT_EXIST);
		size_t count;
		const struct bytes *values = code_read_strings(c, a, &count);

		list[i] = (struct policy_requirement){key, (enum policy_operator)op, values, count};
	}
	t->selector = list;
}

static void read_tiers(struct cursor *c, struct arena *a, struct policy_value *p)
{
	struct policy_tier *list;

	p->tier_count = code_read_count(c);
	list = arena_calloc(a, p->tier_count, sizeof(*list));
	for (size_t i = 0; i < p->tier_count && !c->bad; i++)
		read_tier(c, a, &list[i]);
	p->tiers = list;
}

static const struct policy_number *read_numbers(struct cursor *c, struct arena *a, size_t *count)
{
	struct policy_number *list;

	*count = code_read_count(c);
	list = arena_calloc(a, *count, sizeof(*list));
	for (size_t i = 0; i < *count && !c->bad; i++) {
		int64_t v;

		list[i].cluster = code_read_string(c);
		v = code_read_signed(c);
		if (v < INT32_MIN || v > INT32_MAX)
			code_spoil(c);
		else
			list[i].value = (int32_t)v;
	}
	return list;
}

static void read_lists_of_check(struct cursor *c, struct arena *a, struct policy_check *k)
{
	struct policy_header *headers;
	struct policy_range *status;

	k->header_count = code_read_count(c);
	headers = arena_calloc(a, k->header_count, sizeof(*headers));
	for (size_t i = 0; i < k->header_count && !c->bad; i++) {
		headers[i].name = code_read_string(c);
		headers[i].value = code_read_string(c);
	}
	k->headers = headers;
	k->status_count = code_read_count(c);
	status = arena_calloc(a, k->status_count, sizeof(*status));
	for (size_t i = 0; i < k->status_count && !c->bad; i++) {
		status[i].from = (uint16_t)code_read_up_to(c, UINT16_MAX);
		status[i].to = (uint16_t)code_read_up_to(c, UINT16_MAX);
	}
	k->status = status;
}

static void read_check(struct cursor *c, struct arena *a, struct policy_check *k)
{
	struct bytes *const texts[] = {
		&k->host,         &k->path,      &k->import,           &k->body,
		&k->ca_file,      &k->ca_secret, &k->certificate_file, &k->key_file,
		&k->client_secret};
	uint8_t flags;

	k->kind = (enum policy_check_kind)read_between(c, POLICY_CHECK_NONE, POLICY_CHECK_IMPORT);
	flags = code_read_flags(c, CHECK_TLS | CHECK_INSECURE);
	k->tls = flags & CHECK_TLS;
	k->insecure = flags & CHECK_INSECURE;
	k->port = (uint16_t)code_read_up_to(c, UINT16_MAX);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = code_read_string(c);
	read_lists_of_check(c, a, k);
	k->interval_ms = (uint32_t)code_read_up_to(c, UINT32_MAX);
	k->timeout_ms = (uint32_t)code_read_up_to(c, UINT32_MAX);
	k->down = (uint32_t)code_read_up_to(c, UINT32_MAX);
	k->up = (uint32_t)code_read_up_to(c, UINT32_MAX);
	k->mode = (uint8_t)read_between(c, 0, POLICY_MODE_OFF);
}

static void read_stages(struct cursor *c, struct arena *a, struct policy_value *p)
{
	unsigned seen = 0;

	p->stage_count = code_read_up_to(c, POLICY_STAGES_MOST);
	for (size_t i = 0; i < p->stage_count; i++) {
		p->stages[i] = (enum policy_stage)read_between(c, POLICY_GEOFENCE, POLICY_ALL);
		c->bad |= (seen >> p->stages[i] & 1) != 0;
		seen |= 1U << p->stages[i];
	}
	read_fences(c, a, p);
	read_tiers(c, a, p);
	p->biases = read_numbers(c, a, &p->bias_count);
	p->weights = read_numbers(c, a, &p->weight_count);
	p->sticky_ipv4 = (uint8_t)read_between(c, 0, 32);
	p->sticky_ipv6 = (uint8_t)read_between(c, 0, 128);
}

/* Zero has another form: none. */
static int64_t read_above_zero(struct cursor *c)
{
	int64_t number = (int64_t)code_read_up_to(c, INT64_MAX);

	if (number == 0)
		code_spoil(c);
	return number;
}

static void read_let_back(struct cursor *c, struct let_back *out)
{
	out->at = read_above_zero(c);
	out->name = code_read_string(c);
	out->cluster = code_read_string(c);
}

void policy_code_read(struct cursor *c, struct arena *a, struct policy_value *out)
{
	uint8_t flags;

	*out = (struct policy_value){.target_count = 0};
	read_targets(c, a, out);
	flags = code_read_flags(c, SAME_REGION_FIRST | UNKNOWN_BY_RESOLVER | NO_DATA_WHEN_ALL_DOWN |
	                                   HAS_UNSEEN_AFTER | HAS_LET_BACK | HAS_GENERATION);
	out->same_region_first = flags & SAME_REGION_FIRST;
	out->unknown_by_resolver = flags & UNKNOWN_BY_RESOLVER;
	out->no_data_when_all_down = flags & NO_DATA_WHEN_ALL_DOWN;
	out->has_unseen_after = flags & HAS_UNSEEN_AFTER;
	read_stages(c, a, out);
	out->unknown_order = code_read_strings(c, a, &out->unknown_order_count);
	out->unknown_weights = read_numbers(c, a, &out->unknown_weight_count);
	out->ttl = (uint32_t)code_read_up_to(c, UINT32_MAX);
	out->degraded_ttl = (uint32_t)code_read_up_to(c, UINT32_MAX);
	out->max_addresses = (uint16_t)code_read_up_to(c, UINT16_MAX);
	if (out->has_unseen_after)
		out->unseen_after_ms = code_read_number(c);
	out->min_ready_percent = (uint8_t)read_between(c, 0, 100);
	out->failback = (enum policy_failback)read_between(c, POLICY_IMMEDIATE, POLICY_MANUAL);
	out->stable_for_ms = code_read_number(c);
	read_check(c, a, &out->check);
	if (flags & HAS_LET_BACK)
		read_let_back(c, &out->let_back);
	out->generation = flags & HAS_GENERATION ? read_above_zero(c) : 0;
}

void policy_code_write_check(struct buffer *out, const struct policy_check *k)
{
	struct code_writer w = {out, ERR_OK, NULL};

	write_check(&w, k);
}

bool policy_code_read_check(struct cursor *c, struct arena *a, struct policy_check *out)
{
	*out = (struct policy_check){.kind = POLICY_CHECK_NONE};
	read_check(c, a, out);
	return !c->bad;
}
