#!/bin/bash
# The same check with openssl and coreutils alone, step by step.
#   bash walkthrough.sh 'NAME+ID+KEY' [ROOTS.pem]     in the folder the bundle was unpacked to
# The key must come to you by another way than the bundle. ROOTS.pem: root certificates of the
# time-stamping authority you trust, if the bundle holds a time stamp. OpenSSL 3.0 or newer.
set -euo pipefail

fail() { echo "NOT SHOWN: $1" >&2; exit 1; }
hash() { openssl dgst -sha256 -binary; }                        # bytes in, 32 bytes out
b64() { openssl base64 -A; }
unb64() { openssl base64 -d -A; }
leaf_hash() { { printf '\000'; cat "$1"; } | hash | b64; }      # SHA-256(0x00 || entry)
node_hash() { { printf '\001'; printf %s "$1" | unb64; printf %s "$2" | unb64; } | hash | b64; }

# RFC 9162 section 2.1.3.2: leaf hash, index, size, then the path on standard input.
climb() {
  local found=$1 number=$2 last=$(($3 - 1)) sibling
  while read -r sibling; do
    [ "$last" -gt 0 ] || fail "a path is too long"
    if [ $((number & 1)) = 1 ] || [ "$number" = "$last" ]; then
      found=$(node_hash "$sibling" "$found")
      while [ $((number & 1)) = 0 ] && [ "$number" != 0 ]; do
        number=$((number >> 1)) last=$((last >> 1))
      done
    else
      found=$(node_hash "$found" "$sibling")
    fi
    number=$((number >> 1)) last=$((last >> 1))
  done
  [ "$last" = 0 ] || fail "a path is too short"
  printf %s "$found"
}

echo "1. The line and the header are in the object whose record root the leaf states."
stated=$(sed -n 's/.*"record-root":"\([0-9a-f]*\)".*/\1/p' leaf.json)
for name in record header; do
  { read -r index; read -r size
    root=$(climb "$(leaf_hash $name.json)" "$index" "$size")
  } < $name-path.txt
  found=$(printf %s "$root" | unb64 | od -An -v -tx1 | tr -d ' \n')
  [ "$found" = "$stated" ] || fail "$name.json leads to $found, the leaf states $stated"
  echo "   $name.json: line $index of $size, root $found"
done

echo "2. The leaf is in the log whose root the checkpoint states."
index=$(sed -n '2s/^index //p' leaf.tlog-proof)
gap=$(grep -n -m1 '^$' leaf.tlog-proof | cut -d: -f1)
tail -n +$((gap + 1)) leaf.tlog-proof > checkpoint.note
size=$(sed -n 2p checkpoint.note)
root=$(sed -n "3,$((gap - 1))p" leaf.tlog-proof | climb "$(leaf_hash leaf.json)" "$index" "$size")
[ "$root" = "$(sed -n 3p checkpoint.note)" ] || fail "leaf.json leads to another root"
echo "   leaf $index of $size, root $root"

echo "3. The pinned key signed the checkpoint under the log's name."
name=${1%%+*} key=${1#*+*+}
origin=$(sed -n 1p checkpoint.note)
[ "${origin%/*}" = "$name" ] || fail "a checkpoint of $origin, not of $name"
head -n 3 checkpoint.note > checkpoint.txt
type=$(printf %s "$key" | unb64 | head -c 1 | od -An -tu1 | tr -d ' ')
case $type in
  1) { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; printf %s "$key" | unb64 | tail -c +2; } > key.der
     verify() { openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in checkpoint.txt -sigfile "$1"; } ;;
  2) printf %s "$key" | unb64 | tail -c +2 > key.der
     verify() { openssl dgst -sha256 -verify key.der -keyform DER -signature "$1" checkpoint.txt; } ;;
  *) fail "a key of type $type signs no log" ;;
esac
held=no
while read -r _ signer signature; do
  [ "$signer" = "$origin" ] || continue
  printf %s "$signature" | unb64 | tail -c +5 > signature.bin
  if verify signature.bin > /dev/null 2>&1; then held=yes; fi
done < <(tail -n +5 checkpoint.note)
[ $held = yes ] || fail "no signature by the key verifies"
echo "   $origin, size $size"

echo "4. raw.txt is what the record's line states the hash of."
raw=$(openssl dgst -sha256 -r raw.txt | cut -d' ' -f1)
if grep -q '"n":' record.json; then
  grep -q "\"raw_data_hash\":{[^}]*\"value\":\"$raw\"" record.json || fail "raw.txt has another hash"
  echo "   SHA-256 $raw"
else
  echo "   a rejected record: compare raw.txt with 'r' (or the base64 in 'r64') of record.json"
fi

for stamp in anchor-*.tsr; do
  [ -e "$stamp" ] || continue
  echo "5. $stamp: a time-stamping authority saw the checkpoint."
  openssl ts -reply -in "$stamp" -text 2> /dev/null | sed -n 's/^Time stamp:/  /p'
  if [ -z "${2:-}" ]; then echo "   not checked: give its root certificates as second argument"; continue; fi
  openssl ts -verify -in "$stamp" -data checkpoint.txt -CAfile "$2" > /dev/null 2>&1 \
    || fail "$stamp is no time stamp of this checkpoint by these roots"
  echo "   verified"
done

if [ -e provider-document ]; then
  echo "6. The provider signed a document that names the file the record came in."
  file=$(sed -n 's/.*"raw_sha256":"\([0-9a-f]*\)".*/\1/p' header.json)
  gzip -dc provider-document > document.json 2> /dev/null || cp provider-document document.json
  grep -qi "$file" document.json || fail "the document names no file of this hash"
  grep -q "^$(openssl dgst -sha256 -r document.json | cut -d' ' -f1)\$" provider-signed.txt \
    || fail "the signed text states another hash than the document's"
  echo "   it names SHA-256 $file"
  if [ -e provider-key.der ]; then
    openssl rsa -RSAPublicKey_in -inform DER -in provider-key.der -pubout -out provider-key.pem 2> /dev/null
    openssl dgst -sha256 -verify provider-key.pem -signature provider-signature.bin \
      provider-signed.txt > /dev/null || fail "the provider's signature does not verify"
    echo "   signed by provider-key.der: compare it with what the provider publishes"
  else
    echo "   not checked: who signed it; the provider's public key is not in the bundle"
  fi
fi
echo "holds: raw.txt was sealed in $origin when its size was $size"
