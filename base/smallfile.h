/* smallfile.h -- a whole file of bounded size, as credentials and kubeconfigs are. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SMALLFILE_H
#define BASE_SMALLFILE_H

#include <sys/stat.h>

#include "base/bytes.h"
#include "base/err.h"

/* Appends the bytes of a regular file (symbolic links are followed: projected volumes are such); ERR_RANGE: it has
 * more than `most`.  `as`: what it was when it was opened (NULL: not asked).  `why` does not name the file.  Not from the loop when the file may lie on a network. */
enum err smallfile_read(const char *path, size_t most, struct buffer *out, struct stat *as,
                        struct reason *why) MUST_CHECK;
/* Frees what was read of a secret, and wipes it before. */
void smallfile_wipe(struct buffer *b);

#endif
