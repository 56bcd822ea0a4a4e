/* zone_orders.h -- nighctl zone reload and notify: what a nighd is told to do at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_ZONE_ORDERS_H
#define CTL_ZONE_ORDERS_H

#include "base/text.h"
#include "ctl/command.h"

/* The zone of /status with that name, with or without the dot at its end; NULL: there is none. */
struct json_object *zone_find(struct json_object *status, const char *name);

/* Of a zone's file of /status: its errors, "FILE:LINE: text" each, a line each. */
void zone_print_errors(struct json_object *file, struct text *out);

/* Both return the exit status.  Without ZONE they mean all zones that have a file, or secondaries. */
int zone_reload_run(const struct command *c);
int zone_notify_run(const struct command *c);

#endif
