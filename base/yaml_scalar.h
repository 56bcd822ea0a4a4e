/* yaml_scalar.h -- what a plain scalar means: the core schema of YAML 1.2.
 *
 * For yaml.c alone.  true false null numbers; octal as 0o17, hexadecimal as 0xf.
 * Not finite (.inf, .nan, 1e999), timestamps, yes, on: text.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_YAML_SCALAR_H
#define BASE_YAML_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum yaml_scalar_kind {
	YAML_SCALAR_TEXT,
	YAML_SCALAR_NULL,
	YAML_SCALAR_BOOL,
	YAML_SCALAR_INT,
	YAML_SCALAR_UINT,  /* over INT64_MAX */
	YAML_SCALAR_DOUBLE /* also integers over UINT64_MAX */
};

struct yaml_scalar {
	enum yaml_scalar_kind kind;
	union {
		bool truth;
		int64_t i;
		uint64_t u;
		double d;
	} as;
};

struct yaml_scalar yaml_scalar_parse(struct bytes text);

#endif
