/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/path.h"

static bool is_unreserved(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '~';
}

void kube_path_part(struct text *out, struct bytes part)
{
	bool dots = bytes_equal_text(part, ".") || bytes_equal_text(part, "..");

	for (size_t i = 0; i < part.len; i++) {
		uint8_t c = part.data[i];

		if (is_unreserved(c) || (c == '.' && !dots))
			text_printf(out, "%c", c);
		else
			text_printf(out, "%%%02X", c);
	}
}

static void add_part(struct text *out, const char *part)
{
	text_add(out, "/");
	kube_path_part(out, bytes_of(part));
}

void kube_path(struct text *out, const struct kube_resource *r, const char *namespace,
               const char *name)
{
	text_add(out, r->group[0] != '\0' ? "/apis" : "/api");
	if (r->group[0] != '\0')
		add_part(out, r->group);
	add_part(out, r->version);
	if (namespace) {
		add_part(out, "namespaces");
		add_part(out, namespace);
	}
	add_part(out, r->plural);
	if (name)
		add_part(out, name);
}
