/* records_facts.h -- facts for tests, from short texts.
 *
 * "NS/NAME" is an object's key (no slash: cluster-wide); lists are separated by
 * commas, NULL or "" for none.  What comes back is the caller's (fact_unref, or
 * give it to facts_put).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_RECORDS_FACTS_H
#define TESTS_SUPPORT_RECORDS_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "records/fact.h"

const struct fact *records_fact(const struct fact_value *value);

/* created: Unix seconds. */
const struct fact *records_fact_cluster(const char *name, const char *region, const char *zones,
                                        const char *location, bool drain);
const struct fact *records_fact_domain(const char *key, const char *domain, int64_t created);
const struct fact *records_fact_service_record(const char *key, const char *domain_ref, int64_t ttl,
                                               const char *prefix, const char *external);
const struct fact *records_fact_ingress_record(const char *key, const char *hosts, int64_t ttl);
/* lines: "NAME TTL TYPE TARGET TARGET ..." with a newline between endpoints. */
const struct fact *records_fact_dns_endpoint(const char *key, const char *lines, int64_t created);
const struct fact *records_fact_service(const char *key, const char *targets, uint16_t port,
                                        const char *hostname, const char *target, const char *ttl,
                                        int64_t created);
const struct fact *records_fact_slice(const char *key, const char *service, uint32_t ready);
const struct fact *records_fact_endpoints(const char *key, const char *service, uint32_t ready,
                                          uint32_t total);
/* rules: "HOST=SERVICE SERVICE,HOST=..." */
const struct fact *records_fact_ingress(const char *key, const char *targets, const char *rules,
                                        const char *tls_hosts, const char *hostname,
                                        int64_t created);
const struct fact *records_fact_node(const char *name, const char *region, const char *zone);
const struct fact *records_fact_policy(const char *key, const struct policy_value *policy,
                                       int64_t created);

#endif
