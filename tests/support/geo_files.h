/* geo_files.h -- files that geo's tests read, in the folder for temporary files. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_GEO_FILES_H
#define TESTS_SUPPORT_GEO_FILES_H

#include "base/bytes.h"

/* A new file with this content; returns its path. */
char *geo_file_new(struct bytes content);
void geo_file_rewrite(const char *path, struct bytes content);
/* Removes the file and frees the path. */
void geo_file_remove(char *take_path);

#endif
