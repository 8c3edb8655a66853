#!/bin/bash
# The same check with openssl, awk and coreutils alone, step by step.
#   bash walkthrough.sh 'NAME+ID+KEY' [ROOTS.pem]     in the folder the bundle was unpacked to
# The key must reach you by another channel than the bundle, and so must this file: the copy in a
# bundle proves nothing against whoever made it. ROOTS.pem: root certificates of the time-stamping
# authority you trust, if the bundle contains a time stamp. Bash 3.2, OpenSSL 3.0 or newer.
# Exit code: 0 valid, 1 not valid, 2 wrong usage. ML-DSA signatures are not checked.
set -euo pipefail
export LC_ALL=C
unset IFS

say() { printf '%s\n' "$(printf %s "$1" | tr -c ' -~' '?')"; }  # nothing a terminal acts on
fail() { say "DOES NOT HOLD $1" >&2; exit 1; }
usage() { say "$1" >&2; exit 2; }
work=$(mktemp -d) || usage "no temporary folder"
trap 'rm -rf "$work"' EXIT

hash() { openssl dgst -sha256 -binary; }                        # bytes in, 32 bytes out
b64() { openssl base64 -A; }
unb64() { openssl base64 -d -A; }
hex() { od -An -v -tx1 | tr -s ' \n' ' ' | sed 's/ $//'; }      # " 7b 22 ..."
hexes() { od -An -v -tx1 | tr -d ' \n'; }                       # "7b22..."
size_of() { wc -c < "$1" | tr -d ' '; }
leaf_hash() { { printf '\000'; cat "$1"; } | hash | b64; }      # SHA-256(0x00 || line)
node_hash() { { printf '\001'; printf %s "$1" | unb64; printf %s "$2" | unb64; } | hash | b64; }

integer='(0|[1-9][0-9]{0,14})'
hash64='[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]='                   # 32 bytes in base64
group='[A-Za-z0-9+/]{4}' tail2='[A-Za-z0-9+/][AQgw]==' tail3='[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]='
base64="(($group){2,}($tail2|$tail3)?|$group$tail3)"            # of five bytes and more
name_form='[!-*,-~]+'

# Every file must be a regular file, not a link, and of bounded size; it is read, never run.
plain() {  # FILE LIMIT
  [ ! -L "$1" ] && [ -f "$1" ] || fail "$1 is missing, or not a regular file"
  [ "$(size_of "$1")" -le "$2" ] || fail "$1 has more than $2 bytes"
}
is_there() { [ -e "$1" ] || [ -L "$1" ]; }
only() {  # FILE CHARACTERS: it contains no others
  [ "$(tr -d "$2" < "$1" | wc -c)" -eq 0 ] || fail "$1 contains a character it must not"
}
without() {  # FILE CHARACTERS: it contains none of these
  [ "$(tr -d "$2" < "$1" | wc -c)" -eq "$(size_of "$1")" ] || fail "$1 contains a control character"
}

