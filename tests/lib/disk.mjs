// A small disk in memory, to be filled. Only root may mount one.

import {spawnSync} from 'node:child_process';
import {closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {check} from './check.mjs';

class Disk {
  constructor(folder) {
    this.folder = folder;
    this.filler = join(folder, 'filler');
  }
  freeBytes() {
    const {bavail, bsize} = statfsSync(this.folder);
    return bavail * bsize;
  }
  /// Writes until nothing more can be.
  fill() {
    const file = openSync(this.filler, 'a');
    for (let size = 1 << 20; size >= 1; size = Math.floor(size / 2)) {
      try {
        for (;;) if (writeSync(file, Buffer.alloc(size)) < size) break;
      } catch (error) {
        check(error.code === 'ENOSPC', `filling the disk: ${error}`);
      }
    }
    closeSync(file);
    check(this.freeBytes() === 0, 'the disk is not full');
  }
  empty() { rmSync(this.filler); }
}

/// Calls `use` with a disk of `size` ("160m") that is mounted in `folder`; where none may be, it says so.
export async function withSmallDisk(folder, size, use) {
  const mounted = join(folder, 'disk');
  mkdirSync(mounted);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', mounted], {encoding: 'utf8'});
  if (mount.status !== 0) {
    // Not a skip: nothing is missing that could be installed.
    console.log(`this machine does not let us mount a small disk: ${mount.stderr || mount.error}`);
    return;
  }
  try {
    await use(new Disk(mounted));
  } finally {
    spawnSync('umount', [mounted]);
  }
}
