/* tsig_inside.h -- a key from inside: for tsig.c and tsig_keys.c alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TSIG_INSIDE_H
#define DNSD_TSIG_INSIDE_H

#include <openssl/evp.h>
#include <stdatomic.h>

#include "dnsd/tsig.h"

struct tsig_algorithm {
	const char *name;    /* as people write it */
	const uint8_t *wire; /* as the record has it */
	uint8_t wire_len, mac_len;
	const char *digest; /* OpenSSL's name */
};

struct tsig_key {
	struct tsig_key *next;
	const struct tsig_algorithm *algorithm;
	EVP_MAC_CTX *mac; /* begun with the secret; is copied for each message */
	uint8_t name[NAME_MAX_LEN];
};

struct tsig_keys {
	atomic_uint owners;
	struct tsig_key *first;
};

/* NULL: not one of ours. */
const struct tsig_algorithm *tsig_algorithm_find(struct bytes name);

#endif
