#pragma once

namespace weir::record {

class Recorder;

/// The recorders of this process, for what the system does to the process as a whole. A recorder is
/// here from its constructor to its destructor.
///
///   exit          every recorder is drained before static objects are destroyed
///   fatal signal  SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS: the handler waits up to 2 s
///                 until the writers have committed what was emitted, then the signal takes its
///                 course. A writer that crashed itself is not waited for. An event whose thread
///                 crashed between taking its number and handing it over becomes a FATAL `log`
///                 event.
///
/// The handlers are installed by the first recorder, once a process; what was installed before is
/// called after them.
class LiveRecorders {
 public:
  static void add(Recorder& recorder);
  static void remove(Recorder& recorder);
  /// Marks the calling thread as a writer, whose crash nobody can wait out.
  static void mark_writer_thread();

 private:
  static void install();
  static void drain_at_exit();
  static void on_fatal_signal(int signal);
};

}  // namespace weir::record