# JSON as exact slices: only strings and brackets are interpreted; no name may occur twice.
#   json MODE FILE [WANTED [SPACES]]
# fields: names and values, one per line; names; texts: check that all values are strings;
# member NAME and element NUMBER: one value; elements: one per line; text (or foreign): the content
# of a string.
json() {
  awk -v mode="$1" -v wanted="${3:-}" -v spaces="${4:-0}" '
    function bad() { failed = 1; exit 1 }
    function skip(p) {
      if (spaces) while (p <= n && index(" \t\r\n\002", substr(s, p, 1))) p++
      return p
    }
    function string_end(p,   c) {
      for (p++; p <= n; p++) {
        c = substr(s, p, 1)
        if (c == "\\") p++
        else if (c == "\"") return p + 1
      }
      bad()
    }
    function value_end(p,   c, depth, from) {
      c = substr(s, p, 1)
      if (c == "\"") return string_end(p)
      if (c != "{" && c != "[") {
        from = p
        while (p <= n && index(bare, substr(s, p, 1))) p++
        if (p == from) bad()
        return p
      }
      while (p <= n) {
        c = substr(s, p, 1)
        if (c == "\"") { p = string_end(p); continue }
        if (c == "{" || c == "[") depth++
        else if ((c == "}" || c == "]") && --depth == 0) return p + 1
        p++
      }
      bad()
    }
    function text(v, foreign,   p, c, last, out, code) {
      last = length(v)
      if (last < 2 || substr(v, 1, 1) != "\"" || substr(v, last, 1) != "\"") bad()
      for (p = 2; p < last; p++) {
        c = substr(v, p, 1)
        if (c == "\"" || index(controls, c)) bad()
        if (c != "\\") { out = out c; continue }
        if (++p >= last) bad()
        c = substr(v, p, 1)
        if (c == "\"" || c == "\\" || (foreign && c == "/")) { out = out c; continue }
        if (c == "b") out = out "\b"
        else if (c == "f") out = out "\f"
        else if (c == "n") out = out "\n"
        else if (c == "r") out = out "\r"
        else if (c == "t") out = out "\t"
        else if (c == "u" && p + 4 < last) {
          if (substr(v, p + 1, 2) != "00") bad()
          code = (index("01234567", substr(v, p + 3, 1)) - 1) * 16
          c = index("0123456789abcdef", substr(v, p + 4, 1)) - 1
          if (code < 0 || c < 0 || code + c == 0 || code + c > (foreign ? 127 : 31)) bad()
          out = out sprintf("%c", code + c)
          p += 4
        } else bad()
      }
      return out
    }
    BEGIN {
      RS = "\001"
      bare = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.+-"
      for (p = 1; p < 32; p++) controls = controls sprintf("%c", p)
    }
    NR > 1 { bad() }
    { s = $0 }
    END {
      if (failed) exit 1
      n = length(s)
      if (mode == "text" || mode == "foreign") {
        printf "%s", text(s, mode == "foreign")
        exit
      }
      is_list = mode == "element" || mode == "elements"
      at = skip(1)
      if (substr(s, at, 1) != (is_list ? "[" : "{")) bad()
      at = skip(at + 1)
      more = substr(s, at, 1) != (is_list ? "]" : "}")
      for (count = 0; more; count++) {
        if (count >= 1000000) bad()
        name = ""
        if (!is_list) {
          if (substr(s, at, 1) != "\"") bad()
          for (p = at + 1; p <= n && substr(s, p, 1) != "\""; p++) if (substr(s, p, 1) == "\\") bad()
          if (p > n) bad()
          name = substr(s, at + 1, p - at - 1)
          if (name in seen) bad()
          seen[name] = 1
          at = skip(p + 1)
          if (substr(s, at, 1) != ":") bad()
          at = skip(at + 1)
        }
        end = value_end(at)
        value = substr(s, at, end - at)
        if (mode == "texts") text(value, 0)
        if (mode == "elements") gsub(/[\r\n]/, "\002", value)
        if (is_list ? (mode == "element" && count == wanted + 0) : (name "" == wanted "")) {
          chosen = value
          is_there = 1
        }
        if (mode == "fields" || mode == "names") print name
        if (mode == "fields" || mode == "elements") print value
        at = skip(end)
        more = substr(s, at, 1) == ","
        if (more) at = skip(at + 1)
      }
      if (substr(s, at, 1) != (is_list ? "]" : "}") || skip(at + 1) != n + 1) bad()
      if (mode == "member" || mode == "element") {
        if (!is_there) bad()
        printf "%s", chosen
      }
    }' < "$2"
}

