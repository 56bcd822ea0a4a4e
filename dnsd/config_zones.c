/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/config_parts.h"

#include <inttypes.h>
#include <json-c/json_object.h>
#include <json-c/json_object_iterator.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "base/yaml.h"

enum { LABEL_MOST = 63, NAME_MOST = 255, TTL_MOST = 2147483647 };

static struct config *config_of_zones(void *field)
{
	return (void *)((char *)field - offsetof(struct config, zones));
}

/* --- names --- */

/* The length of the character, perhaps escaped, that s begins with; 0: none of a name. */
static size_t character_len(const char *s)
{
	if (*s != '\\')
		return *s > ' ' && *s < 0x7f && !strchr("\"();$", *s) ? 1 : 0;
	if (s[1] >= '0' && s[1] <= '2') {
		bool three = s[2] >= '0' && s[2] <= '9' && s[3] >= '0' && s[3] <= '9';

		return three && (s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0') <= 255 ? 4
		                                                                             : 0;
	}
	return s[1] > ' ' && s[1] < 0x7f && !(s[1] >= '3' && s[1] <= '9') ? 2 : 0;
}

/* RFC 1035 5.1: labels of 1 to 63 bytes, 255 in all; with or without the last dot.  NULL: fine. */
static const char *name_fault(const char *name)
{
	size_t whole = 1, label = 0;

	if (strcmp(name, ".") == 0)
		return "is the root";
	if (!*name)
		return "is empty";
	while (*name) {
		size_t len = character_len(name);

		if (!len)
			return "holds a character that no name may hold";
		if (*name == '.' && !label)
			return "has an empty label";
		label = *name == '.' ? 0 : label + 1;
		if (label > LABEL_MOST)
			return "has a label of more than 63 bytes";
		/* A label costs its bytes and one more for its length. */
		whole += label == 1 ? 2 : label > 1 ? 1 : 0;
		if (whole > NAME_MOST)
			return "is longer than 255 bytes";
		name += len;
	}
	return NULL;
}

static bool same_name(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	a_len -= a_len && a[a_len - 1] == '.';
	b_len -= b_len && b[b_len - 1] == '.';
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

/* --- one value --- */

void config_name_read(struct conf_file *file, struct json_object *mapping,
                      struct json_object *value, const char *key, char **out)
{
	const char *text = value ? config_text(file, mapping, value, key) : NULL;
	const char *fault = text ? name_fault(text) : NULL;

	if (fault)
		conf_complain(file, value, "%s '%.260s' %s", key, text, fault);
	else if (text && !*out)
		*out = xstrdup(text);
}

/* --- name servers --- */

static void read_addresses(struct conf_file *file, struct json_object *value,
                           struct config_nameserver *ns)
{
	static const char key[] = "zones.nameservers.addresses";
	size_t count = config_list(file, value, key);

	free(ns->addresses);
	ns->addresses = xcalloc(count, sizeof(*ns->addresses));
	ns->address_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		const char *text = config_text(file, value, item, key);
		struct addr addr;

		if (!text)
			continue;
		if (addr_parse(bytes_of(text), &addr))
			ns->addresses[ns->address_count++] = addr;
		else
			conf_complain(file, item, "%s: '%.100s' is not an address", key, text);
	}
}

static bool read_nameserver_key(struct conf_file *file, struct json_object *mapping,
                                const char *key, struct json_object *value, void *out)
{
	struct config_nameserver *ns = out;

	if (strcmp(key, "name") == 0)
		config_name_read(file, mapping, value, "zones.nameservers.name", &ns->name);
	else if (strcmp(key, "addresses") == 0)
		read_addresses(file, value, ns);
	else
		return false;
	return true;
}

static void nameserver_fini(struct config_nameserver *ns)
{
	free(ns->name);
	free(ns->addresses);
}

static bool has_nameserver(const struct config_zone *zone, const char *name)
{
	for (size_t i = 0; i < zone->nameserver_count; i++)
		if (same_name(zone->nameservers[i].name, name))
			return true;
	return false;
}

static void read_nameservers(struct conf_file *file, struct json_object *value,
                             struct config_zone *zone)
{
	static const char path[] = "zones.nameservers";
	size_t count = config_list(file, value, path);

	zone->nameservers = xcalloc(count, sizeof(*zone->nameservers));
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		struct config_nameserver ns = {0};
		bool good = config_mapping(file, value, item, path, read_nameserver_key, &ns);

		if (good && !json_object_object_get(item, "name"))
			conf_complain(file, item, "%s needs a name", path);
		if (ns.name && has_nameserver(zone, ns.name))
			conf_complain(file, item, "%s names %s twice", path, ns.name);
		else if (ns.name) {
			zone->nameservers[zone->nameserver_count++] = ns;
			continue;
		}
		nameserver_fini(&ns);
	}
}

/* --- zones --- */

static void read_ttl(struct conf_file *file, struct json_object *value, uint64_t *out)
{
	uint64_t ttl = 0;

	if (!value)
		return;
	if (json_object_is_type(value, json_type_int) &&
	    text_to_u64(bytes_of(json_object_get_string(value)), TTL_MOST, &ttl) && ttl > 0)
		*out = ttl;
	else
		conf_complain(file, value,
		              "zones.ttl must be 1 to %d, whole seconds without a unit", TTL_MOST);
}

