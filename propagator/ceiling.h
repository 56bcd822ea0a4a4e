/* ceiling.h -- what a member lets be pushed to it: the ConfigMap nigh-ceiling of KubeFed's namespace there (docs/ceiling.md).
 *
 * The member writes it; the host can only obey.  Values in, values out; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_CEILING_H
#define PROPAGATOR_CEILING_H

#include <stdbool.h>

#include "base/err.h"
#include "propagator/type.h"

struct json_object;
struct ceiling;

#define CEILING_NAME "nigh-ceiling"

/* Of the key "ceiling" of a ConfigMap, YAML.  Never NULL: what cannot be read lets nothing be pushed, and says so. */
struct ceiling *ceiling_read(struct json_object *config_map);
void ceiling_free(struct ceiling *c);
/* Why it could not be read; "": it could. */
const char *ceiling_trouble(const struct ceiling *c);

/* May `object`, as it would be sent, be pushed?  `c` NULL: there is no ceiling, and only the ceiling itself, in
 * `kubefed_namespace`, may not.  If not, `why` says which rule it is that forbids it. */
bool ceiling_allows(const struct ceiling *c, const struct type *type, const char *kubefed_namespace,
                    struct json_object *object, struct reason *why);

#endif
