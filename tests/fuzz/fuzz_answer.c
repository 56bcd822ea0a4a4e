/* fuzz_answer.c -- any bytes as an answer to a write (the first says what kind of one): bounded, printable, with no credential in
 * it; and as a Lease. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "kube/answer.h"
#include "kube/lease_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKEN "s3cr3t"

static void check_words(const char *words, size_t room)
{
	CHECK(strlen(words) < room);
	for (; *words != '\0'; words++)
		CHECK(*words >= ' ' && *words < 0x7f);
}

static void check_told(const char *words, size_t room)
{
	check_words(words, room);
	CHECK(strstr(words, TOKEN) == NULL);
}

static void check_answer(const struct kube_answer *a)
{
	check_told(a->message, sizeof(a->message));
	check_told(a->why, sizeof(a->why));
	CHECK(a->cause_count <= KUBE_CAUSES_MOST);
	for (size_t i = 0; i < a->cause_count; i++) {
		check_told(a->causes[i].reason, sizeof(a->causes[i].reason));
		check_told(a->causes[i].field, sizeof(a->causes[i].field));
		check_told(a->causes[i].manager, sizeof(a->causes[i].manager));
		check_told(a->causes[i].message, sizeof(a->causes[i].message));
	}
	CHECK(kube_answer_is_good(a) == (a->object != NULL));
	CHECK(kube_answer_is_good(a) == (a->why[0] == '\0'));
	CHECK(!kube_answer_is_good(a) || !kube_answer_is_unknown(a));
}

static void check_lease(struct json_object *object)
{
	struct kube_lease_record r, again;

	if (kube_lease_record_read_annotation(object, &r))
		check_words(r.holder, sizeof(r.holder));
	kube_lease_record_read(object, &r);
	check_words(r.renewed, sizeof(r.renewed));
	CHECK(r.duration_ms <= KUBE_LEASE_MOST_MS);
	kube_lease_record_write(object, &r);
	kube_lease_record_read(object, &again);
	CHECK(strcmp(r.holder, again.holder) == 0 && r.transitions == again.transitions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {200, 201, 302, 400, 403, 404, 409, 422, 429, 500, 503, 504};
	struct kube_access access = {0};
	struct kube_answer_parts parts = {0};
	struct kube_answer answer;
	json_tokener *tokener;

	if (size == 0)
		return 0;
	tokener = json_tokener_new_ex(130);
	kube_secret_set(&access.token, (struct bytes){(const uint8_t *)TOKEN, strlen(TOKEN)});
	parts.status = statuses[(data[0] >> 2) % (sizeof(statuses) / sizeof(statuses[0]))];
	parts.creates = data[0] & 1;
	parts.of_secret = data[0] & 2;
	parts.body = (struct bytes){data + 1, size - 1};
	kube_answer_read(&answer, tokener, &parts, &access);
	check_answer(&answer);
	if (answer.object)
		check_lease(answer.object);
	kube_answer_fini(&answer);
	kube_access_fini(&access);
	json_tokener_free(tokener);
	return 0;
}
