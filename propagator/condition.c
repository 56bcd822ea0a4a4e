/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/condition.h"

#include <stddef.h>
#include <string.h>

#include "propagator/jsontree.h"

struct json_object *condition_in(struct json_object *status, const char *type)
{
	struct json_object *list = jsontree_get(status, "conditions", NULL);

	for (size_t i = 0; i < jsontree_count(list); i++) {
		struct json_object *condition = jsontree_item(list, i);

		if (strcmp(jsontree_word(condition, "type", NULL), type) == 0)
			return condition;
	}
	return NULL;
}

struct json_object *condition_find(struct json_object *object, const char *type)
{
	return condition_in(jsontree_get(object, "status", NULL), type);
}

const char *condition_status(struct json_object *object, const char *type)
{
	return jsontree_word(condition_find(object, type), "status", NULL);
}
