# rfcs.awk -- holds docs/rfcs.md and docs/vulnerabilities.md to the sources: what they name is there, no row
# stands twice, and rows of RFCs stand in the order of their numbers.  Of docs/from-kubefed.md the rows of tables whose third
# cell is headed "test" are held to name tests that are there.
# Input: the rooms' .c and .h files and the tests' .c files, then the documents.  In a table's row the third cell names
# functions and files of rooms (`name`, `name_*`, `file.c`, with a file in parentheses behind it where
# several have the name), the fourth tests: files (dnsd/test_x, scenario/x, differential/x, or whole
# paths in backquotes) and beginnings of their functions (in backquotes, without test_).

function complain(what) { printf "%s:%d: %s\n", FILENAME, FNR, what; bad = 1 }

# Is there a function of that file ("": of any room) whose name begins so (whole: is just so)?
function is_defined(file, name, whole,    key, part) {
	for (key in defined) {
		split(key, part, SUBSEP)
		if (file != "" ? part[1] != file : part[1] ~ /^tests\//) continue
		if (whole ? part[2] == name : index(part[2], name) == 1) return 1
	}
	return 0
}

# The path of a room's file, or "".
function room_file(base,    path) {
	for (path in is_file)
		if (path !~ /^tests\// && path ~ ("(^|/)" base "$")) return path
	return ""
}

function check_functions(cell,    n, i, part, name, file) {
	n = split(cell, part, "`")
	if (n < 3) complain("no function is named")
	for (i = 2; i <= n; i += 2) {
		name = part[i]; file = ""
		if (name ~ /\.c$/) {
			if (room_file(name) == "") complain("no room has " name)
			continue
		}
		if (i < n && part[i + 1] ~ /^ \([a-z_0-9]+\.c\)/) {
			file = part[i + 1]; sub(/^ \(/, "", file); sub(/\).*/, "", file)
			if (room_file(file) == "") { complain("no room has " file); continue }
			file = room_file(file)
		}
		if (name ~ /\*$/ ? !is_defined(file, substr(name, 1, length(name) - 1), 0) : !is_defined(file, name, 1))
			complain("no function " name (file == "" ? "" : " in " file))
	}
}

function test_file(word) {
	if (word ~ /^[a-z]+\/test_[a-z_0-9]+$/) return "tests/unit/" word ".c"
	if (word ~ /^(scenario|differential)\/[a-z_0-9]+$/) return "tests/" word ".c"
	return ""
}

# What stands outside of backquotes says which file the next names are of.
function check_files(text,    n, i, word) {
	gsub(/[,;]/, " ", text)
	n = split(text, word, " ")
	for (i = 1; i <= n; i++) {
		file = test_file(word[i])
		tests_named++
		if (file == "") complain("\"" word[i] "\" is no test's file")
		else if (!(file in is_file)) complain("no file " file)
	}
}

function check_tests(cell,    n, i, part, name) {
	file = ""; tests_named = 0
	n = split(cell, part, "`")
	for (i = 1; i <= n; i++) {
		name = part[i]
		if (i % 2 == 1) { check_files(name); continue }
		tests_named++
		sub(/\*$/, "", name)
		if (name ~ /^tests\//) {
			if (!(name in is_file)) complain("no file " name)
		} else if (file == "") complain("of which file is " name "?")
		else if (!is_defined(file, "test_" name, 0)) complain("no test_" name "... in " file)
	}
	if (tests_named == 0) complain("no test is named")
}

FILENAME ~ /\.[ch]$/ {
	is_file[FILENAME]
	if ($0 ~ (FILENAME ~ /h$/ ? "^static inline .*\\(" : "^[A-Za-z].*\\(") && $0 !~ /;[ \t]*$/) {
		name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
		defined[FILENAME, name]
	}
	next
}

# Two rows say the same when section and claim of one are the other's, or its beginning.
function check_twice(section, claim,    row, part) {
	for (row in seen) {
		split(row, part, SUBSEP)
		if (part[1] == FILENAME && begins(part[2], section) && begins(part[3], claim))
			complain("stands twice, first in line " seen[row] ":" section "|" claim)
	}
	seen[FILENAME, section, claim] = FNR
}

function begins(a, b) {
	sub(/ +$/, "", a); sub(/ +$/, "", b)
	return index(a, b) == 1 || index(b, a) == 1
}

# Rows without a number, for what no RFC has, come last.
function check_order(section,    number) {
	number = section ~ /^ [0-9]/ ? section + 0 : 1000000
	if (number < last_number[FILENAME]) complain("is not in the order of numbers:" section)
	last_number[FILENAME] = number
}

# Beginnings of functions in backquotes, of whatever test; what stands outside of them is for people.
function check_traps(cell,    n, i, part, key, there, found) {
	n = split(cell, part, "`")
	for (i = 2; i <= n; i += 2) {
		found = 0
		for (key in defined) {
			split(key, there, SUBSEP)
			if (there[1] ~ /^tests\// && index(there[2], "test_" part[i]) == 1) { found = 1; break }
		}
		if (!found) complain("no test_" part[i] "...")
	}
	if (cell ~ /^ *$/) complain("no test is named")
}

FILENAME ~ /from-kubefed\.md$/ {
	if ($0 !~ /^\|/) { heads_tests = 0; next }
	cells = $0; gsub(/\\\|/, "", cells)
	split(cells, cell, "|")
	if (cell[4] == " test ") heads_tests = 1
	else if (heads_tests && cell[2] !~ /^-+$/) { rows[FILENAME]++; check_traps(cell[4]) }
	next
}

/^\|/ {
	cells = $0; gsub(/\\\|/, "", cells)
	split(cells, cell, "|")
	if (cell[4] ~ /^ function/ || cell[2] ~ /^-+$/) next
	rows[FILENAME]++
	check_functions(cell[4])
	check_tests(cell[5])
	check_twice(cell[2], cell[3])
	check_order(cell[2])
}

END {
	for (i = 1; i < ARGC; i++)
		if (ARGV[i] ~ /\.md$/ && rows[ARGV[i]] == 0) { print ARGV[i] " has no rows"; bad = 1 }
	exit bad
}
