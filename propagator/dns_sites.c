/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dns_sites.h"

#include <json-c/json.h>

#include "kube/object.h"

static int by_site(struct json_object *a, struct json_object *b)
{
	int names = bytes_compare(object_text(a, "dnsName", NULL), object_text(b, "dnsName", NULL));

	return names != 0 ? names
	                  : bytes_compare(object_text(a, "setIdentifier", NULL),
	                                  object_text(b, "setIdentifier", NULL));
}

static int by_site_and_type(const void *a, const void *b)
{
	struct json_object *x = *(struct json_object *const *)a;
	struct json_object *y = *(struct json_object *const *)b;
	int sites = by_site(x, y);

	return sites != 0 ? sites
	                  : bytes_compare(object_text(x, "recordType", NULL),
	                                  object_text(y, "recordType", NULL));
}

/* Those that stay, in order; the caller puts the list. */
static struct json_object *staying(struct json_object *standing, dns_sites_stays_fn *stays,
                                   const void *arg)
{
	struct json_object *list = json_object_new_array();

	if (!json_object_is_type(standing, json_type_array))
		return list;
	for (size_t i = 0; i < json_object_array_length(standing); i++) {
		struct json_object *item = json_object_array_get_idx(standing, i);

		if (stays(object_text(item, "setIdentifier", NULL), arg))
			json_object_array_add(list, json_object_get(item));
	}
	json_object_array_sort(list, by_site_and_type);
	return list;
}

static struct json_object *merged(struct json_object *known, struct json_object *kept)
{
	struct json_object *list = json_object_new_array();
	size_t known_count = json_object_array_length(known), i = 0;
	size_t kept_count = json_object_array_length(kept), k = 0;

	while (i < known_count || k < kept_count) {
		struct json_object *one = json_object_array_get_idx(known, i);
		struct json_object *other = json_object_array_get_idx(kept, k);
		int order = k == kept_count ? -1 : i == known_count ? 1 : by_site(one, other);

		/* A site may have several, of each type one: all that is known of it is passed over first. */
		if (order != 0)
			json_object_array_add(list, json_object_get(order < 0 ? one : other));
		if (order <= 0)
			i++;
		else
			k++;
	}
	return list;
}

struct json_object *dns_sites_keep(struct json_object *known, struct json_object *standing,
                                   dns_sites_stays_fn *stays, const void *arg)
{
	struct json_object *kept = staying(standing, stays, arg), *list;

	list = json_object_array_length(kept) > 0 ? merged(known, kept) : json_object_get(known);
	json_object_put(kept);
	json_object_put(known);
	return list;
}
