/* SPDX-License-Identifier: Apache-2.0 */
#include "records/let_back.h"

#include <string.h>

#include "base/text.h"

/* The next word, which is taken off; empty at the end. */
static struct bytes next_word(struct bytes *text)
{
	struct bytes word;

	while (text->len > 0 && text->data[0] == ' ') {
		text->data++;
		text->len--;
	}
	word = (struct bytes){text->data, 0};
	while (word.len < text->len && text->data[word.len] != ' ')
		word.len++;
	text->data += word.len;
	text->len -= word.len;
	return word;
}

/* Is it `key` and something behind it, for the first time? */
static bool take(struct bytes word, const char *key, struct bytes *out)
{
	size_t len = strlen(key);

	if (out->len > 0 || word.len <= len || memcmp(word.data, key, len) != 0)
		return false;
	*out = (struct bytes){word.data + len, word.len - len};
	return true;
}

bool let_back_parse(struct bytes text, struct let_back *out)
{
	struct bytes word = next_word(&text);

	*out = (struct let_back){.at = 0};
	if (word.len == 0 || !text_to_time(word, &out->at) || out->at <= 0) {
		out->at = 0;
		return false;
	}
	while ((word = next_word(&text)).len > 0) {
		if (take(word, "name=", &out->name) || take(word, "cluster=", &out->cluster))
			continue;
		*out = (struct let_back){.at = 0};
		return false;
	}
	return true;
}
