/* config_facts.h -- the records that the config itself writes into its zones, as facts.
 *
 * Wiring: what needs wire form, so that config.c cannot hold it to its rules.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_CONFIG_FACTS_H
#define DNSD_CONFIG_FACTS_H

#include <stdbool.h>

#include "base/text.h"
#include "dnsd/config.h"
#include "records/fact.h"

/* Of the facts: no object's, as it is no name. */
#define CONFIG_FACTS_NAMESPACE "(config)"

/* Parses names and records of every zone of the config, and holds them to the rules of zones: what zones would
 * leave out is an error, a line "FILE:LINE: text".  *facts: one DNSEndpoint per zone with records, created at FACT_CONFIG_TIME (NULL-terminated; the caller unrefs and frees). */
bool config_facts_build(const struct config *c, const struct fact ***facts, struct text *errors);
/* Are they well formed?  Lines as above. */
bool config_facts_check(const struct config *c, struct text *errors);

#endif