names=() values=() value=
load() {  # FILE: its fields
  local name
  without "$1" '\000-\037'
  json fields "$1" > "$work/fields" || fail "$1 is not a JSON object in the required form"
  names=() values=()
  while IFS= read -r name && IFS= read -r value; do
    [[ $name =~ ^[a-z0-9_]+$ ]] || fail "$1 has other fields than it should"
    names[${#names[@]}]=$name values[${#values[@]}]=$value
  done < "$work/fields"
}
ordered() {  # FILE FORM: the names of its fields, in order
  [[ " ${names[*]-} " =~ ^\ ($2)\ $ ]] || fail "$1 has other fields than it should"
}
get() {  # FIELD: into value; false where there is none
  local number=0
  while [ "$number" -lt "${#names[@]}" ]; do
    if [ "${names[$number]}" = "$1" ]; then value=${values[$number]}; return 0; fi
    number=$((number + 1))
  done
  return 1
}
field() {  # FILE FIELD FORM: into value, matched
  get "$2" || fail "$1: $2 is missing"
  [[ $value =~ ^($3)$ ]] || fail "$1: $2 is not in the required form"
}
optional() { if get "$2"; then field "$1" "$2" "$3"; fi; }
braced() {  # FILE FIELD OPEN CLOSE: a value between brackets, not looked into
  get "$2" || return 0
  [ "${#value}" -ge 2 ] && [ "${value:0:1}" = "$3" ] && [ "${value:$((${#value} - 1))}" = "$4" ] \
    || fail "$1: $2 is not in the required form"
}
text_of() {  # FILE FIELD: into value, the bytes it stands for
  get "$2" || fail "$1: $2 is missing"
  printf %s "$value" > "$work/string"
  value=$(json text "$work/string" && printf x) || fail "$1: $2 is not a string"
  value=${value%x}
}

# A path file: index, size, then hashes, one per line. Into index, size and $work/path.
read_path() {
  local line number=0
  plain "$1" 8192
  only "$1" '0-9A-Za-z+/=\n'
  [ "$(tail -c 1 "$1" | hexes)" = 0a ] || fail "$1 does not end in a newline"
  : > "$work/path"
  while IFS= read -r line; do
    case $number in
      0) [[ $line =~ ^$integer$ ]] || fail "$1: not an index"; index=$line ;;
      1) [[ $line =~ ^$integer$ ]] || fail "$1: not a size"; size=$line ;;
      *) [[ $line =~ ^$hash64$ ]] || fail "$1: not a hash"; printf '%s\n' "$line" >> "$work/path" ;;
    esac
    number=$((number + 1))
  done < "$1"
  [ "$number" -ge 2 ] && [ "$number" -le 66 ] || fail "$1 has a wrong number of lines"
}

# RFC 9162 section 2.1.3.2: leaf hash, index, size; the path in $work/path. Into root, in base64.
climb() {
  local number=$2 last=$(($3 - 1)) sibling
  root=$1
  [ "$2" -lt "$3" ] || fail "an index is outside its tree"
  while IFS= read -r sibling; do
    [ "$last" -gt 0 ] || fail "a path is too long"
    if [ $((number & 1)) = 1 ] || [ "$number" = "$last" ]; then
      root=$(node_hash "$sibling" "$root")
      while [ $((number & 1)) = 0 ] && [ "$number" != 0 ]; do
        number=$((number >> 1)) last=$((last >> 1))
      done
    else
      root=$(node_hash "$root" "$sibling")
    fi
    number=$((number >> 1)) last=$((last >> 1))
  done < "$work/path"
  [ "$last" = 0 ] || fail "a path is too short"
}
leads_to() {  # NAME ROOT: NAME.json is a line of the tree with this root (hex). Into index, size
  local found
  read_path "$1-path.txt"
  root=$(leaf_hash "$1.json")
  climb "$root" "$index" "$size"
  found=$(printf %s "$root" | unb64 | hexes)
  [ "$found" = "$2" ] || fail "$1.json leads to a different root than the stated one"
  say "   $1.json: line $index of $size, root $found"
}

