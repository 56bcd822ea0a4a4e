/* stamp.h -- what a file was when it was looked at, so that a change shows without reading it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STAMP_H
#define BASE_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>

struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct stamp stamp_of(const struct stat *st);
/* Symbolic links are followed; zeros when it cannot be looked at.  Not from the loop when it may lie on a network. */
struct stamp stamp_at(const char *path);
bool stamp_equal(const struct stamp *a, const struct stamp *b);

#endif
