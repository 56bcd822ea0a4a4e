/* decode_secret.h -- the certificates and the key of a Secret, as probes of policies use them.
 *
 * Beside facts: what is here never enters one, and so no state on disk; nothing prints it.  Made on any
 * thread, never changed, shared by reference, wiped when the last one lets it go.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_DECODE_SECRET_H
#define WATCHER_DECODE_SECRET_H

#include <stdatomic.h>

#include "base/bytes.h"

struct json_object;

enum decode_secret_key { DECODE_SECRET_CA, DECODE_SECRET_CERTIFICATE, DECODE_SECRET_PRIVATE };
enum {
	DECODE_SECRET_KEYS = DECODE_SECRET_PRIVATE + 1,
	DECODE_SECRET_KEY_MOST = 256 << 10 /* bytes of each */
};

struct decode_secret {
	atomic_uint refs;
	char *namespace, *name;
	struct decode_secret_value {
		struct buffer data;
		const char *wrong; /* "has no ca.crt"; NULL: `data` is there.  Lives for ever */
	} of[DECODE_SECRET_KEYS];
};

/* Of an object as an API server or a file has it: its `data` (base64) and, before that, `stringData`.  With one
 * reference; NULL: it is no Secret, or has no name. */
struct decode_secret *decode_secret(struct json_object *object);
struct decode_secret *decode_secret_ref(struct decode_secret *s);
void decode_secret_unref(struct decode_secret *s); /* NULL is fine */

#endif
