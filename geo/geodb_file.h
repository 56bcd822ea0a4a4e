/* geodb_file.h -- the files of a geodb, read so that their owner may change them meanwhile. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_GEODB_FILE_H
#define GEO_GEODB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "base/bytes.h"
#include "base/err.h"

/* What tells one version of a file from another; all zero when there is none. */
struct geodb_file_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};
struct geodb_file_stamp geodb_file_stamp(const char *path);
bool geodb_file_same(const struct geodb_file_stamp *a, const struct geodb_file_stamp *b);

/* All bytes of a regular file, after what is in *out.  ERR_IO; ERR_RANGE: more than `limit`. */
enum err geodb_file_read(const char *path, size_t limit, struct buffer *out,
                         struct reason *why) MUST_CHECK;

enum { GEODB_FILE_PATH_SIZE = 32 };

/* For readers that map a file: a file cut short under a mapping would kill the process.  Copies it into
 * anonymous memory; path_out names the copy as long as *fd_out is open.  ERR_UNSUPPORTED: the
 * kernel or a sandbox does not let us; ERR_IO, ERR_RANGE as above. */
enum err geodb_file_copy(const char *path, size_t limit, int *fd_out,
                         char path_out[GEODB_FILE_PATH_SIZE], struct reason *why) MUST_CHECK;

#endif
