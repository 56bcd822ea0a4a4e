/* answer.h -- what an API server says to one request: an object, or a Status that tells why not.
 *
 * Made by write.c.  A stranger's words in it are bounded and printable, on one line, and hold no credential that was sent
 * there.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_ANSWER_H
#define KUBE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "kube/access.h"

struct json_object;
struct json_tokener;

/* X(code, text): the reasons of a Status (k8s.io/apimachinery, meta/v1 StatusReason). */
#define KUBE_REASON_LIST(X)                                                                        \
	X(KUBE_REASON_UNAUTHORIZED, "Unauthorized")                                                \
	X(KUBE_REASON_FORBIDDEN, "Forbidden")                                                      \
	X(KUBE_REASON_NOT_FOUND, "NotFound")                                                       \
	X(KUBE_REASON_ALREADY_EXISTS, "AlreadyExists")                                             \
	X(KUBE_REASON_CONFLICT, "Conflict")                                                        \
	X(KUBE_REASON_GONE, "Gone")                                                                \
	X(KUBE_REASON_EXPIRED, "Expired")                                                          \
	X(KUBE_REASON_INVALID, "Invalid")                                                          \
	X(KUBE_REASON_BAD_REQUEST, "BadRequest")                                                   \
	X(KUBE_REASON_METHOD_NOT_ALLOWED, "MethodNotAllowed")                                      \
	X(KUBE_REASON_NOT_ACCEPTABLE, "NotAcceptable")                                             \
	X(KUBE_REASON_UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType")                              \
	X(KUBE_REASON_TOO_LARGE, "RequestEntityTooLarge")                                          \
	X(KUBE_REASON_TOO_MANY_REQUESTS, "TooManyRequests")                                        \
	X(KUBE_REASON_SERVER_TIMEOUT, "ServerTimeout")                                             \
	X(KUBE_REASON_TIMEOUT, "Timeout")                                                          \
	X(KUBE_REASON_UNAVAILABLE, "ServiceUnavailable")                                           \
	X(KUBE_REASON_INTERNAL_ERROR, "InternalError")

enum kube_reason {
	KUBE_REASON_NONE, /* it was done, or no whole answer came */
#define KUBE_REASON_CODE(code, text) code,
	KUBE_REASON_LIST(KUBE_REASON_CODE)
#undef KUBE_REASON_CODE
		KUBE_REASON_OTHER /* a refusal that has none of these */
};

/* "AlreadyExists"; "" of NONE, "Other" of OTHER. */
const char *kube_reason_text(enum kube_reason reason);

/* One of details.causes; texts are cut to fit, "" where it says nothing. */
struct kube_cause {
	char reason[48];   /* "FieldManagerConflict", "FieldValueInvalid" ... */
	char field[256];   /* ".spec.replicas", "spec.ports[0].port" */
	char manager[132]; /* of a FieldManagerConflict: who owns the field */
	char message[256];
};

enum { KUBE_CAUSES_MOST = 16, KUBE_MESSAGE_MOST = 512 };

struct kube_answer {
	/* ERR_OK: a whole answer came, whatever its status.  ERR_UNREACHABLE, ERR_TIMEOUT, ERR_GONE (the connection was
	 * replaced): whether it took effect is not known.  ERR_DENIED (TLS, an address that may not be dialled): it was
	 * not sent.  ERR_NOSPACE (longer than the limit), ERR_PARSE (no JSON object): `status` says whether it took
	 * effect; there is no object. */
	enum err err;
	int status; /* of HTTP; 0: none came */
	/* Of a refusal: what a Status says, else what the HTTP status means.  A server's 5xx may have taken effect. */
	enum kube_reason reason;
	char message
		[KUBE_MESSAGE_MOST]; /* the Status's; "" when there is none, or one that may not be repeated */
	uint64_t retry_after_ms; /* Retry-After, else details.retryAfterSeconds; 0: not said */
	const struct kube_cause *causes; /* of the Status, the first KUBE_CAUSES_MOST */
	size_t cause_count;
	/* What was answered to a success: the object as it is now (managedFields and all), of a delete maybe a Status.  NULL
	 * otherwise.  The answer's: json_object_get() keeps it. */
	struct json_object *object;
	/* All of it that did not go well, for people: "409 Conflict: Apply failed with 1 conflict ..."; "": it was done. */
	char why[KUBE_MESSAGE_MOST + 64];
};

/* Was it done?  (A whole answer of 2xx.) */
static inline bool kube_answer_is_good(const struct kube_answer *a)
{
	return a->err == ERR_OK && a->reason == KUBE_REASON_NONE;
}
/* May it have taken effect all the same?  (No whole answer, or a 5xx.) */
bool kube_answer_is_unknown(const struct kube_answer *a);

/* What came for an answer. */
struct kube_answer_parts {
	int status;
	uint64_t retry_after_ms; /* of the header */
	struct bytes body;
	bool creates; /* a 409 without a Status is AlreadyExists then, as to client-go */
	bool of_secret; /* the messages of 400, 422 and 5xx are not repeated: they may quote what was sent */
};

/* Reads it; err is ERR_OK or ERR_PARSE.  `access`: whose credentials must not be repeated.  Ended by
 * kube_answer_fini(). */
void kube_answer_read(struct kube_answer *out, struct json_tokener *tokener,
                      const struct kube_answer_parts *parts, const struct kube_access *access);
/* The answer that there is none. */
void kube_answer_fail(struct kube_answer *out, enum err err, int status, const char *why);
void kube_answer_fini(struct kube_answer *a);

#endif
