#!/usr/bin/env bash
# Gives a substitute what its predecessor had: an EBS volume, mounted, and an Elastic IP address, both found by one tag.
# It runs once a boot, from the unit that user data installs; what it already has, it keeps, so that it may run again.
#
#   attach.sh volume          attach a free volume of this zone and mount it
#   attach.sh address         associate a free address
#   attach.sh volume address  both; each is tried whatever became of the other
#
# It ends with 0 only if everything asked for is there.

set -euo pipefail

TAG_KEY=${TAG_KEY:-AttachTo}                # tag that marks the volumes and addresses meant for this group
TAG_VALUE=${TAG_VALUE:?the value of the tag $TAG_KEY}
MOUNT_POINT=${MOUNT_POINT:-/data}
DEVICE_NAME=${DEVICE_NAME:-/dev/sdf}        # a name EC2 wants; Nitro instances show the volume under another one
TRIES=${TRIES:-60}                          # a dying instance keeps its volume for two minutes of notice and its shutdown
PAUSE=${PAUSE:-5}                           # seconds between two tries: 60 x 5 s are five minutes

METADATA=http://169.254.169.254/latest

export AWS_MAX_ATTEMPTS=3 AWS_PAGER=''

log() { echo "attach: $*" >&2; }

# Runs a command until it succeeds or the tries are used up. A status of 3 says that trying again cannot help.
again() {
    local try status
    for ((try = 1; try <= TRIES; try++)); do
        status=0
        "$@" || status=$?
        case $status in
            0) return 0 ;;
            3) return 1 ;;
        esac
        if ((try < TRIES)); then sleep "$PAUSE"; fi
    done
    log "gave up on '$*' after $TRIES tries"
    return 1
}

