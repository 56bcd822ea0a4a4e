/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/differential/dname.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { LABEL_MOST = 63 };

struct dname dname_of(const char *text)
{
	struct dname n = {.len = 0};

	while (*text != '\0') {
		size_t len = strcspn(text, ".");

		n.wire[n.len++] = (uint8_t)len;
		memcpy(n.wire + n.len, text, len);
		n.len = (uint8_t)(n.len + len);
		text += text[len] == '.' ? len + 1 : len;
	}
	n.wire[n.len++] = 0;
	return n;
}

bool dname_put_before(const void *label, size_t len, const struct dname *below, struct dname *out)
{
	struct dname n;

	if (len == 0 || len > LABEL_MOST || 1 + len + below->len > DNAME_MOST)
		return false;
	n.wire[0] = (uint8_t)len;
	memcpy(n.wire + 1, label, len);
	memcpy(n.wire + 1 + len, below->wire, below->len);
	n.len = (uint8_t)(1 + len + below->len);
	*out = n;
	return true;
}

bool dname_join(const struct dname *above, const struct dname *below, struct dname *out)
{
	struct dname n = *above;

	if (above->len - 1 + below->len > DNAME_MOST)
		return false;
	memcpy(n.wire + above->len - 1, below->wire, below->len);
	n.len = (uint8_t)(above->len - 1 + below->len);
	*out = n;
	return true;
}

bool dname_is_root(const struct dname *n) { return n->len == 1; }

struct dname dname_parent(const struct dname *n)
{
	size_t label = n->wire[0] + (dname_is_root(n) ? 0U : 1U);
	struct dname parent = {.len = (uint8_t)(n->len - label)};

	memcpy(parent.wire, n->wire + label, parent.len);
	return parent;
}

struct dname dname_upper(const struct dname *n)
{
	struct dname upper = *n;

	for (size_t at = 0; n->wire[at] != 0; at += 1U + n->wire[at])
		for (size_t i = at + 1; i <= at + n->wire[at]; i++)
			upper.wire[i] = (uint8_t)toupper(n->wire[i]);
	return upper;
}

bool dname_is_wildcard(const struct dname *n) { return n->wire[0] == 1 && n->wire[1] == '*'; }

static bool same_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (tolower(a[i]) != tolower(b[i]))
			return false;
	return true;
}

bool dname_equal(const struct dname *a, const struct dname *b)
{
	return a->len == b->len && same_bytes(a->wire, b->wire, a->len);
}

bool dname_is_in(const struct dname *n, const struct dname *apex)
{
	size_t at = 0;

	while ((size_t)(n->len - at) > apex->len)
		at += 1U + n->wire[at];
	return n->len - at == apex->len && same_bytes(n->wire + at, apex->wire, apex->len);
}

static void print_label(const uint8_t *label, size_t len, struct text *out)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t c = label[i];

		if (isalnum(c) || c == '*' || c == '-' || c == '_')
			text_printf(out, "%c", c);
		else if (c == '.' || c == '@' || c == '"')
			text_printf(out, "\\%c", c);
		else
			text_printf(out, "\\%03u", c);
	}
	text_add(out, ".");
}

void dname_print(const struct dname *n, struct text *out)
{
	if (dname_is_root(n))
		text_add(out, ".");
	for (size_t at = 0; n->wire[at] != 0; at += 1U + n->wire[at])
		print_label(n->wire + at + 1, n->wire[at], out);
}
