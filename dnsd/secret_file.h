/* secret_file.h -- a file with secrets, read whole, when it is closed to those whom they are not for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_SECRET_FILE_H
#define DNSD_SECRET_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/smallfile.h"

enum secret_file_for {
	SECRET_FILE_OWNER, /* nobody else may do anything with it */
	SECRET_FILE_GROUP  /* not everybody may read or write it */
};

/* Appends its bytes, which smallfile_wipe() forgets.  Control thread.  ERR_IO, ERR_DENIED with "FILE: text". */
enum err secret_file_read(const char *file, enum secret_file_for whom, size_t most,
                          struct buffer *out, struct stat *as, struct reason *why) MUST_CHECK;

#endif