[ $# -ge 1 ] && [ $# -le 2 ] || usage "bash walkthrough.sh 'NAME+ID+KEY' [ROOTS.pem]"
mib=1048576
plain record.json $((32 * mib)); plain raw.txt $((16 * mib)); plain unit.json $((32 * mib))
plain header.json $mib; plain leaf.json $mib; plain leaf.tlog-proof $mib
hex64='"[0-9a-f]{64}"' hex16='"[0-9a-f]{16}"' word='"[a-z][a-z0-9_]*"'

echo "1. The record is a line of its unit, at its index, and contains raw.txt."
load record.json
ordered record.json 'u i (n r( s)?( c)?|x r( s)?( c)?|x r64( s)?( c)?|o r( s)?( c)?|r|r64)'
form=companion
case " ${names[*]} " in *" n "*) form=kept ;; *" x "*) form=rejected ;; *" o "*) form=out_of_scope ;; esac
cut='\["[A-Za-z0-9_.-]+",'$integer','$integer',"[A-Za-z0-9+/=:_.-]+"\]'
field record.json u "$hex16"; record_u=$value
field record.json i "$integer"; record_index=$value
braced record.json n '{' '}'
braced record.json x '{' '}'
if get o; then text_of record.json o; fi
optional record.json s "$word"
is_cut=no
if get c; then field record.json c "\[$cut(,$cut)*\]"; is_cut=yes; fi
if get r64; then
  raw=$(b64 < raw.txt)
  [ "$value" = "\"$raw\"" ] || fail "raw.txt is not the text in record.json"
else
  get r || fail "record.json contains no text"
  stated=$(printf %s "$value" | hex)
  # The canonical JSON string of the text, byte by byte in hex.
  spelt=$(hex < raw.txt | sed -e 's/ 5c/ 5c 5c/g' -e 's/ 22/ 5c 22/g' -e 's/ 08/ 5c 62/g' \
    -e 's/ 09/ 5c 74/g' -e 's/ 0a/ 5c 6e/g' -e 's/ 0c/ 5c 66/g' -e 's/ 0d/ 5c 72/g' \
    -e 's/ \([01]\)\([0-9]\)/ 5c 75 30 30 3\1 3\2/g' -e 's/ \([01]\)a/ 5c 75 30 30 3\1 61/g' \
    -e 's/ \([01]\)b/ 5c 75 30 30 3\1 62/g' -e 's/ \([01]\)c/ 5c 75 30 30 3\1 63/g' \
    -e 's/ \([01]\)d/ 5c 75 30 30 3\1 64/g' -e 's/ \([01]\)e/ 5c 75 30 30 3\1 65/g' \
    -e 's/ \([01]\)f/ 5c 75 30 30 3\1 66/g')
  [ "$stated" = " 22$spelt 22" ] || fail "raw.txt is not the text in record.json"
fi

