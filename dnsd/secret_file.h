/* secret_file.h -- a file with secrets, read whole, when it is closed to those whom they are not for: who is neither its owner
 * nor of its group has no right to it, and the group none but to read. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_SECRET_FILE_H
#define DNSD_SECRET_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/smallfile.h"

/* Appends its bytes, which smallfile_wipe() forgets.  Control thread.  ERR_IO, ERR_DENIED with "FILE: text". */
enum err secret_file_read(const char *file, size_t most, struct buffer *out, struct stat *as,
                          struct reason *why) MUST_CHECK;

#endif
