/* dnsd_certificate.h -- certificates for tests of TLS: self-signed, of a name, with a key of their own. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_DNSD_CERTIFICATE_H
#define TESTS_SUPPORT_DNSD_CERTIFICATE_H

/* Two PEM files, each replaced as a whole (rename); the certificate's CN is `name`, it is good for a day. */
void certificate_write(const char *certificate_file, const char *key_file, const char *name);

#endif
