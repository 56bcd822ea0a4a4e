/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void kube_secret_set(struct kube_secret *s, struct bytes value)
{
	char *copy = value.len > 0 ? text_copy(value) : NULL;

	kube_secret_fini(s);
	*s = (struct kube_secret){copy, value.len};
}

void kube_secret_fini(struct kube_secret *s)
{
	if (s->data)
		explicit_bzero(s->data, s->len);
	free(s->data);
	*s = (struct kube_secret){0};
}

bool kube_secret_equal(const struct kube_secret *a, const struct kube_secret *b)
{
	unsigned char differs = 0;

	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		differs |= (unsigned char)(a->data[i] ^ b->data[i]);
	return differs == 0;
}

bool kube_secret_is_in(const struct kube_secret *s, struct bytes text)
{
	return s->len > 0 && text.len > 0 && memmem(text.data, text.len, s->data, s->len) != NULL;
}
