/* overview_both.h -- the status of the nighd and of the nigh-propagator of this machine, one below the other.
 *
 * Somebody may run only one of them: that the other is not there is one line, and no failure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_OVERVIEW_BOTH_H
#define CTL_OVERVIEW_BOTH_H

struct command;

/* nighd at c->server, nigh-propagator at that URL.  As JSON: what nighd says, with the other's under "propagator", null where it
 * has said nothing.  COMMAND_FAILED: neither is there, or one is there and does not answer as it should. */
int overview_both(const struct command *c, const char *propagator);

#endif
