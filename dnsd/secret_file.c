/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/secret_file.h"

enum err secret_file_read(const char *file, size_t most, struct buffer *out, struct stat *as,
                          struct reason *why)
{
	/* A group may read it: a Secret that Kubernetes mounts belongs to root and fsGroup. */
	const mode_t refused = S_IWGRP | S_IRWXO;
	struct reason what = {0};

	if (smallfile_read(file, most, out, as, &what) != ERR_OK)
		return reason_set(why, ERR_IO, "%s: %s", file, what.text);
	if ((as->st_mode & refused) != 0)
		return reason_set(why, ERR_DENIED,
		                  "%s: has secrets, and is open to others: chmod 640", file);
	return ERR_OK;
}
