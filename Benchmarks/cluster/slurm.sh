#!/usr/bin/env bash
#SBATCH --job-name=assay --array=0-3 --requeue --open-mode=append --output=assay-%a.log --time=01:00:00
# One run on a Slurm array, a part of the cases for each task; Slurm's variables tell each which.
#
#   sbatch Benchmarks/cluster/slurm.sh verify --tag smoke
#   assay merge shards/* --out Reports/whole          after it: names what is missing, and the command for it
#
# A task that is killed and requeued goes on where it was. 0, 1, 64 and 65 are final; 2, 70 and 74 are tried again, thrice.
# ASSAY is the program, OUT the folder of the parts, on a disk that all nodes share.
"${ASSAY:-assay}" "$@" --out "${OUT:-shards}/$SLURM_ARRAY_TASK_ID" --resume --deadline 3300
code=$?
case $code in
  2 | 70 | 74)
    if [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ]; then
      scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
    fi ;;
esac
exit $code
