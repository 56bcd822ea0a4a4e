/* dns_writer.h -- keeps what stands on the host for DNS records: their statuses, and the DNSEndpoints that are made of them.
 *
 * Written only where it differs; deleted with its record, also when that went while nobody looked.  As long as there are
 * records, and only then, dns_data.h looks at the members for it.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_DNS_WRITER_H
#define PROPAGATOR_DNS_WRITER_H

#include "kube/backoff.h"
#include "propagator/dispatch.h"
#include "propagator/dns_data.h"

struct dns_writer;

struct dns_writer_settings {
	uv_loop_t *loop;
	struct kube_client *host; /* borrowed, with the next two */
	struct kube_backoff *backoff;
	struct dispatch *dispatch;
	const char *namespace; /* only records of this one; NULL: all; borrowed */
	bool publish_sites;    /* a second DNSEndpoint for each, of its sites */
	/* Are the members known, so that data.is_member can be asked?  NULL: they are. */
	bool (*knows_members)(void *arg);
	struct dns_data_settings data;
};

struct dns_writer *dns_writer_start(const struct dns_writer_settings *settings);
void dns_writer_stop(struct dns_writer *w, void (*on_stopped)(void *arg), void *arg);

struct dns_writer_counts {
	size_t records;
	bool ready; /* enough is known to write */
	uint64_t status_writes, endpoint_writes, deleted;
};
struct dns_writer_counts dns_writer_counts(const struct dns_writer *w);
/* What could not be written, and what is wrong with what it looks at. */
void dns_writer_each_error(const struct dns_writer *w, dns_data_on_error_fn *fn, void *arg);

#endif