load unit.json
ordered unit.json 'k u unit kind part parts src_sha256( raw_sha256)? raw_size span first records kept rejected out_of_scope lines root gaps rebuild( raw_form)?( source_metadata)?( messages)?( rejection)?'
field unit.json k '"unit"'
field unit.json u "$hex16"; unit_u=$value
field unit.json kind '"(records|companion|rejection)"'; kind=${value//\"/}
field unit.json part "$integer"; part=$value
field unit.json parts "$integer"; parts=$value
field unit.json src_sha256 "$hex64"
raw_sha256=
if get raw_sha256; then field unit.json raw_sha256 "$hex64"; raw_sha256=${value//\"/}; fi
field unit.json raw_size "$integer"; raw_size=$value
field unit.json span "\[$integer,$integer\]"; span=${value:1:$((${#value} - 2))}
field unit.json first "$integer"; first=$value
field unit.json records "$integer"; records=$value
field unit.json kept "$integer"; total=$value
field unit.json rejected "$integer"; total=$((total + value))
field unit.json out_of_scope '\{("[a-z0-9_]+":'"$integer"'(,"[a-z0-9_]+":'"$integer"')*)?\}'
printf %s "$value" > "$work/counts"
json fields "$work/counts" > "$work/counted" || fail "unit.json: out_of_scope names a reason twice"
while IFS= read -r _ && IFS= read -r count; do total=$((total + count)); done < "$work/counted"
field unit.json lines "$integer"; lines=$value
field unit.json root "$hex64"; unit_root=${value//\"/}
braced unit.json gaps '[' ']'
field unit.json rebuild '"(exact|cut|no)"'; rebuild=${value//\"/}
raw_form=
if get raw_form; then field unit.json raw_form '"api"'; raw_form=api; fi
for one in source_metadata messages rejection; do braced unit.json $one '{' '}'; done
text_of unit.json unit; unit=$value
short=$(printf %s "$unit" | hash | hexes)
[ "$unit_u" = "\"${short:0:16}\"" ] || fail "unit.json: u does not match the unit's name"
[ "$part" -ge 1 ] && [ "$part" -le "$parts" ] || fail "unit.json: part is not one of parts"
[ "${span%,*}" -le "${span#*,}" ] && [ "${span#*,}" -le "$raw_size" ] || fail "unit.json: the span is outside the unit"
[ "$records" = "$total" ] || fail "unit.json: the counts do not add up"
[ "$kind" = records ] || [ "$records" = 0 ] || fail "unit.json counts records, but holds none"
if [ "$kind" = rejection ]; then
  [ -z "$raw_sha256" ] || fail "unit.json: a rejection with raw_sha256"
else
  [ -n "$raw_sha256" ] || fail "unit.json: raw_sha256 is missing"
fi
[ "$record_u" = "$unit_u" ] || fail "record.json belongs to another unit"
case $kind:$form in
  records:kept | records:rejected | records:out_of_scope | companion:companion | rejection:rejected) ;;
  *) fail "record.json is of a different kind than its unit" ;;
esac
leads_to record "$unit_root"
[ "$size" = "$lines" ] || fail "the unit has a different number of lines"
place=$((record_index - first))
[ "$place" -ge 0 ] && [ "$index" -le "$place" ] || fail "record.json is not at its place"
if [ "$kind" = records ]; then
  [ "$place" -lt "$records" ] || fail "the record's index is not in this part of the unit"
fi
if [ "$kind" != records ] || [ "$rebuild" = exact ]; then
  [ "$index" = "$place" ] || fail "record.json is not at its place"
fi

echo "2. The unit and the header are lines of the object's table, whose root the leaf states."
load header.json
ordered header.json 'k v source hour mapper settings codec units'
field header.json k '"hdr"'
field header.json v 1
field header.json source "$word"; source=${value//\"/}
field header.json hour '"([0-9]{10}|unknown)"'; hour=${value//\"/}
braced header.json mapper '{' '}'
braced header.json settings '{' '}'
field header.json units "$integer"; units=$value
text_of header.json codec
load leaf.json
ordered leaf.json 'k key vid at size( sha256)?( until)? md( flags)?'
field leaf.json k '"obj"'
field leaf.json at "$integer"
field leaf.json size "$integer"
optional leaf.json sha256 "$hex64"
optional leaf.json until "$integer"
flags=
if get flags; then field leaf.json flags '\["[a-z_]+"(,"[a-z_]+")*\]'; flags=$value; fi
braced leaf.json md '{' '}'
get md || fail "leaf.json has no user metadata"
printf %s "$value" > "$work/metadata"
json texts "$work/metadata" > /dev/null || fail "leaf.json: its user metadata are not all strings"
table_root=$(json member "$work/metadata" root) || fail "leaf.json states no root"
[[ $table_root =~ ^$hex64$ ]] || fail "leaf.json states no root"
text_of leaf.json vid
text_of leaf.json key; key=$value
[[ $key =~ ^ev/v1/$source/h=$hour/[0-9a-f]{64}\.ndjson\.zst$ ]] \
  || fail "leaf.json: its key is not one of an object with this header"
for name in unit header; do
  leads_to $name "${table_root//\"/}"
  [ "$size" = $((units + 1)) ] || fail "$name.json: the table has a different size"
  if [ $name = header ]; then
    [ "$index" = 0 ] || fail "the header is not the first line of the table"
  else
    [ "$index" != 0 ] || fail "the first line of the table is not a unit line"
  fi
done

echo "3. The leaf is in the log whose root the checkpoint states."
only leaf.tlog-proof '\n\040-\176\342\200\224'
[ "$(tail -c 1 leaf.tlog-proof | hexes)" = 0a ] || fail "leaf.tlog-proof does not end in a newline"
: > "$work/path"; : > "$work/signatures"
state=header index='' hashes=0 signatures=0 dash=$'\342\200\224'
while IFS= read -r line; do
  case $state in
    header) [ "$line" = c2sp.org/tlog-proof@v1 ] || fail "not a tlog-proof"; state=index ;;
    index)
      [[ $line =~ ^index\ $integer$ ]] || fail "leaf.tlog-proof: no index"
      index=${line#index } state=path ;;
    path)
      if [ -z "$line" ]; then state=origin; continue; fi
      [[ $line =~ ^$hash64$ ]] || fail "leaf.tlog-proof: not a hash"
      hashes=$((hashes + 1))
      printf '%s\n' "$line" >> "$work/path" ;;
    origin)
      [[ $line =~ ^$name_form/[0-9]{4}$ ]] || fail "leaf.tlog-proof: no origin"
      origin=$line state=size ;;
    size) [[ $line =~ ^$integer$ ]] || fail "leaf.tlog-proof: no size"; size=$line state=root ;;
    root) [[ $line =~ ^$hash64$ ]] || fail "leaf.tlog-proof: no root"; stated=$line state=gap ;;
    gap) [ -z "$line" ] || fail "a checkpoint has three lines"; state=signature ;;
    signature)
      [[ $line =~ ^$dash\ $name_form\ $base64$ ]] || fail "leaf.tlog-proof: not a signature line"
      signatures=$((signatures + 1))
      printf '%s\n' "${line#* }" >> "$work/signatures" ;;
  esac
done < leaf.tlog-proof
[ $state = signature ] && [ "$signatures" -ge 1 ] && [ "$signatures" -le 64 ] && [ "$hashes" -le 64 ] \
  || fail "leaf.tlog-proof is incomplete"
leaf=$(leaf_hash leaf.json)
climb "$leaf" "$index" "$size"
[ "$root" = "$stated" ] || fail "leaf.json leads to a different root"
say "   leaf $index of $size, root $root"

echo "4. The pinned key signed the checkpoint under the log's name."
[[ $1 =~ ^($name_form)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$ ]] || usage "not a verifier key"
name=${BASH_REMATCH[1]} key_id=${BASH_REMATCH[2]} encoded=${BASH_REMATCH[3]}
[[ $encoded =~ ^$base64$ ]] || usage "not a verifier key"
[ "${origin%/*}" = "$name" ] || fail "a checkpoint of $origin, not of $name"
printf '%s\n%s\n%s\n' "$origin" "$size" "$stated" > "$work/checkpoint.txt"
printf %s "$encoded" | unb64 > "$work/key"
type=$(head -c 1 "$work/key" | hexes)
id_of() {  # NAME: the id of the key in signature lines
  local digest
  if [ "$type" = 02 ]; then digest=$(tail -c +2 "$work/key" | hash | hexes)
  else digest=$({ printf '%s\n' "$1"; cat "$work/key"; } | hash | hexes); fi
  printf %s "${digest:0:8}"
}
case $type:$(size_of "$work/key") in
  01:33)
    { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c +2 "$work/key"; } > "$work/key.der"
    verify() { openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin -in "$work/checkpoint.txt" -sigfile "$1"; } ;;
  02:92)
    tail -c +2 "$work/key" > "$work/key.der"
    [ "$(head -c 27 "$work/key.der" | hexes)" = 3059301306072a8648ce3d020106082a8648ce3d03010703420004 ] \
      || usage "not a P-256 key"
    verify() { openssl dgst -sha256 -verify "$work/key.der" -keyform DER -signature "$1" "$work/checkpoint.txt"; } ;;
  *) usage "a key of an unsupported type or length" ;;
