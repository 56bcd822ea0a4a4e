/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/secret_file.h"

enum err secret_file_read(const char *file, enum secret_file_for whom, size_t most,
                          struct buffer *out, struct stat *as, struct reason *why)
{
	mode_t refused = whom == SECRET_FILE_OWNER ? S_IRWXG | S_IRWXO : S_IROTH | S_IWOTH;
	struct reason what = {0};

	if (smallfile_read(file, most, out, as, &what) != ERR_OK)
		return reason_set(why, ERR_IO, "%s: %s", file, what.text);
	if ((as->st_mode & refused) != 0)
		return reason_set(why, ERR_DENIED,
		                  "%s: has secrets, and is open to others: chmod %s", file,
		                  whom == SECRET_FILE_OWNER ? "600" : "640");
	return ERR_OK;
}