new_token() {
    TOKEN=$(curl -sf --max-time 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$METADATA/api/token") &&
        [[ -n $TOKEN ]]
}

metadata() { curl -sf --max-time 2 -H "X-aws-ec2-metadata-token: $TOKEN" "$METADATA/meta-data/$1"; }

# Who and where we are. The metadata service refuses a token now and then while an instance starts.
read_identity() {
    new_token || return 1
    INSTANCE=$(metadata instance-id) || return 1
    ZONE=$(metadata placement/availability-zone) || return 1
    AWS_DEFAULT_REGION=$(metadata placement/region) || return 1
    export AWS_DEFAULT_REGION
}

# The ids that a describe call answers, one a line. A call that fails is no empty answer.
ids() {
    local answer
    answer=$(aws ec2 "$@" --output text) || return 1
    tr '\t' '\n' <<<"$answer" | sed -e '/^$/d' -e '/^None$/d'
}

volumes() {
    ids describe-volumes --query 'Volumes[].VolumeId' \
        --filters "Name=tag:$TAG_KEY,Values=$TAG_VALUE" "Name=availability-zone,Values=$ZONE" "$@"
}

# One try. Another instance that boots may take the same volume first: EC2 lets one of the two have it, and refuses the
# other, which goes on to the next volume. A volume of an instance that is still dying is waited for.
take_volume() {
    local mine free all volume
    mine=$(volumes "Name=attachment.instance-id,Values=$INSTANCE") || return 1
    if [[ -n $mine ]]; then
        VOLUME=${mine%%$'\n'*}
        return 0
    fi
    free=$(volumes 'Name=status,Values=available') || return 1
    for volume in $free; do
        if aws ec2 attach-volume --volume-id "$volume" --instance-id "$INSTANCE" --device "$DEVICE_NAME" >/dev/null; then
            log "attached $volume"
            VOLUME=$volume
            return 0
        fi
        log "$volume could not be attached, probably somebody else has it now"
    done
    all=$(volumes) || return 1
    if [[ -z $all ]]; then
        log "no volume in $ZONE has the tag $TAG_KEY=$TAG_VALUE, and a volume of another zone cannot be attached"
        return 3
    fi
    log "all volumes in $ZONE are in use: $(tr '\n' ' ' <<<"$all")"
    return 1
}

# On Nitro the device is /dev/nvme<n>n1, in an order nobody promises; its serial number is the volume's id without the
# hyphen. Older instances have no serial number and use the asked-for name, or xvd instead of sd.
find_device() {
    local name serial
    while read -r name serial; do
        if [[ $serial == "${VOLUME/-/}" ]]; then
            DEVICE=/dev/$name
            return 0
        fi
    done < <(lsblk --nodeps --noheadings --output NAME,SERIAL)
    for name in "$DEVICE_NAME" "${DEVICE_NAME/sd/xvd}"; do
        if [[ -b $name ]]; then
            DEVICE=$name
            return 0
        fi
    done
    return 1
}

# A filesystem is made only where blkid says that it found nothing at all (status 2). Whatever else it says, "ambiguous"
# or "cannot read" for instance, may be somebody's data. mkfs.xfs without -f would refuse to overwrite one, too.
ensure_filesystem() {
    local found status=0
    found=$(blkid --probe "$DEVICE") || status=$?
    if ((status == 0)); then return 0; fi
    if ((status != 2)) || [[ -n $found ]]; then
        log "$DEVICE ($VOLUME) is neither empty nor understood (blkid: $status); left alone"
        return 1
    fi
    if (($(lsblk --noheadings --output NAME "$DEVICE" | wc -l) != 1)); then
        log "$DEVICE ($VOLUME) has partitions; left alone"
        return 1
    fi
    log "$VOLUME has no filesystem: making one"
    mkfs.xfs -q "$DEVICE"
}

# Mounting something over what is there already would hide it, so that is left alone unless it is our own device.
mount_device() {
    mkdir -p "$MOUNT_POINT" || return 1
    if mountpoint -q "$MOUNT_POINT"; then
        [[ $(findmnt --noheadings --output SOURCE --mountpoint "$MOUNT_POINT") == "$DEVICE" ]] && return 0
        log "something else is mounted on $MOUNT_POINT"
        return 1
    fi
    mount "$DEVICE" "$MOUNT_POINT" || return 1
    log "mounted $VOLUME ($DEVICE) on $MOUNT_POINT"
}

attach_volume() {
    again take_volume && again find_device && ensure_filesystem && mount_device
}

# The same race as for volumes; --no-allow-reassociation is what makes EC2 refuse the second of two.
take_address() {
    local mine free all allocation
    local tag="Name=tag:$TAG_KEY,Values=$TAG_VALUE"
    mine=$(ids describe-addresses --query 'Addresses[].AllocationId' --filters "$tag" "Name=instance-id,Values=$INSTANCE") || return 1
    if [[ -n $mine ]]; then return 0; fi
    free=$(ids describe-addresses --query 'Addresses[?AssociationId==null].AllocationId' --filters "$tag") || return 1
    for allocation in $free; do
        if aws ec2 associate-address --allocation-id "$allocation" --instance-id "$INSTANCE" --no-allow-reassociation >/dev/null; then
            log "associated $allocation"
            return 0
        fi
        log "$allocation could not be associated, probably somebody else has it now"
    done
    all=$(ids describe-addresses --query 'Addresses[].AllocationId' --filters "$tag") || return 1
    if [[ -z $all ]]; then
        log "no address has the tag $TAG_KEY=$TAG_VALUE"
        return 3
    fi
    log "all addresses are in use: $(tr '\n' ' ' <<<"$all")"
    return 1
}

main() {
    local what failed=0
    (($# > 0)) || { log "say what to attach: volume, address or both"; return 64; }
    again read_identity || { log "the instance metadata service does not answer"; return 1; }
    for what in "$@"; do
        case $what in
            volume) attach_volume || { log "FAILED: no volume on $MOUNT_POINT"; failed=1; } ;;
            address) again take_address || { log "FAILED: no address"; failed=1; } ;;
            *) log "unknown: $what"; return 64 ;;
        esac
    done
    return $failed
}

main "$@"
