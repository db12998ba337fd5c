// The event log on simulated disks: see run_schedules.

#include "tests/disk/run_schedules.h"

int main(int argc, char** argv) {
  return weir::disk::run_schedules(argc, argv, weir::disk::run_schedule);
}