esac
[ "$(id_of "$name")" = "$key_id" ] || usage "the key has a wrong id"
own_id=$(id_of "$origin") by_key=0 ml_dsa=no
while IFS= read -r line; do
  [ "${line% *}" = "$origin" ] || continue
  printf %s "${line#* }" | unb64 > "$work/signed"
  [ "$(size_of "$work/signed")" = 2432 ] && ml_dsa=yes
  [ "$(head -c 4 "$work/signed" | hexes)" = "$own_id" ] || continue
  by_key=$((by_key + 1))
  tail -c +5 "$work/signed" > "$work/signature"
done < "$work/signatures"
[ $by_key != 0 ] || fail "the key did not sign this checkpoint"
[ $by_key = 1 ] || fail "two signatures by the key"
verify "$work/signature" > /dev/null 2>&1 || fail "the signature does not verify"
say "   $origin, size $size"
[ $ml_dsa = no ] || echo "   ML-DSA not checked: this script cannot check the cosignature"

for stamp in anchor-*.tsr; do
  is_there "$stamp" || continue
  plain "$stamp" $mib
  say "5. $stamp: a time-stamping authority saw the checkpoint."
  if [ -z "${2:-}" ]; then echo "   not checked: give its root certificates as the second argument"; continue; fi
  openssl ts -verify -in "$stamp" -data "$work/checkpoint.txt" -CAfile "$2" > /dev/null 2>&1 \
    || fail "$stamp is not a time stamp of this checkpoint under these roots"
  openssl ts -reply -in "$stamp" -text 2> /dev/null | sed -n 's/^Time stamp:/   verified:/p' | tr -c '\n -~' '?'
