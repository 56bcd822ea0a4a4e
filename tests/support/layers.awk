# layers.awk -- holds the includes of one room to the Makefile's tables.
# Set by the Makefile: room, uses, wires, wiring, only, pkgs (each a list between spaces).
# A word of pkgs is a pkg-config name, or NAME:MODULE,MODULE where only some modules may touch it;
# a word of only is a header, ROOM/x.h, beside which nothing else of that ROOM may be used.

function complain(what) { printf "%s:%d: room %s %s\n", FILENAME, FNR, room, what; bad = 1 }
function has(list, word) { return index(list, " " word " ") > 0 }

# The header's package, or "" for the C library and the kernel.
function package_of(path) {
	if (path ~ /^uv\.h/) return "libuv"
	if (path ~ /^ldns\//) return "ldns"
	if (path ~ /^curl\//) return "libcurl"
	if (path ~ /^json-c\//) return "json-c"
	if (path ~ /^openssl\//) return "openssl"
	if (path ~ /^yaml\.h/) return "yaml-0.1"
	if (path ~ /^microhttpd\.h/) return "libmicrohttpd"
	if (path ~ /^maxminddb\.h/) return "libmaxminddb"
	if (path ~ /^ares\.h/) return "libcares"
	if (path ~ /^seccomp\.h/) return "libseccomp"
	if (path ~ /^urcu/) return "liburcu"
	return ""
}

# May this file touch the package?  A module NAME stands for NAME.[ch] and NAME_*.[ch].
function may_touch(pkg,    n, i, word, part, m, j, modules, base) {
	base = FILENAME; sub(/^.*\//, "", base); sub(/\.[ch]$/, "", base)
	n = split(pkgs, word, " ")
	for (i = 1; i <= n; i++) {
		split(word[i], part, ":")
		if (part[1] != pkg) continue
		if (part[2] == "") return 1
		m = split(part[2], modules, ",")
		for (j = 1; j <= m; j++)
			if (base == modules[j] || index(base, modules[j] "_") == 1) return 1
	}
	return 0
}

# Is the other room opened only by some of its headers, and this not one of them?
function is_closed(path, to,    n, i, word, some) {
	n = split(only, word, " ")
	for (i = 1; i <= n; i++) {
		if (word[i] == path) return 0
		if (index(word[i], to "/") == 1) some = 1
	}
	return some
}

/^[ \t]*#[ \t]*include[ \t]+"/ {
	path = $0; sub(/^[^"]*"/, "", path); sub(/".*/, "", path)
	if (path !~ /\//) { complain("must name the room: \"" room "/" path "\""); next }
	to = path; sub(/\/.*/, "", to)
	if (has(wiring, FILENAME) && has(wires, to)) next
	if (!has(uses, to)) complain("may not use " to " (may use:" uses ")")
	else if (is_closed(path, to)) complain("may not use " path " (may use:" only ")")
}

/^[ \t]*#[ \t]*include[ \t]+</ {
	path = $0; sub(/^[^<]*</, "", path); sub(/>.*/, "", path)
	pkg = package_of(path)
	if (pkg != "" && !may_touch(pkg)) complain("may not touch " pkg " here (may touch:" pkgs ")")
}

END { exit bad }
