/* quota.h -- how many connections there are: in all, and of each client network.
 *
 * One for all workers, as a client's connections come to any of them.  A table of fixed size
 * behind a mutex that is taken when a connection begins or ends, never for a query.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_QUOTA_H
#define DNSD_QUOTA_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/err.h"

struct quota;

/* `most` connections, `most_of_network` of one network; both at least 1. */
struct quota *quota_new(unsigned most, unsigned most_of_network);
void quota_free(struct quota *q);

/* One connection more; false: that is beyond `most`, so one has to go (it is counted all the same). */
bool quota_enter(struct quota *q);
void quota_leave(struct quota *q);
unsigned quota_count(const struct quota *q);
unsigned quota_most(const struct quota *q);

/* A connection of this network; false: it has its share, and nothing is counted. */
bool quota_enter_network(struct quota *q, const struct addr *network) MUST_CHECK;
/* One that quota_enter_network() let in. */
void quota_leave_network(struct quota *q, const struct addr *network);

#endif
