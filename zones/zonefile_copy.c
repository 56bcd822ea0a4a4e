/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "records/names.h"
#include "zones/zonefile_inside.h"

enum { COPY_MODE = 0600 };

/* In the form of RFC 3597 5, which every type has and no reader takes for something else. */
static void print_record(const struct zonefile *z, const char *owner,
                         const struct zonefile_record *record, FILE *out)
{
	const uint8_t *rdata = z->rdata.data + record->at;

	fprintf(out, "%s %" PRIu32 " IN TYPE%u \\# %u ", owner, record->ttl, (unsigned)record->type,
	        (unsigned)record->len);
	for (size_t i = 0; i < record->len; i++)
		fprintf(out, "%02x", rdata[i]);
	fputc('\n', out);
}

static void print_all(const struct zonefile *z, FILE *out)
{
	char text[NAMES_TEXT_SIZE];

	fprintf(out,
	        "; Made by nighd: what the file of this zone was when it last had no error.\n");
	for (size_t i = 0; i < z->owner_count; i++) {
		const struct zonefile_owner *o = &z->owners[i];

		names_to_text(z->wires.data + o->wire, text);
		for (uint32_t r = o->first; r != ZONEFILE_NONE; r = z->records[r].next)
			print_record(z, text, &z->records[r], out);
	}
}

static enum err fail(const char *path, struct reason *why)
{
	enum err err = errno == ENOSPC || errno == EDQUOT ? ERR_NOSPACE : ERR_IO;

	return reason_set(why, err, "%s: %s", path, strerror(errno));
}

/* Whole, or not at all: written beside it, then renamed. */
static enum err write_all(const struct zonefile *z, const char *path, struct reason *why)
{
	char beside[4096];
	int fd = -1;
	FILE *out;
	bool good;

	if (snprintf(beside, sizeof(beside), "%s.new", path) < (int)sizeof(beside))
		fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, COPY_MODE);
	out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!out)
		return fail(beside, why);
	print_all(z, out);
	good = fflush(out) == 0 && !ferror(out) && fsync(fd) == 0;
	if (fclose(out) != 0 || !good || rename(beside, path) != 0) {
		enum err err = fail(path, why);

		(void)unlink(beside);
		return err;
	}
	return ERR_OK;
}

enum err zonefile_copy(const struct zonefile_request *request, const char *to, struct reason *why)
{
	struct zonefile *z = zonefile_take_apart(request);
	enum err err = z->error_count == 0
	                       ? write_all(z, to, why)
	                       : reason_set(why, ERR_PARSE, "%s has errors", request->path);

	zonefile_free(z);
	return err;
}
