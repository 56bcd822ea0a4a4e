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
#include "records/facts.h"

/* Parses names and records of every zone of the config, and holds them to the rules of zones: what zones would
 * leave out is an error, a line "FILE:LINE: text". */
bool config_facts_check(const struct config *c, struct text *errors);
/* Puts them, in place of those that are there, as DNSEndpoints older than every object's (FACT_CONFIG_TIME), one for
 * each zone with records.  Of a config that config_facts_check() found good. */
void config_facts_put(const struct config *c, struct facts *facts);

#endif
