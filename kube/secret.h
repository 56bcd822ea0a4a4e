/* secret.h -- a credential: text that is wiped when it goes and that nothing here prints.
 *
 * There is no formatter, no JSON and no log call that takes one (design.md 6.6).
 * The bytes leave in one place, the transport's request headers and TLS keys.
 * One thread at a time.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_SECRET_H
#define KUBE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* Zeroed: there is none. */
struct kube_secret {
	char *data; /* `len` bytes and a NUL; owned */
	size_t len;
};

enum { KUBE_SECRET_MOST = 1 << 20 }; /* bytes; an API server's own limit of a Secret */

/* Replaces what it holds by a copy (wiping what was there); empty: none. */
void kube_secret_set(struct kube_secret *s, struct bytes value);
/* Wiped and freed. */
void kube_secret_fini(struct kube_secret *s);
/* In a time that does not depend on where they differ. */
bool kube_secret_equal(const struct kube_secret *a, const struct kube_secret *b);
/* Does a stranger's text give it away?  An API server may send back what it was sent. */
bool kube_secret_is_in(const struct kube_secret *s, struct bytes text);
static inline struct bytes kube_secret_bytes(const struct kube_secret *s)
{
	return (struct bytes){(const uint8_t *)s->data, s->len};
}

#endif
