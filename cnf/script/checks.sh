# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# What the demo asks host and guest, and how it compares their answers.

passed=0 failed=0

step() { printf 'demo: %s\n' "$*"; }

note_line() { printf 'demo:        %s\n' "$*"; }

check() { # WHAT EXPECTED FOUND
    if [ -n "$3" ] && [ "$2" = "$3" ]; then
        passed=$((passed + 1))
        printf 'demo:   ok   %s: %s\n' "$1" "$3"
    else
        failed=$((failed + 1))
        printf 'demo: FAILED %s: found=%s expected=%s\n' "$1" "$3" "$2"
    fi
}

greater() { # ONE OTHER
    if [ "${1:-0}" -gt "$2" ]; then echo yes; else echo no; fi
}

minus() { # ONE OTHER
    if [ -n "$1" ] && [ -n "$2" ]; then echo $(($1 - $2)); else echo unknown; fi
}

# Lets the guest go on: it waits for this number in a page that is mapped, so that its waiting costs no access.
go() { host "sim:poke $vf 0 $gate 4 $1" >/dev/null; }

# Runs a command in the runtime.
host() { "$JAVA" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$client_jar" vfio.pci.shell.control.ControlClient "$1" "$instance/control"; }

# The value of a property or counter in a table of two columns.
cell() { awk -v name="$1" '$1 == name { print $2 }'; }

counter() { host "vfio:stats $1" | cell "$2"; }

# How many accesses of a client came to the host.
accesses() { host "vfio:stats $1" | awk '$1 == "mediated" || $1 == "passedThrough" { sum += $2 } END { print sum }'; }

# Reads on what the guest prints to a line that matches; not longer than that many seconds for it.
await_guest() { # PATTERN SECONDS
    local line deadline=$((SECONDS + $2))
    while [ "$SECONDS" -lt "$deadline" ] && IFS= read -r -t "$((deadline - SECONDS))" -u 6 line; do
        line=${line%$'\r'}
        printf '%s\n' "$line" >>"$instance/guest.log"
        if [[ $line =~ $1 ]]; then
            return 0
        fi
    done
    return 1
}

# What stood after this in the last line of the guest that has it.
said() { sed -n "s|^$1||p" "$instance/guest.log" | tail -n 1; }