done

provider=no
for one in provider-digest.json provider-signature.bin provider-key.der provider-file.json; do
  if is_there $one; then provider=yes; fi
done
if [ $provider = yes ]; then
  echo "6. The provider names the delivered file in a document of its own."
  plain provider-digest.json $((16 * mib)); plain provider-signature.bin 8192
  [ "$source" = aws_cloudtrail ] && [ "$kind" = records ] || fail "the record's file is not one its provider signs"
  without provider-digest.json '\000-\010\013\014\016-\037'
  digest() { json member provider-digest.json "$1" 1 > "$work/member" || fail "the digest states no $1"; }
  foreign() { digest "$1"; value=$(json foreign "$work/member" && printf x) || fail "$1 is not a string"; value=${value%x}; }
  foreign digestSignatureAlgorithm
  [ "$value" = SHA256withRSA ] || fail "the digest is not signed with SHA256withRSA"
  foreign digestPublicKeyFingerprint; fingerprint=$value
  foreign digestEndTime; ends=$value
  foreign digestS3Bucket; bucket=$value
  foreign digestS3Object; object=$value
  digest previousDigestSignature
  if [ "$(cat "$work/member")" = null ]; then previous=null; else foreign previousDigestSignature; previous=$value; fi
  own=$(openssl dgst -sha256 -binary provider-digest.json | hexes)
  printf '%s\n%s/%s\n%s\n%s' "$ends" "$bucket" "$object" "$own" "$previous" > "$work/signed"
  digest logFiles
  json elements "$work/member" "" 1 > "$work/elements" || fail "the digest lists no files"
  named=no
  grep -aF -- "$raw_sha256" "$work/elements" > "$work/candidates" || fail "the digest names no file with this hash"
  while IFS= read -r line; do
    printf %s "$line" > "$work/element"
    json names "$work/element" "" 1 > /dev/null || fail "the digest names a file in another form"
    file() { json member "$work/element" "$1" 1 > "$work/member" || fail "a file in the digest lacks $1"; }
    file hashValue
    [ "$(cat "$work/member")" = "\"$raw_sha256\"" ] || continue
    file s3Bucket; place=$(json foreign "$work/member" && printf x) || fail "s3Bucket is not a string"
    place=${place%x}/
    file s3Object; object=$(json foreign "$work/member" && printf x) || fail "s3Object is not a string"
    place=$place${object%x}
    file hashAlgorithm
    [ "$(cat "$work/member")" = '"SHA-256"' ] || continue
    case $unit in *@*) [ "${unit%@*}" = "$place" ] || continue ;; *) continue ;; esac
    named=yes
    break
  done < "$work/candidates"
  [ $named = yes ] || fail "the digest does not name this file with this hash"
  say "   it names SHA-256 $raw_sha256"
  if is_there provider-key.der; then
    plain provider-key.der 8192
    der=$(hexes < provider-key.der)
    [[ $der =~ ^3082([0-9a-f]{4})0282(0101|0181|0201)00[89a-f][0-9a-f]*0203010001$ ]] \
      || fail "provider-key.der is not an RSA key of 2048, 3072 or 4096 bits and e = 65537"
    bytes=$((${#der} / 2)) modulus=$((16#${BASH_REMATCH[2]} - 1))
    [ $((16#${BASH_REMATCH[1]})) = $((bytes - 4)) ] && [ $bytes = $((modulus + 14)) ] \
      || fail "provider-key.der does not have the length it states"
    [ "$(size_of provider-signature.bin)" = $modulus ] || fail "the provider's signature has a wrong length"
    openssl rsa -RSAPublicKey_in -inform DER -in provider-key.der -pubout -out "$work/provider.pem" 2> /dev/null \
      || fail "provider-key.der is not a key"
    openssl dgst -sha256 -verify "$work/provider.pem" -signature provider-signature.bin \
      "$work/signed" > /dev/null 2>&1 || fail "the provider's signature does not verify"
    say "   signed by provider-key.der, SHA-256 $(openssl dgst -sha256 -binary provider-key.der | hexes)"
    echo "   not shown: that this key is the provider's; compare its bytes with those the provider"
    say "   publishes for the fingerprint the document states, $fingerprint"
  else
    echo "   not shown: who signed it; the provider's public key is not in the bundle"
  fi
  if is_there provider-file.json; then
    plain provider-file.json $((64 * mib))
    [ "$(openssl dgst -sha256 -binary provider-file.json | hexes)" = "$raw_sha256" ] \
      || fail "provider-file.json has a wrong hash"
    without provider-file.json '\000-\010\013\014\016-\037'
    list=$(json names provider-file.json "" 1) || fail "provider-file.json is not a file of CloudTrail"
    [ "$list" = Records ] || fail "provider-file.json is not a file of CloudTrail"
    json member provider-file.json Records 1 > "$work/records" || fail "provider-file.json: no records"
    json element "$work/records" "$record_index" 1 > "$work/record" || fail "provider-file.json: no such record"
    cmp -s "$work/record" raw.txt || fail "raw.txt is not in provider-file.json at its index"
    say "   raw.txt is in the delivered file, as record $record_index"
  else
    echo "   not shown: that raw.txt is in the delivered file"
  fi
fi

[ -z "$flags" ] || say "flags of the object: $flags (docs/evidence-format.md)"
case $flags in *key_hash* | *shadow*) echo "an object with such a flag is never counted" ;; esac
[ -z "$raw_form" ] || echo "the text is as listed by the source's API, not as delivered by its log"
[ $is_cut = no ] || echo "fields were removed from the text before it was written"
case $form in
  kept) place=record ;;
  rejected) place='record that could not be mapped, kept as received,' ;;
  out_of_scope) place='record that is out of scope, kept as received,' ;;
  *) place=$form ;;
esac
say "HOLDS raw.txt ($place $record_index of $unit) was sealed in $origin when its size was $size"
