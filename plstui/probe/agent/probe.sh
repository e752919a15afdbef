# plstui fetches a page from some addresses, and changes nothing in this machine.
# One line of JSON for each target and one at the end, all with the nonce. An attempt is a letter and what belongs to it:
#   k,CONNECT,FIRST,HOST  the page           p,CONNECT,FIRST,TEXT  another page      s,CONNECT,FIRST,STATUS  no page
#   l,CONNECT,FIRST  TLS on a plain port     n,CONNECT,FIRST  not HTTP               b  far too long
#   r  refused   u  no route   d  no such name   t,CONNECT,FIRST  too late   z,CONNECT,FIRST  cut off   eNUMBER  other
# with the microseconds until the connection stood and until the first byte came.
d=$(mktemp -d) || exit 1
trap 'rm -rf "$d"' EXIT
export d nonce connect total count room
if ! command -v curl >/dev/null; then
  if command -v python3 >/dev/null; then
    cat >"$d/fallback.py" <<'END_OF_PYTHON'
#PYTHON#
END_OF_PYTHON
    python3 "$d/fallback.py" "$nonce" "$connect" "$total" "$count" "$room" "$targets"
  else
    echo "{\"n\":\"$nonce\",\"without\":\"curl and python3\"}"
  fi
  rm -rf "$d"
  exit 0
fi
# One attempt: address, port, file for the outcome.
cat >"$d/attempt" <<'END'
ulimit -f 128
h=$1
echo "$h" | grep -q : && h="[$h]"
# No settings of root's own, which only count as left out when this comes first.
o=$(curl -q -s -v -g --noproxy '*' --connect-timeout "$connect" --max-time "$total" -A plstui -H 'Connection: close' \
  -o "$3.body" -w '%{http_code} %{time_connect},%{time_starttransfer}' "http://$h:$2/" 2>"$3.log")
r=$?
s=$(echo "$o" | cut -d' ' -f1)
t=$(echo "$o" | cut -d' ' -f2 | tr -d .)
b=
[ -f "$3.body" ] && b=$(head -c 200 "$3.body" | tr '\n' '|' | tr -c 'A-Za-z0-9 ._:|-' '?' | cut -c1-70)
if [ $r = 0 ] && [ "$s" = 200 ]; then
  if echo "$b" | grep -q '^Host: [A-Za-z0-9._-]*|*$'; then
    a="k,$t,$(echo "$b" | cut -d' ' -f2 | tr -d '|')"
  else
    a="p,$t,$(echo "$b" | cut -c1-40)"
  fi
elif [ $r = 0 ] && [ "$s" = 000 ]; then
  a="n,$t"
elif [ $r = 0 ]; then
  a="s,$t,$s"
  [ "$s" = 400 ] && grep -q -i 'HTTPS port\|HTTPS server\|SSL-enabled' "$3.body" && a="l,$t"
elif [ $r = 1 ] || [ $r = 8 ]; then
  a="n,$t"
elif [ $r = 6 ]; then
  a=d
elif [ $r = 7 ]; then
  a=r
  grep -q -i 'no route\|unreachable' "$3.log" && a=u
elif [ $r = 28 ]; then
  a="t,$t"
elif [ $r = 18 ] || [ $r = 52 ] || [ $r = 55 ] || [ $r = 56 ]; then
  a="z,$t"
elif [ $r = 23 ] || [ $r -gt 128 ]; then
  a=b
else
  a="e$r"
fi
echo "$a" >"$3"
END
# All attempts at one target: number, address, port. Once one came too late the others are made at the same time.
cat >"$d/target" <<'END'
i=0
late=
while [ $i -lt "$count" ]; do
  i=$((i + 1))
  if [ -n "$late" ]; then
    sh "$d/attempt" "$2" "$3" "$d/$1.$i" 2>/dev/null &
  else
    sh "$d/attempt" "$2" "$3" "$d/$1.$i" 2>/dev/null
    [ "$(head -c 1 "$d/$1.$i")" = t ] && late=1
  fi
done
wait
q=$(getent ahostsv4 "$2" | head -n 1 | cut -d' ' -f1)
i=0
a=
while [ $i -lt "$count" ] && [ ${#a} -lt "$room" ]; do
  i=$((i + 1))
  a="$a$(cat "$d/$1.$i");"
done
echo "{\"n\":\"$nonce\",\"t\":$1,\"q\":\"$q\",\"a\":\"$a\"}"
END
for target in $targets; do
  sh "$d/target" $(echo "$target" | tr , ' ') &
done
wait
rm -rf "$d"
echo "{\"n\":\"$nonce\",\"end\":1}"
