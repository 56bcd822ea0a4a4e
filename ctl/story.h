/* story.h -- /explain told to a person: who asked, which clusters, what left which, the answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_STORY_H
#define CTL_STORY_H

#include <stdbool.h>

#include "base/text.h"

struct json_object;

/* `wide` also tells the layers that are fine. */
void story_print(struct json_object *explained, bool wide, struct text *out);

#endif
