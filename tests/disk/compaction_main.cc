// Compaction on simulated disks: see run_schedules.

#include "tests/disk/compaction_schedule.h"
#include "tests/disk/run_schedules.h"

int main(int argc, char** argv) {
  return weir::disk::run_schedules(argc, argv, weir::disk::run_compaction_schedule);
}
