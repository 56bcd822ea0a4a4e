/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/xalloc.h"

enum {
	MESSAGE_SIZE = 1024, /* before escaping, which makes 6 of 1 at most */
	BODY_MOST = 7000,
	CONTEXT_DEPTH = 16,
	REPEATS = 32, /* messages watched at a time */
	REPEAT_MS = 1000
};

/* A message printed within the last second. */
struct repeat {
	uint64_t hash; /* of its body */
	uint64_t since_ms;
	unsigned more; /* not printed since */
	char *body;
};

/* The sink: the one thing in this room that is not handed around. */
static struct {
	pthread_mutex_t lock;
	atomic_int level;
	enum log_format format;
	size_t count;
	struct repeat repeat[REPEATS]; /* oldest first */
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO};

static const char *const level_text[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&sink.level, memory_order_relaxed);
}

/* A value as it is, or between quotation marks where it would be ambiguous. */
static void add_value(struct text *t, const char *value)
{
	bool plain = *value != '\0';

	for (const char *p = value; *p; p++)
		plain = plain && *p > ' ' && *p < 0x7f && !strchr("\"\\=", *p);
	if (plain)
		text_add(t, value);
	else
		text_add_json(t, bytes_of(value));
}

/* The message without quotation marks around it: what is escaped stays so, except
 * for marks and backslashes, which do no harm there. */
static void add_message(struct text *t, const char *message)
{
	struct text quoted = {0};

	text_add_json(&quoted, bytes_of(message));
	for (size_t i = 1; i + 1 < quoted.len; i++) {
		if (quoted.data[i] == '\\' && strchr("\"\\", quoted.data[i + 1]))
			i++;
		text_add_bytes(t, (struct bytes){(uint8_t *)quoted.data + i, 1});
	}
	text_fini(&quoted);
}

/* Outermost first. */
static size_t unchain(const struct log_context *context,
                      const struct log_context *out[CONTEXT_DEPTH])
{
	size_t count = 0;

	for (const struct log_context *c = context; c && count < CONTEXT_DEPTH; c = c->outer)
		count++;
	for (size_t i = count; i > 0; i--, context = context->outer)
		out[i - 1] = context;
	return count;
}

/* The line but for its time, and in JSON but for the closing brace. */
static void print_body(struct text *t, enum log_format format, enum log_level level,
                       const char *room, const struct log_context *context, const char *message)
{
	const struct log_context *chain[CONTEXT_DEPTH];
	size_t count = unchain(context, chain);
	bool json = format == LOG_FORMAT_JSON;

	if (json) {
		text_printf(t, "\"level\":\"%s\",\"room\":", level_text[level]);
		text_add_json(t, bytes_of(room));
		text_add(t, ",\"message\":");
		text_add_json(t, bytes_of(message));
	} else {
		text_printf(t, "%-5s %s: ", level_text[level], room);
		add_message(t, message);
	}
	for (size_t i = 0; i < count; i++) {
		const char *value = chain[i]->value ? chain[i]->value : "";
		size_t before = t->len;

		text_add(t, json ? "," : " ");
		if (json)
			text_add_json(t, bytes_of(chain[i]->key));
		else
			text_add(t, chain[i]->key);
		text_add(t, json ? ":" : "=");
		if (json)
			text_add_json(t, bytes_of(value));
		else
			add_value(t, value);
		/* Whole pairs only, so that JSON stays JSON. */
		if (t->len > BODY_MOST) {
			t->len = before;
			t->data[before] = '\0';
			break;
		}
	}
}

static void emit(const char *body, unsigned more)
{
	char line[BODY_MOST + 96], time_text[CLOCK_TEXT_SIZE], tail[32] = "";
	struct timespec now;
	bool json = sink.format == LOG_FORMAT_JSON;
	int len;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_print(now.tv_sec, time_text);
	time_text[strlen(time_text) - 1] = '\0';
	if (more)
		snprintf(tail, sizeof(tail), json ? ",\"more\":%u" : " ... %u more", more);
	len = snprintf(line, sizeof(line),
	               json ? "{\"time\":\"%s.%03dZ\",%s%s}\n" : "%s.%03dZ %s%s\n", time_text,
	               (int)(now.tv_nsec / 1000000), body, tail);
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		return; /* nobody left to tell */
}

/* Forgets (and says) what was counted for longer than REPEAT_MS. */
static void flush_older(uint64_t now_ms, bool all)
{
	size_t gone = 0;

	while (gone < sink.count && (all || now_ms - sink.repeat[gone].since_ms >= REPEAT_MS)) {
		if (sink.repeat[gone].more)
			emit(sink.repeat[gone].body, sink.repeat[gone].more);
		free(sink.repeat[gone].body);
		gone++;
	}
	sink.count -= gone;
	if (gone)
		memmove(sink.repeat, sink.repeat + gone, sink.count * sizeof(sink.repeat[0]));
}

/* True when the same was said within the last second: then it is counted. */
static bool is_repeat(const char *body, uint64_t now_ms)
{
	uint64_t hash = hash_fixed(bytes_of(body));
	struct repeat *r;

	for (r = sink.repeat; r < sink.repeat + sink.count; r++) {
		if (r->hash == hash && strcmp(r->body, body) == 0) {
			r->more++;
			return true;
		}
	}
	if (sink.count == REPEATS)
		flush_older(sink.repeat[0].since_ms + REPEAT_MS, false);
	r = &sink.repeat[sink.count++];
	*r = (struct repeat){hash, now_ms, 0, xstrdup(body)};
	return false;
}

void log_setup(enum log_level level, enum log_format format)
{
	pthread_mutex_lock(&sink.lock);
	flush_older(0, true);
	atomic_store_explicit(&sink.level, (int)level, memory_order_relaxed);
	sink.format = format;
	pthread_mutex_unlock(&sink.lock);
}

void log_flush(bool all)
{
	pthread_mutex_lock(&sink.lock);
	flush_older(clock_monotonic_ms(), all);
	pthread_mutex_unlock(&sink.lock);
}

void log_write(enum log_level level, const char *room, const struct log_context *context,
               const char *fmt, ...)
{
	char message[MESSAGE_SIZE];
	struct text body = {0};
	uint64_t now_ms;
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&sink.lock);
	now_ms = clock_monotonic_ms();
	flush_older(now_ms, false);
	print_body(&body, sink.format, level, room, context, message);
	if (!is_repeat(body.data, now_ms))
		emit(body.data, 0);
	pthread_mutex_unlock(&sink.lock);
	text_fini(&body);
}
