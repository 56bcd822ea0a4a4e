/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/answer.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "kube/object.h"

enum { RETRY_MOST_S = 86400 };

/* --- reasons --- */

static const char *const reasons[] = {
	[KUBE_REASON_NONE] = "",
#define REASON_TEXT(code, text) [code] = (text),
	KUBE_REASON_LIST(REASON_TEXT)
#undef REASON_TEXT
		[KUBE_REASON_OTHER] = "Other",
};

const char *kube_reason_text(enum kube_reason reason) { return reasons[reason]; }

static enum kube_reason reason_by_text(struct bytes text)
{
	for (int r = KUBE_REASON_NONE + 1; r < KUBE_REASON_OTHER; r++)
		if (bytes_equal_text(text, reasons[r]))
			return (enum kube_reason)r;
	return KUBE_REASON_OTHER;
}

/* Of an answer without a Status. */
static enum kube_reason reason_by_status(int status, bool creates)
{
	static const struct {
		int status;
		enum kube_reason reason;
	} known[] = {
		{400, KUBE_REASON_BAD_REQUEST},
		{401, KUBE_REASON_UNAUTHORIZED},
		{403, KUBE_REASON_FORBIDDEN},
		{404, KUBE_REASON_NOT_FOUND},
		{405, KUBE_REASON_METHOD_NOT_ALLOWED},
		{406, KUBE_REASON_NOT_ACCEPTABLE},
		{409, KUBE_REASON_CONFLICT},
		{410, KUBE_REASON_GONE},
		{413, KUBE_REASON_TOO_LARGE},
		{415, KUBE_REASON_UNSUPPORTED_MEDIA_TYPE},
		{422, KUBE_REASON_INVALID},
		{429, KUBE_REASON_TOO_MANY_REQUESTS},
		{500, KUBE_REASON_INTERNAL_ERROR},
		{503, KUBE_REASON_UNAVAILABLE},
		{504, KUBE_REASON_TIMEOUT},
	};

	if (status == 409 && creates)
		return KUBE_REASON_ALREADY_EXISTS;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return known[i].reason;
	return KUBE_REASON_OTHER;
}

/* --- a stranger's words --- */

/* On one line, cut to fit; "" when a credential stands in them. */
static void set_words(char *out, size_t room, struct bytes words, const struct kube_access *access)
{
	size_t len = words.len < room ? words.len : room - 1;

	if (kube_access_is_in(access, words))
		len = 0;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = words.data[i];

		out[i] = (char)(c < ' ' ? ' ' : c < 0x7f ? c : '?');
	}
	out[len] = '\0';
}

/* conflict with "NAME" with subresource "status" using v1 at 2026-01-01T00:00:00Z */
static void read_manager(struct kube_cause *cause)
{
	static const char before[] = "conflict with \"";
	const char *name = cause->message + sizeof(before) - 1, *end;

	if (strcmp(cause->reason, "FieldManagerConflict") != 0 ||
	    strncmp(cause->message, before, sizeof(before) - 1) != 0)
		return;
	end = strchr(name, '"');
	if (end && (size_t)(end - name) < sizeof(cause->manager))
		(void)snprintf(cause->manager, sizeof(cause->manager), "%.*s", (int)(end - name),
		               name);
}

static void read_causes(struct kube_answer *out, struct json_object *details, bool may_quote,
                        const struct kube_access *access)
{
	struct json_object *list = NULL;
	struct kube_cause *causes;
	size_t count;

	if (!json_object_is_type(details, json_type_object) ||
	    !json_object_object_get_ex(details, "causes", &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	count = json_object_array_length(list);
	count = count < KUBE_CAUSES_MOST ? count : KUBE_CAUSES_MOST;
	causes = xcalloc(count + 1, sizeof(*causes));
	for (size_t i = 0; i < count; i++) {
		struct json_object *said = json_object_array_get_idx(list, i);
		struct kube_cause *cause = &causes[i];

		set_words(cause->reason, sizeof(cause->reason), object_text(said, "reason", NULL),
		          access);
		set_words(cause->field, sizeof(cause->field), object_text(said, "field", NULL),
		          access);
		if (may_quote)
			set_words(cause->message, sizeof(cause->message),
			          object_text(said, "message", NULL), access);
		read_manager(cause);
	}
	out->causes = causes;
	out->cause_count = count;
}

/* --- the whole --- */

/* What tells that something is not as it should be may quote it. */
static bool may_quote(const struct kube_answer_parts *parts)
{
	return !parts->of_secret ||
	       !(parts->status == 400 || parts->status == 422 || parts->status >= 500);
}

static void read_refusal(struct kube_answer *out, struct json_object *said,
                         const struct kube_answer_parts *parts, const struct kube_access *access)
{
	struct bytes reason = object_text(said, "reason", NULL);
	struct json_object *details = NULL;
	long after_s;

	out->reason = reason_by_status(parts->status, parts->creates);
	if (bytes_equal_text(object_text(said, "kind", NULL), "Status")) {
		if (reason.len > 0)
			out->reason = reason_by_text(reason);
		json_object_object_get_ex(said, "details", &details);
		if (may_quote(parts))
			set_words(out->message, sizeof(out->message),
			          object_text(said, "message", NULL), access);
		read_causes(out, details, may_quote(parts), access);
	}
	after_s = object_number(details, "retryAfterSeconds", 0);
	if (out->retry_after_ms == 0 && after_s > 0)
		out->retry_after_ms =
			(uint64_t)(after_s < RETRY_MOST_S ? after_s : RETRY_MOST_S) * 1000;
	(void)snprintf(out->why, sizeof(out->why), "%d %s%s%s", parts->status,
	               kube_reason_text(out->reason), out->message[0] != '\0' ? ": " : "",
	               out->message);
}

void kube_answer_read(struct kube_answer *out, struct json_tokener *tokener,
                      const struct kube_answer_parts *parts, const struct kube_access *access)
{
	struct json_object *said = object_parse(tokener, parts->body);
	bool is_good = parts->status >= 200 && parts->status < 300;

	if (is_good && !said) {
		kube_answer_fail(out, ERR_PARSE, parts->status, "the answer is no JSON object");
		return;
	}
	*out = (struct kube_answer){.status = parts->status,
	                            .retry_after_ms = parts->retry_after_ms};
	if (is_good) {
		out->object = said;
	} else {
		read_refusal(out, said, parts, access);
		json_object_put(said);
	}
}

void kube_answer_fail(struct kube_answer *out, enum err err, int status, const char *why)
{
	*out = (struct kube_answer){.err = err, .status = status};
	(void)snprintf(out->why, sizeof(out->why), "%s", why);
}

bool kube_answer_is_unknown(const struct kube_answer *a)
{
	if (kube_answer_is_good(a))
		return false;
	if (a->status == 0)
		return a->err != ERR_DENIED;
	return a->status < 300 || a->status >= 500;
}

void kube_answer_fini(struct kube_answer *a)
{
	json_object_put(a->object);
	free((void *)(uintptr_t)a->causes);
	*a = (struct kube_answer){0};
}
