/* plain_json.h -- how objects are written as text here: without spaces, and "/" as it is, since server-side apply reads YAML,
 * which has no escape for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_PLAIN_JSON_H
#define PROPAGATOR_PLAIN_JSON_H

#include <json-c/json_object.h>

/* For json_object_to_json_string_ext(). */
#define PLAIN_JSON (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

#endif
