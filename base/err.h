/* err.h -- the one list of errors, and the text that explains one to a person.
 *
 * Functions that can fail return enum err and are marked MUST_CHECK.  Where a
 * person has to read the cause, the last parameter is a struct reason: the
 * callee describes what is wrong, the caller adds where, and decides whether
 * it is an error, a warning or nothing.  Log or return, never both.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* X(code, text) */
#define ERR_LIST(X)                                                                                \
	X(ERR_OK, "ok")                                                                            \
	X(ERR_PARSE, "not well formed")                                                            \
	X(ERR_RANGE, "out of range")                                                               \
	X(ERR_NOTFOUND, "not found")                                                               \
	X(ERR_CONFLICT, "in conflict")                                                             \
	X(ERR_GONE, "gone")                                                                        \
	X(ERR_DENIED, "not permitted")                                                             \
	X(ERR_UNREACHABLE, "unreachable")                                                          \
	X(ERR_TIMEOUT, "timed out")                                                                \
	X(ERR_NOSPACE, "no space")                                                                 \
	X(ERR_IO, "input or output failed")                                                        \
	X(ERR_UNSUPPORTED, "not supported")

enum err {
#define ERR_CODE(code, text) code,
	ERR_LIST(ERR_CODE)
#undef ERR_CODE
};

/* The text of a code, never NULL. */
const char *err_text(enum err err);

/* What went wrong, in words.  An empty text means that nothing was said. */
struct reason {
	char text[512];
};

/* Writes the text (cut to fit) and returns `err`, so that a failing function
 * can end with `return reason_set(why, ERR_PARSE, ...)`.  `why` may be NULL. */
enum err reason_set(struct reason *why, enum err err, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "prefix" (formatted) before the text that is there: "FILE:12: " and the like. */
void reason_prefix(struct reason *why, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
