/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/digest.h"

#include <openssl/evp.h>

#include "base/check.h"

enum { MD5_LEN = 16 };

void digest_md5(struct bytes data, char out[DIGEST_ROOM])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	CHECK(EVP_Digest(data.data, data.len, md, &len, EVP_md5(), NULL) == 1 && len == MD5_LEN);
	for (size_t i = 0; i < MD5_LEN; i++) {
		out[2 * i] = digits[md[i] >> 4];
		out[2 * i + 1] = digits[md[i] & 15];
	}
	out[DIGEST_ROOM - 1] = '\0';
}
