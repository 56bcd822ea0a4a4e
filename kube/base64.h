/* base64.h -- RFC 4648 base64, as API objects and kubeconfigs carry bytes, and base64url, as tokens do. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_BASE64_H
#define KUBE_BASE64_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/text.h"

/* Appends what `text` stands for; white space is passed over, padding may be missing, both alphabets are taken.  False:
 * it is not base64 (nothing usable was appended). */
bool base64_decode(struct bytes text, struct buffer *out);
/* Appends them in the plain alphabet, padded. */
void base64_encode(struct bytes bytes, struct text *out);

/* Appends the bytes in the plain alphabet, padded, in one line. */
void base64_encode(struct bytes plain, struct text *out);

#endif
