/* propagator_json.h -- JSON for tests, written with single quotation marks and put away at the end of each. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_PROPAGATOR_JSON_H
#define TESTS_SUPPORT_PROPAGATOR_JSON_H

#include <stdbool.h>

struct json_object;

/* What cmocka's table has for a test that uses these. */
#define JSON_TEST(f) cmocka_unit_test_teardown(f, json_drop)

/* "{'a': 1}"; fails the test when it is no JSON. */
struct json_object *json_of(const char *text);
/* The same, with values, as printf does. */
struct json_object *json_with(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Puts it away later; returns it. */
struct json_object *json_keep(struct json_object *value);
/* For the teardown; returns 0. */
int json_drop(void **state);
/* The list, or object, under that key of a file of tests/vectors/kubefed. */
struct json_object *json_vectors(const char *file, const char *key);
/* The member, NULL when it is null or missing. */
struct json_object *json_member(struct json_object *object, const char *key);
/* Its text, NULL when it is none. */
const char *json_text(struct json_object *object, const char *key);

/* The same value, whatever the order of its members; shows both when not. */
void assert_json(struct json_object *have, struct json_object *want);
void assert_json_text(struct json_object *have, const char *want);

#endif
