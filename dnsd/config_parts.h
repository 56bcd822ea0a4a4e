/* config_parts.h -- the settings that are more than one value: addresses and zones.
 *
 * For config.c alone: what its table's CONF_CUSTOM rows call.  A zone's or name
 * server's name is held here to the form of a domain name (RFC 1035 5.1); what
 * needs wire form (record lines) is checked by the pipeline.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_CONFIG_PARTS_H
#define DNSD_CONFIG_PARTS_H

#include "base/conf.h"
#include "dnsd/config.h"

/* struct config.dns and .dns_count, by the address of .dns; a list read twice is replaced. */
void config_dns_read(struct conf_file *file, struct json_object *value, void *field);
void config_dns_print(const void *field, struct text *out);
void config_dns_fini(struct config *c);

/* struct config_listen */
void config_http_read(struct conf_file *file, struct json_object *value, void *field);
void config_http_print(const void *field, struct text *out);

/* struct config.zones and .zone_count, by the address of .zones; a list read twice is replaced. */
void config_zones_read(struct conf_file *file, struct json_object *value, void *field);
void config_zones_print(const void *field, struct text *out);
void config_zones_fini(struct config *c);

#endif
