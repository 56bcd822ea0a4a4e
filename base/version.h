/* version.h -- the version that all programs of this tree tell.
 *
 * A release build may give it from outside: make CPPFLAGS='-DNIGH_VERSION="\"0.1.1\""'.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#ifndef NIGH_VERSION
#define NIGH_VERSION "0.1.0"
#endif

#endif
