# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# ./vfio demo: a guest under QEMU uses two mediated devices, and both sides tell what they see.
. "$scripts/runtime.sh"
. "$scripts/checks.sh"

vf=0000:3b:02.0
igd=0000:00:02.0
guest=$root/cnf/guest

# Where the guest finds the devices.
vf_slot=4
igd_slot=5

# Where in BAR 0 of the VF the guest waits for the host; reserved space behind the transmit tails.
gate=0x1ff0

vfio_demo() {
    [ $# -eq 0 ] || wrong_call "arguments=$* expected=none"
    find_jdk
    build_if_needed
    step 'getting a guest'
    get_guest
    make_instance
    # Whatever ends the demo ends the guest and the runtime.
    trap 'end_demo' EXIT
    trap 'exit 143' TERM HUP
    trap 'exit 130' INT
    step 'starting the runtime'
    serve_devices
    step 'booting a guest under QEMU with both devices'
    boot_guest
    tell_identity
    tell_registers
    tell_memory
    tell_config
    tell_swap
    tell_interrupt
    tell_end
    summary
}

summary() {
    printf 'demo: %d checks passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}

no_guest_run() {
    printf 'no guest was run: %s\n' "$*"
    exit 2
}

get_guest() {
    local last
    last=$(set -o pipefail && "$guest/fetch" 2>&1 | tee /dev/stderr | tail -n 1) || no_guest_run "${last#no guest can be had: }"
}

serve_devices() {
    vf_socket=$instance/vf.sock
    igd_socket=$instance/igd.sock
    hold_open
    start_runtime -Dvfio.until.eof=true -Dgosh.args=--nointeractive -Dvfio.control="$instance/control" -Dvfio.control.required=true \
        -Dvfio.serve="$vf"$'\n'"$vf_socket"$'\n'"$igd"$'\n'"$igd_socket"$'\n' <&7 >"$instance/runtime.out" 2>"$instance/runtime.err" 7<&- 8>&- &
    runtime=$!
    exec 7<&-
    await_lines 2 '^serving ' "$instance/runtime.out" "$runtime" || {
        cat "$instance/runtime.err" >&2
        fail 3 'the runtime did not serve both devices'
    }
    sed -n 's/^serving/demo: serving/p' "$instance/runtime.out"
}

# Waits until a file has that many lines that match; not longer than the process lives, nor than a minute.
await_lines() { # COUNT PATTERN FILE PROCESS
    for _ in $(seq 600); do
        [ "$(grep -c -- "$2" "$3" 2>/dev/null)" -lt "$1" ] || return 0
        kill -0 "$4" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

boot_guest() {
    "$guest/initramfs" "$instance/initrd" -m vfio-pci -m vfio_iommu_type1 "$scripts/demo-guest" ||
        no_guest_run 'the initramfs could not be packed'
    mkfifo -m 600 -- "$instance/console"
    "$guest/boot" --iommu --append "vf=0000:00:0$vf_slot.0 igd=0000:00:0$igd_slot.0 gate=$gate limit=600" \
        "$vf_socket@$vf_slot" "$igd_socket@$igd_slot" -- "$instance/initrd" >"$instance/console" 2>"$instance/qemu.err" 8>&- &
    qemu=$!
    exec 6<"$instance/console"
    if ! await_guest 'demo: booted' 180; then
        cat "$instance/qemu.err" >&2
        check 'the guest boots' yes no
        summary
    fi
}

tell_identity() {
    step 'ids and sizes, as the guest has them in its sysfs'
    local name address id
    for name in vf igd; do
        address=${!name}
        await_guest "demo: $name ids" 60 || true
        check "$name: vendor and device" "$(host "vfio:device $address" | cell id)" "$(said "demo: $name ids ")"
        await_guest "demo: $name bars" 60 || true
        check "$name: BARs" "$(host "vfio:device $address" | awk '/^bar/ { printf "%s%s=%s", sep, $1, $2; sep = " " }')" \
            "$(said "demo: $name bars ")"
    done
}

tell_registers() {
    step 'a trapped register'
    local before after
    before=$(accesses "$vf")
    go 1
    await_guest 'demo: rstat ' 60 || true
    after=$(accesses "$vf")
    check 'VFGEN_RSTAT, read by guest and host' "$(host "vfio:read $vf bar0 0x8800 4")" "$(said 'demo: rstat ')"
    check 'VFGEN_RSTAT is VFACTIVE' 0x00000002 "$(said 'demo: rstat ')"
    check 'the read came to the host' yes "$(greater "$after" "$before")"
    await_guest 'demo: wrote base ' 60 || true
    check 'VF_ATQBAL1, as the device has it' "$(said 'demo: wrote base ')" "$(host "sim:peek $vf 0 0x7c00 4")"
}

tell_memory() {
    step 'mapped pages: both sides see the same memory, and no access comes to the host'
    local name address bar offset before
    for name in vf igd; do
        address=${!name}
        case $name in
            vf) bar=0 offset=0x1000 ;;
            igd) bar=2 offset=0x100000 ;;
        esac
        await_guest "demo: $name wrote page" 60 || true
        check "$name: what the guest wrote" "$(said "demo: $name wrote page ")" "$(host "sim:peek $address $bar $offset 4")"
        before=$(accesses "$address")
        host "sim:poke $address $bar $((offset + 4)) 4 0x600d0002" >/dev/null
        await_guest "demo: $name read page" 60 || true
        check "$name: what the device wrote" "$(host "sim:peek $address $bar $((offset + 4)) 4")" "$(said "demo: $name read page ")"
        check "$name: accesses that came to the host meanwhile" 0 "$(minus "$(accesses "$address")" "$before")"
    done
}

tell_config() {
    step 'config writes: only what may be written changes'
    await_guest 'demo: command ' 60 || true
    check 'command register' "$(host "vfio:read $vf config 4 2")" "$(said 'demo: command ')"
    await_guest 'demo: ids after write ' 60 || true
    check 'vendor and device after a write' "$(host "vfio:read $vf config 0 4")" "$(said 'demo: ids after write ')"
}

tell_swap() {
    step 'mediator.i40e is uninstalled and installed while the guest reads'
    local bundle mediated passed_through
    await_reads
    mediated=$(counter "$vf" mediated)
    await_reads
    check 'reads are mediated' yes "$(greater "$(minus "$(counter "$vf" mediated)" "$mediated")" 0)"
    bundle=$(i40e 4)
    host "uninstall ${bundle:-0}" >/dev/null
    mediated=$(counter "$vf" mediated) passed_through=$(counter "$vf" passedThrough)
    await_reads
    check 'reads mediated since it went' 0 "$(minus "$(counter "$vf" mediated)" "$mediated")"
    check 'reads are passed through' yes "$(greater "$(minus "$(counter "$vf" passedThrough)" "$passed_through")" 0)"
    bundle=$(host "install file:$home/bundle/mediator.i40e.jar" | sed -n 's/^Bundle ID: //p')
    host "start ${bundle:-0}" >/dev/null
    check 'the mediator is back' i40e "$(i40e 1)"
    await_reads
    go 2
    await_guest '^mmio: end: ' 60 || true
    check 'wrong values in the whole loop' 0 "$(said 'mmio: end: ' | sed 's/.* accesses, \([0-9]*\) wrong.*/\1/')"
    check 'at least 500 reads a second' yes "$(greater "$(said 'mmio: end: ' | sed 's/.* wrong, \([0-9]*\)\/s.*/\1/')" 499)"
    note_line "$(said 'mmio: end: ')"
}

# A word of the mediator's line: 1 is its name, 4 the number of its bundle, 7 how many devices it accepted.
i40e() { host 'vfio:mediators' | awk -v word="$1" '$1 == "i40e" { print $word }'; }

# Waits until the guest has told twice how its loop goes: the first time it may tell of the time before.
await_reads() {
    await_guest '^mmio: [0-9]* accesses' 60 || true
    await_guest '^mmio: [0-9]* accesses' 60 || true
}

tell_interrupt() {
    step 'an MSI-X interrupt'
    local before
    await_guest 'msix: armed ' 60 || true
    check 'vectors' "$(host "vfio:device $vf" | awk '$1 == "msix" { print $2 }')" "$(said 'msix: armed ')"
    before=$(counter "$vf" interrupts)
    host "sim:interrupt $vf 1" >/dev/null
    await_guest 'msix: vector 1 ' 60 || true
    check 'vector 1, as the guest took it' 'arrived 1' "$(said 'msix: vector 1 ')"
    check 'interrupts, as the host counts' 1 "$(minus "$(counter "$vf" interrupts)" "$before")"
}

tell_end() {
    step 'power-off'
    await_guest 'guest: exit ' 60 || true
    check 'exit code of the guest' 0 "$(said 'guest: exit ')"
    qemu_code=0
    wait "$qemu" || qemu_code=$?
    check 'exit code of QEMU' 0 "$qemu_code"
    step 'a new client gets the mediator that was installed'
    check 'devices it accepted' 0 "$(i40e 7)"
    check 'VFGEN_RSTAT, read anew' 0x00000002 "$(host "vfio:read $vf bar0 0x8800 4")"
    check 'devices it accepted' 1 "$(i40e 7)"
    check 'reads are mediated again' 1 "$(counter "$vf" mediated)"
    kill -TERM "$runtime"
    wait "$runtime" || true
    check 'sockets left' 0 "$(find "$instance" -name '*.sock' | wc -l)"
}

end_demo() {
    code=$?
    trap '' TERM INT HUP
    [ -z "${qemu-}" ] || kill "$qemu" 2>/dev/null || true
    [ -z "${runtime-}" ] || kill "$runtime" 2>/dev/null || true
    wait
    if [ "$code" -ne 0 ] && [ -s "$instance/guest.log" ]; then
        cp -- "$instance/guest.log" "$root/cnf/target/demo-guest.log"
        cat "$instance/runtime.out" "$instance/runtime.err" "$instance/qemu.err" >"$root/cnf/target/demo-host.log" 2>/dev/null || true
        note 'what the guest and the host said is in cnf/target/demo-guest.log and demo-host.log'
    fi
    rm -rf -- "$instance"
    exit "$code"
}
