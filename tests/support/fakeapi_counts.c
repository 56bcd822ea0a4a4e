/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world_inside.h"

enum { SHOWN = 60 };

unsigned fakeapi_requests_with(struct fakeapi *f, const char *text, const char *and)
{
	unsigned count = 0;

	fake_lock(f);
	for (size_t i = 0; i < f->request_count; i++)
		count += strstr(f->requests[i], text) && strstr(f->requests[i], and);
	fake_unlock(f);
	return count;
}

unsigned fakeapi_requests(struct fakeapi *f, const char *text)
{
	return fakeapi_requests_with(f, text, "");
}

void fakeapi_on_write(struct fakeapi *f, void (*on_write)(const char *request, void *arg),
                      void *arg)
{
	fake_lock(f);
	f->on_write = on_write;
	f->on_write_arg = arg;
	fake_unlock(f);
}

const char *fakeapi_last_request(struct fakeapi *f, const char *text)
{
	bool found = false;

	fake_lock(f);
	for (size_t i = f->request_count; i > 0 && !found; i--) {
		found = strstr(f->requests[i - 1], text) != NULL;
		if (found) {
			text_reset(&f->said);
			text_add(&f->said, f->requests[i - 1]);
		}
	}
	fake_unlock(f);
	return found ? f->said.data : NULL;
}

void fakeapi_forget_requests(struct fakeapi *f)
{
	fake_lock(f);
	for (size_t i = 0; i < f->request_count; i++)
		free(f->requests[i]);
	f->request_count = 0;
	fake_unlock(f);
}

const char *fakeapi_authorization(struct fakeapi *f)
{
	fake_lock(f);
	text_reset(&f->said);
	text_add(&f->said, f->authorization);
	fake_unlock(f);
	return f->said.data;
}

static unsigned read_count(struct fakeapi *f, const unsigned *count)
{
	unsigned now;

	fake_lock(f);
	now = *count;
	fake_unlock(f);
	return now;
}

unsigned fakeapi_connections(struct fakeapi *f) { return read_count(f, &f->conn_count); }
unsigned fakeapi_connections_ever(struct fakeapi *f) { return read_count(f, &f->conns_ever); }
unsigned fakeapi_http2_connections(struct fakeapi *f) { return read_count(f, &f->http2_ever); }

uint64_t fakeapi_bytes(struct fakeapi *f)
{
	uint64_t bytes;

	fake_lock(f);
	bytes = f->bytes;
	fake_unlock(f);
	return bytes;
}

const char *fakeapi_last_body(struct fakeapi *f)
{
	fake_lock(f);
	text_reset(&f->said);
	text_add_bytes(&f->said, (struct bytes){(const uint8_t *)f->written.data, f->written.len});
	text_add(&f->said, "");
	fake_unlock(f);
	return f->said.data;
}

/* --- waiting --- */

/* Ends the test: what came, the newest last. */
__attribute__((noreturn)) static void fail_with(struct fakeapi *f, const char *what,
                                                const char *where, unsigned got, unsigned wanted)
{
	size_t from;

	fake_lock(f);
	from = f->request_count > SHOWN ? f->request_count - SHOWN : 0;
	fprintf(stderr, "--- requests to %s ---\n", f->url);
	for (size_t i = from; i < f->request_count; i++)
		fprintf(stderr, "%s\n", f->requests[i]);
	fprintf(stderr, "---\n");
	fake_unlock(f);
	fail_msg("%s of '%s': %u, not %u", what, where, got, wanted);
	abort();
}

void fakeapi_expect_requests(struct fakeapi *f, const char *text, unsigned at_least,
                             unsigned within_ms)
{
	struct deadline deadline = inside_deadline(within_ms);
	unsigned got;

	while ((got = fakeapi_requests(f, text)) < at_least) {
		if (!inside_has_time(deadline))
			fail_with(f, "requests", text, got, at_least);
		inside_rest();
	}
}

void fakeapi_expect_watches(struct fakeapi *f, const char *where, unsigned count,
                            unsigned within_ms)
{
	struct deadline deadline = inside_deadline(within_ms);
	unsigned got;

	while ((got = fakeapi_watches(f, where)) != count) {
		if (!inside_has_time(deadline))
			fail_with(f, "open watches", where, got, count);
		inside_rest();
	}
}

void fakeapi_expect_connections(struct fakeapi *f, unsigned count, unsigned within_ms)
{
	struct deadline deadline = inside_deadline(within_ms);
	unsigned got;

	while ((got = fakeapi_connections(f)) != count) {
		if (!inside_has_time(deadline))
			fail_with(f, "open connections", f->url, got, count);
		inside_rest();
	}
}
