/* yaml_text.h -- YAML text looked over before libyaml sees it.
 *
 * For yaml.c alone.  libyaml decodes far ahead of what it has understood, so it
 * would refuse whole streams for one bad byte near the end; and it does not know
 * JSON's pairs of surrogates.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_YAML_TEXT_H
#define BASE_YAML_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/text.h"

/* Behind the byte order mark, if there is one. */
struct bytes yaml_text_start(struct bytes text);

/* The offset of the first byte that is not UTF-8, not a character that YAML allows
 * (5.1), or one directive too many (they cost libyaml quadratic time); text.len when
 * all is well.  Otherwise `line` and `what` (static) say more. */
size_t yaml_text_find_bad(struct bytes text, unsigned *line, const char **what);

/* Text that begins like JSON and has escaped surrogates: the same into `out` with
 * each pair as one YAML escape (\UXXXXXXXX), lines kept; true.  Else false. */
bool yaml_text_join_surrogates(struct bytes text, struct text *out);

/* libyaml reports an unexpected end behind the last line; this gives the last one then. */
unsigned yaml_text_clamp_line(struct bytes text, unsigned line);

/* Whether white space at the beginning of a line (from 1) holds a tab. */
bool yaml_text_tab_indents(struct bytes text, unsigned line);

#endif
