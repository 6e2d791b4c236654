# SPDX-License-Identifier: Apache-2.0
# The rules of tools/check-house. Reads names of files on standard input, then the files.
#
# Page templates carry no licence line (what they make is sent to people). A NOUN.c whose header NOUN.h says what the pair owns needs
# no second note. Tests may build their fixtures with any function of the C library.
# A function's length is its body, from the brace in the first column to the one that ends it. A contract is a comment on the line
# of a declaration or above it in the same run of lines without an empty one. Use cases, prepare steps and job kinds have the
# contract of src/http/app.h and a row with a help text; a cleanup function (_free, _freep) needs no words.
BEGIN {
	while ((getline f < "-") > 0) {
		ARGV[ARGC++] = f
		there[f] = 1
	}
	if (ARGC < 2) {
		print "no files"
		bad_seen = 1
		exit 1
	}
}
function bad(line, why) { printf "%s:%d: %s\n", file, line, why; bad_seen = 1 }

function leave() {
	if (file == "")
		return
	if (!spdx && file !~ /\.html$/)
		bad(1, "no SPDX-License-Identifier line")
	pair = file
	sub(/c$/, "h", pair)
	if (file ~ /\.[ch]$/ && !header && !(file ~ /\.c$/ && pair in there))
		bad(1, "no file header that says what the file owns")
	if (file ~ /\.(c|h|js|mjs|html|css|sql|awk)$/ && lines > 800)
		bad(lines, "longer than 800 lines")
	if (file ~ /^(src|sdk|tools)\/.*\.[ch]$/) {
		of_length[lines]++
		files++
		total += lines
	}
}

FNR == 1 {
	leave()
	file = FILENAME
	spdx = header = spoken = in_comment = starts = 0
	open_decl = before = ""
	c = file ~ /\.[ch]$/
	product = file ~ /^(src|sdk|tools)\//
	contracts = product && file ~ /\.h$/
	longest_allowed = product ? 60 : 80
}
{ lines = FNR }
FNR <= 3 && /SPDX-License-Identifier: Apache-2.0/ { spdx = 1 }
/\/(work|home|root|Users)\/[A-Za-z]/ && file != "tools/house.awk" { bad(FNR, "a path of somebody's machine") }
/(^|[^A-Za-z])(TODO|FIXME|XXX|HACK)([^A-Za-z]|$)/ && file != "tools/house.awk" { bad(FNR, "a promise of later work: do it, or leave it out") }
!c { next }

FNR <= 5 && !header && /^ \*/ { header = 1 }
# Functions: braces in the first column are those of a function's body and nothing else.
/^[{]/ { starts = FNR; name = before; next }
/^[}]/ && starts {
	n = FNR - starts + 1
	functions++
	if (product && n > longest) {
		longest = n
		longest_at = file ": " name
	}
	if (n > longest_allowed)
		bad(starts, "a function of " n " lines, more than " longest_allowed ": " name)
	starts = 0
}
/^[A-Za-z_].*\(/ { before = $0 }

file !~ /^tests\/unit\// {
	code = $0
	gsub(/"([^"\\]|\\.)*"/, "\"\"", code)              # texts may name what code may not call
	sub(/\/\/.*/, "", code)
	while (match(code, /\/\*.*\*\//))                  # comments that end on their line
		code = substr(code, 1, RSTART - 1) substr(code, RSTART + RLENGTH)
	if (code ~ /^[ \t]*\*/ || code ~ /^[ \t]*\/\*/)
		code = ""
	if (match(code, /(^|[^A-Za-z0-9_>.])(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|strtok|system|popen|alloca)[ \t]*\(/)) {
		code = substr(code, RSTART)
		sub(/^[ \t]+/, "", code)
		bad(FNR, "a banned function: " code)
	}
}

!contracts { next }
in_comment { spoken = 1; if (/\*\//) in_comment = 0; next }
/^[ \t]*\/\*/ { spoken = 1; if (!/\*\//) in_comment = 1; next }
/^[ \t]*$/ { spoken = 0; next }
open_decl == "" && /^[A-Za-z_].*[ *][a-z_0-9]+\(/ && !/^(typedef|static|enum|struct [a-z_]+ [{]|extern "C"|_Static)/ {
	open_decl = $0
	open_line = FNR
	remark = 0
}
open_decl != "" {
	if (/\/\*/)
		remark = 1
	if (/;/) {
		if (!spoken && !remark && open_decl !~ /(ctm_uc|ctm_prepare|ctm_job)_[a-z_0-9]+\(struct ctm_[cj]x |_freep?\(/)
			bad(open_line, "a declaration without a contract: " open_decl)
		open_decl = ""
	}
}

# The length of the file that `part` of all files are no longer than.
function quantile(part,   n, i) {
	for (i = 0; n < files * part; )
		n += of_length[++i]
	return i
}
END {
	if (ARGC < 2)
		exit 1
	leave()
	printf "%d C files of product and tools, %d lines; median %d, nine of ten up to %d; %d functions, the longest %d (%s)\n",
		files, total, quantile(0.5), quantile(0.9), functions, longest, longest_at
	exit bad_seen
}
