// sqlite_sink STORE DATABASE: what is recorded also goes into a database of one's own.
//
// A sink gets every committed event of this process, in order, on a thread of the recorder.

#include <sqlite3.h>
#include <weir/weir.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

class SqliteSink final : public weir::Sink {
 public:
  static weir::StatusOr<std::unique_ptr<weir::Sink>> open(const char* path) {
    sqlite3* opened = nullptr;
    const bool is_open = sqlite3_open(path, &opened) == SQLITE_OK;
    Database database(opened);
    if (!is_open) return failure(opened);
    // An event is known by its run and its number: written again, it is the same row.
    const char* kSchema =
        "CREATE TABLE IF NOT EXISTS events (run_id TEXT, run_seq INTEGER, topic TEXT, type TEXT,"
        " level TEXT, line TEXT, PRIMARY KEY (run_id, run_seq)) WITHOUT ROWID";
    if (sqlite3_exec(opened, kSchema, nullptr, nullptr, nullptr) != SQLITE_OK) {
      return failure(opened);
    }
    sqlite3_stmt* prepared = nullptr;
    if (sqlite3_prepare_v2(opened, "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?)", -1,
                           &prepared, nullptr) != SQLITE_OK) {
      return failure(opened);
    }
    return std::unique_ptr<weir::Sink>(new SqliteSink(std::move(database), Statement(prepared)));
  }

  weir::Status emit(const weir::Event& event) override {
    // One transaction for many events: a database syncs at the end of each.
    if (!in_transaction_ && !execute("BEGIN")) return failure(database_.get());
    in_transaction_ = true;
    sqlite3_reset(insert_.get());
    bind(1, event.run_id);
    sqlite3_bind_int64(insert_.get(), 2, event.run_seq);
    bind(3, event.topic);
    bind(4, event.type);
    bind(5, event.level);
    bind(6, event.line);
    if (sqlite3_step(insert_.get()) != SQLITE_DONE) return failure(database_.get());
    return ++pending_ < 1000 ? weir::Status() : flush();
  }

  weir::Status flush() override {
    if (!in_transaction_) return {};
    sqlite3_reset(insert_.get());
    if (!execute("COMMIT")) return failure(database_.get());
    in_transaction_ = false;
    pending_ = 0;
    return {};
  }

  ~SqliteSink() override { flush().ignore(); }

 private:
  SqliteSink(Database database, Statement insert)
      : database_(std::move(database)), insert_(std::move(insert)) {}

  static weir::Status failure(sqlite3* database) {
    return {weir::StatusCode::kIo, std::string("SQLite: ") + sqlite3_errmsg(database)};
  }
  bool execute(const char* statement) {
    return sqlite3_exec(database_.get(), statement, nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  /// The text is a view, good until the sink returns: SQLite need not copy it.
  void bind(int place, std::string_view text) {
    sqlite3_bind_text(insert_.get(), place, text.data(), static_cast<int>(text.size()),
                      SQLITE_STATIC);
  }

  Database database_;
  Statement insert_;  // ends before its database
  bool in_transaction_ = false;
  int pending_ = 0;
};

int complain(const char* what, const weir::Status& status) {
  std::fprintf(stderr, "%s: %s\n", what, status.message().c_str());
  return status.code() == weir::StatusCode::kUnavailable ? 3 : 1;
}

int record(const char* store, const char* database) {
  auto recorder = weir::Recorder::open(store);
  if (!recorder) return complain("no store", recorder.status());
  auto sink = SqliteSink::open(database);
  if (!sink) return complain("no database", sink.status());
  if (const auto added = recorder->add_sink(std::move(*sink)); !added) {
    return complain("no sink", added);
  }

  weir::RunOptions options;
  options.pipeline_id = "into_sqlite";
  auto run = recorder->begin(options);
  if (!run) return complain("no run", run.status());
  run->pipeline_started({{"only"}, {"only"}, 1});
  weir::Node node = run->start_node({"only"});
  run->logger("demo").info("this line is in the log and in SQLite");
  node.completed();
  run->pipeline_completed({"only"});
  if (const auto status = run->end(); !status) return complain("not recorded", status);
  return 0;
}

int print_database(const char* path) {
  sqlite3* opened = nullptr;
  const bool is_open = sqlite3_open(path, &opened) == SQLITE_OK;
  const Database database(opened);
  sqlite3_stmt* prepared = nullptr;
  if (!is_open || sqlite3_prepare_v2(opened, "SELECT run_seq, topic FROM events ORDER BY 1", -1,
                                     &prepared, nullptr) != SQLITE_OK) {
    return 1;
  }
  const Statement query(prepared);
  while (sqlite3_step(prepared) == SQLITE_ROW) {
    std::printf("%d %s\n", sqlite3_column_int(prepared, 0),
                reinterpret_cast<const char*>(sqlite3_column_text(prepared, 1)));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: sqlite_sink STORE DATABASE\n");
    return 2;
  }
  // The recorder's end gives the sink everything that was committed.
  if (const int code = record(argv[1], argv[2]); code != 0) return code;
  return print_database(argv[2]);
}
