/* minted.h -- tokens of service accounts as the API server itself would have signed them earlier, or for less time than it does
 * today: it takes ten minutes at least for a TokenRequest.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_MINTED_H
#define TESTS_E2E_SUPPORT_MINTED_H

#include "tests/e2e/support/cluster.h"

/* Of an account that is there; it was issued so long ago and ends so long from now (negative: it has ended).  The caller frees. */
char *minted_token(struct cluster *c, const char *namespace, const char *account, long ago_s,
                   long ends_in_s);

#endif
