#!/usr/bin/env bash
# slurm_sweep_test.sh WSE: a Slurm of one node in a temporary folder (as root, without systemd) makes the runs of
# --scheduler slurm as a job array, and the sweep merges them.
set -euo pipefail
wse=$1
for program in munged slurmctld slurmd sbatch; do
  command -v "$program" >/dev/null || { echo "$program is not installed (slurm-wlm, munge)"; exit 1; }
done
((EUID == 0)) || { echo "needs to be root: slurmd starts jobs of other users"; exit 1; }

folder=$(mktemp -d)
chmod 755 "$folder"
started=()
stop() {
  local process
  for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
  wait || true
  rm -rf "$folder"
}
trap stop EXIT
fail() {
  echo "$*"
  tail -n 20 "$folder"/*.log
  exit 1
}
# until_true SECONDS COMMAND..: waits for it.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}
free_port() {
  local port
  for ((port = 20000 + RANDOM % 20000; ; port++)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# munge: a key and a socket of our own.
mkdir -m 700 "$folder/munge" "$folder/state" "$folder/spool"
head -c 1024 /dev/urandom >"$folder/munge/key"
chmod 400 "$folder/munge/key"
chmod 711 "$folder/munge"
munged --foreground --key-file "$folder/munge/key" --socket "$folder/munge/socket" --force \
  --pid-file "$folder/munge/pid" --log-file "$folder/munge.log" --seed-file "$folder/munge/seed" &>"$folder/munged.out.log" &
started+=($!)
until_true 10 test -S "$folder/munge/socket" || fail "munged did not start"

host=$(hostname -s)
controller=$(free_port)
node=$(free_port)
cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$controller
SlurmdPort=$node
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
CryptoType=crypto/munge
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 Port=$node CPUs=2 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$folder/slurm.conf
slurmctld -D -c >"$folder/slurmctld.out.log" 2>&1 &
started+=($!)
slurmd -D >"$folder/slurmd.out.log" 2>&1 &
started+=($!)
idle() { [[ $(sinfo -h -o %T) == idle ]]; }
until_true 60 idle || fail "the node did not come up: $(sinfo 2>&1)"

mkdir "$folder/work"
cd "$folder/work"
printf 'name: s\nmodel: tiny-gpt\nmachine: tiny\ngrid: {io.lanes: [1, 2, 3], tile.sram.size_bytes: [49152, 98304]}\n' >'a sweep.yaml'
"$wse" sweep 'a sweep.yaml' --scheduler slurm --jobs 2 --out results
sbatch --wait results/run.slurm.sh || fail "the array failed: $(cat results/slurm-*.log)"
merged=$("$wse" sweep 'a sweep.yaml' --out results)
echo "$merged"
[[ $merged == *'6 runs, 6 of them found complete'* ]] || fail "runs are missing"
[[ $(wc -l <results/sweep.csv) == 7 ]] || fail "sweep.csv has other rows"