static void read_records(struct conf_file *file, struct json_object *value,
                         struct config_zone *zone)
{
	size_t count = config_list(file, value, "zones.records");

	zone->records = xcalloc(count, sizeof(*zone->records));
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		const char *text = config_text(file, value, item, "zones.records");

		if (text)
			zone->records[zone->record_count++] =
				(struct config_record){xstrdup(text), yaml_line(item)};
	}
}

static void read_file(struct conf_file *file, struct json_object *mapping,
                      struct json_object *value, struct config_zone *zone)
{
	const char *text = value ? config_text(file, mapping, value, "zones.file") : NULL;

	if (text && !zone->file) {
		zone->file = conf_relative(file, text);
		zone->file_line = yaml_line(value);
	}
}

static bool read_zone_key(struct conf_file *file, struct json_object *mapping, const char *key,
                          struct json_object *value, void *out)
{
	struct config_zone *zone = out;

	if (strcmp(key, "name") == 0)
		config_name_read(file, mapping, value, "zones.name", &zone->name);
	else if (strcmp(key, "nameservers") == 0)
		read_nameservers(file, value, zone);
	else if (strcmp(key, "ttl") == 0)
		read_ttl(file, value, &zone->ttl_s);
	else if (strcmp(key, "records") == 0)
		read_records(file, value, zone);
	else if (strcmp(key, "allowQuery") == 0)
		config_networks_read(file, value, "zones.allowQuery", &zone->allow_query);
	else if (strcmp(key, "transfer") == 0)
		config_transfer_read(file, mapping, value, &zone->transfer);
	else if (strcmp(key, "file") == 0)
		read_file(file, mapping, value, zone);
	else
		return false;
	return true;
}

static void zone_fini(struct config_zone *zone)
{
	for (size_t i = 0; i < zone->nameserver_count; i++)
		nameserver_fini(&zone->nameservers[i]);
	for (size_t i = 0; i < zone->record_count; i++)
		free(zone->records[i].text);
	free(zone->nameservers);
	free(zone->records);
	config_networks_fini(&zone->allow_query);
	config_transfer_fini(&zone->transfer);
	free(zone->file);
	free(zone->name);
}

static bool has_zone(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (same_name(c->zones[i].name, name))
			return true;
	return false;
}

void config_zones_read(struct conf_file *file, struct json_object *value, void *field)
{
	struct config *c = config_of_zones(field);
	size_t count;

	config_zones_fini(c);
	count = config_list(file, value, "zones");
	c->zones = xcalloc(count, sizeof(*c->zones));
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		struct config_zone zone = {.line = yaml_line(item)};
		bool good = config_mapping(file, value, item, "zones", read_zone_key, &zone);

		if (good && !json_object_object_get(item, "name"))
			conf_complain(file, item, "zones needs a name");
		if (zone.name && has_zone(c, zone.name))
			conf_complain(file, item, "zones names %s twice", zone.name);
		else if (zone.name) {
			c->zones[c->zone_count++] = zone;
			continue;
		}
		zone_fini(&zone);
	}
}

void config_zones_fini(struct config *c)
{
	for (size_t i = 0; i < c->zone_count; i++)
		zone_fini(&c->zones[i]);
	free(c->zones);
	c->zones = NULL;
	c->zone_count = 0;
}

/* --- printing --- */

static void print_nameservers(const struct config_zone *zone, struct text *out)
{
	char text[ADDR_TEXT_SIZE];

	text_add(out, ", nameservers: [");
	for (size_t i = 0; i < zone->nameserver_count; i++) {
		const struct config_nameserver *ns = &zone->nameservers[i];

		text_add(out, i ? ", {name: " : "{name: ");
		text_add_json(out, bytes_of(ns->name));
		text_add(out, ", addresses: [");
		for (size_t k = 0; k < ns->address_count; k++)
			text_printf(out, "%s\"%s\"", k ? ", " : "",
			            addr_print(&ns->addresses[k], text));
		text_add(out, "]}");
	}
	text_add(out, "]");
}

static void print_zone(const struct config_zone *zone, struct text *out)
{
	text_add(out, "\n  {name: ");
	text_add_json(out, bytes_of(zone->name));
	if (zone->ttl_s)
		text_printf(out, ", ttl: %" PRIu64, zone->ttl_s);
	if (zone->nameserver_count)
		print_nameservers(zone, out);
	if (zone->allow_query.limited) {
		text_add(out, ", allowQuery: ");
		config_networks_print(&zone->allow_query, out);
	}
	config_transfer_print(&zone->transfer, out);
	if (zone->file) {
		text_add(out, ", file: ");
		conf_print_path(zone->file, out);
	}
	if (zone->record_count)
		text_add(out, ",\n   records: [");
	for (size_t i = 0; i < zone->record_count; i++) {
		text_add(out, i ? ",\n     " : "\n     ");
		text_add_json(out, bytes_of(zone->records[i].text));
	}
	text_add(out, zone->record_count ? "]}" : "}");
}

void config_zones_print(const void *field, struct text *out)
{
	const struct config *c =
		(const void *)((const char *)field - offsetof(struct config, zones));

	if (!c->zone_count)
		return;
	text_add(out, "[");
	for (size_t i = 0; i < c->zone_count; i++) {
		if (i)
			text_add(out, ",");
		print_zone(&c->zones[i], out);
	}
	text_add(out, "]");
}
