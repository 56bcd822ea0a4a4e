/* config_parts.h -- the settings' rows, and those that are more than one value: addresses, API servers and zones.
 *
 * For config*.c alone: the table, and what its CONF_CUSTOM rows call.  A zone's or name
 * server's name is held here to the form of a domain name (RFC 1035 5.1); what
 * needs wire form (record lines) is checked by the pipeline.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_CONFIG_PARTS_H
#define DNSD_CONFIG_PARTS_H

#include "base/conf.h"
#include "dnsd/config.h"

/* All settings, by the path of each (config_rows.c). */
extern const struct conf_row config_rows[];
extern const size_t config_row_count;

/* struct config.dns and .dns_count, by the address of .dns; a list read twice is replaced. */
void config_dns_read(struct conf_file *file, struct json_object *value, void *field);
void config_dns_print(const void *field, struct text *out);
void config_dns_fini(struct config *c);

/* struct config_listen */
void config_http_read(struct conf_file *file, struct json_object *value, void *field);
void config_http_print(const void *field, struct text *out);

/* struct config_tls; a mapping read twice is replaced. */
void config_tls_read(struct conf_file *file, struct json_object *value, void *field);
void config_tls_print(const void *field, struct text *out);
void config_tls_fini(struct config *c);

/* struct config.zones and .zone_count, by the address of .zones; a list read twice is replaced. */
void config_zones_read(struct conf_file *file, struct json_object *value, void *field);
void config_zones_print(const void *field, struct text *out);
void config_zones_fini(struct config *c);

/* Of struct config.identity, a text that is said over the wire. */
void config_nsid_read(struct conf_file *file, struct json_object *value, void *field);
void config_hostname_read(struct conf_file *file, struct json_object *value, void *field);
void config_version_read(struct conf_file *file, struct json_object *value, void *field);
void config_identity_print(const void *field, struct text *out);
void config_identity_fini(struct config *c);

/* A list of networks; `key` is named by complaints.  A list read twice is replaced. */
void config_networks_read(struct conf_file *file, struct json_object *value, const char *key,
                          struct config_networks *out);
void config_networks_print(const struct config_networks *networks, struct text *out);
void config_networks_fini(struct config_networks *networks);
/* Of struct config.ecs_from: such a list, or "any". */
void config_ecs_read(struct conf_file *file, struct json_object *value, void *field);
void config_ecs_print(const void *field, struct text *out);

/* struct config_zone.transfer */
void config_transfer_read(struct conf_file *file, struct json_object *mapping,
                          struct json_object *value, struct config_transfer *out);
void config_transfer_print(const struct config_transfer *t,
                           struct text *out); /* nothing when not given */
void config_transfer_fini(struct config_transfer *t);
static inline bool config_transfer_is_given(const struct config_transfer *t)
{
	return t->rule_count > 0 || t->notify_count > 0 || t->as != NULL;
}
/* A domain name in presentation form; *out is set when it is one and was NULL. */
void config_name_read(struct conf_file *file, struct json_object *mapping,
                      struct json_object *value, const char *key, char **out);

/* struct config.kubernetes */
void config_kubernetes_read(struct conf_file *file, struct json_object *value, void *field);
void config_kubernetes_print(const void *field, struct text *out);
void config_kubernetes_fini(struct config *c);

/* struct config.members and .member_count, by the address of .members; a list read twice is replaced. */
void config_members_read(struct conf_file *file, struct json_object *value, void *field);
void config_members_print(const void *field, struct text *out);
void config_members_fini(struct config *c);

/* struct config.probe.imports and .import_count, by the address of .imports; a list read twice is replaced. */
void config_imports_read(struct conf_file *file, struct json_object *value, void *field);
void config_imports_print(const void *field, struct text *out);
void config_imports_fini(struct config *c);

/* Of struct config.replicas; peers are read and printed by the address of .peers; a list read twice is replaced. */
void config_replicas_listen_read(struct conf_file *file, struct json_object *value, void *field);
void config_replicas_listen_print(const void *field, struct text *out);
void config_peers_read(struct conf_file *file, struct json_object *value, void *field);
void config_peers_print(const void *field, struct text *out);
void config_peers_fini(struct config *c);
/* Is it all that is needed?  `file`: what complaints begin with. */
bool config_replicas_check(const struct config *c, const char *file, struct text *errors);

/* --- values; a complaint names `key`, at the line of the value, else of what it stands in --- */
/* NULL after a complaint. */
const char *config_text(struct conf_file *file, struct json_object *mapping,
                        struct json_object *value, const char *key);
/* The items of a list; 0 for an empty one, after a complaint, or when "key:" stands alone. */
size_t config_list(struct conf_file *file, struct json_object *value, const char *key);
/* Calls `read` for every key of a mapping, an item of `list`; what `read` does not know is an error.  False: it is no mapping. */
typedef bool config_key_fn(struct conf_file *file, struct json_object *mapping, const char *key,
                           struct json_object *value, void *out);
bool config_mapping(struct conf_file *file, struct json_object *list, struct json_object *mapping,
                    const char *path, config_key_fn *read, void *out);

#endif
