/* SPDX-License-Identifier: Apache-2.0 */
#include "records/fact.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "records/fact_code.h"

struct fact {
	_Atomic uint32_t users;
	uint32_t len;
	uint8_t bytes[];
};

static const char *const kind_text[FACT_KINDS] = {
	[FACT_KUBEFED_CLUSTER] = "KubeFedCluster",
	[FACT_DOMAIN] = "Domain",
	[FACT_SERVICE_DNS_RECORD] = "ServiceDNSRecord",
	[FACT_INGRESS_DNS_RECORD] = "IngressDNSRecord",
	[FACT_DNS_ENDPOINT] = "DNSEndpoint",
	[FACT_SERVICE] = "Service",
	[FACT_ENDPOINT_SLICE] = "EndpointSlice",
	[FACT_INGRESS] = "Ingress",
	[FACT_NODE] = "Node",
	[FACT_EXTERNAL_DNS_ENDPOINT] = "DNSEndpoint",
	[FACT_TRAFFIC_POLICY] = "TrafficPolicy",
};

static const struct fact *fact_new(const uint8_t *bytes, size_t len)
{
	struct fact *f;

	CHECK(len <= UINT32_MAX);
	f = xmalloc(sizeof(*f) + len);
	atomic_init(&f->users, 1);
	f->len = (uint32_t)len;
	memcpy(f->bytes, bytes, len);
	return f;
}

enum err fact_encode(const struct fact_value *value, const struct fact **out, struct reason *why)
{
	struct buffer b = {0};
	enum err err = fact_code_write(value, &b, why);

	*out = err ? NULL : fact_new(b.data, b.len);
	buffer_fini(&b);
	return err;
}

bool fact_decode(const struct fact *f, struct arena *a, struct fact_value *out)
{
	struct cursor c = cursor_over(f->bytes, f->len);

	return fact_code_read(&c, a, out);
}

const struct fact *fact_from_bytes(struct bytes bytes)
{
	struct cursor c = cursor_over(bytes.data, bytes.len);
	struct fact_value key;

	if (bytes.len > UINT32_MAX || !fact_code_read_key(&c, &key))
		return NULL;
	return fact_new(bytes.data, bytes.len);
}

struct bytes fact_bytes(const struct fact *f) { return (struct bytes){f->bytes, f->len}; }

/* The count is the one thing in a frozen fact that moves. */
static _Atomic uint32_t *users_of(const struct fact *f)
{
	return (_Atomic uint32_t *)((uintptr_t)f + offsetof(struct fact, users));
}

const struct fact *fact_ref(const struct fact *f)
{
	atomic_fetch_add_explicit(users_of(f), 1, memory_order_relaxed);
	return f;
}

void fact_unref(const struct fact *f)
{
	/* Release and acquire: whoever frees sees what every other user did before. */
	if (f && atomic_fetch_sub_explicit(users_of(f), 1, memory_order_acq_rel) == 1)
		free(users_of(f));
}

bool fact_equal(const struct fact *a, const struct fact *b)
{
	return a == b || (a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0);
}

static struct fact_value key_of(const struct fact *f)
{
	struct cursor c = cursor_over(f->bytes, f->len);
	struct fact_value key;

	CHECK(fact_code_read_key(&c, &key));
	return key;
}

enum fact_kind fact_get_kind(const struct fact *f) { return (enum fact_kind)f->bytes[0]; }

struct bytes fact_namespace(const struct fact *f) { return key_of(f).namespace; }

struct bytes fact_name(const struct fact *f) { return key_of(f).name; }

int64_t fact_created(const struct fact *f) { return key_of(f).created; }

bool fact_is_sites(const struct fact *f)
{
	struct cursor c = cursor_over(f->bytes, f->len);

	return fact_code_is_sites(&c);
}

const char *fact_kind_text(enum fact_kind kind)
{
	const char *text = (int)kind < FACT_KINDS ? kind_text[kind] : NULL;

	return text ? text : "object";
}
