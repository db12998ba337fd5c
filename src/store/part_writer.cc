#include "store/part_writer.h"

#include <string>
#include <vector>

#include "event/decoder.h"
#include "store/connection_impl.h"
#include "store/event_columns.h"

namespace weir::store {
namespace {

constexpr std::uint64_t kWriterMemory = std::uint64_t{384} << 20;

/// What the table function `weir_batch` gives.
struct Feed {
  std::size_t next = 0;
  std::size_t count = 0;
  const PartWriter::Lines* lines = nullptr;
  const PartWriter::Check* check = nullptr;
  std::optional<std::size_t> bad_line;
  std::vector<event::Field> columns;
  event::Decoder decoder;
};

void bind_batch(duckdb_bind_info info) {
  add_event_columns(info);
  duckdb().duckdb_bind_set_bind_data(info, duckdb().duckdb_bind_get_extra_info(info), nullptr);
}

void init_batch(duckdb_init_info info) {
  auto* feed = static_cast<Feed*>(duckdb().duckdb_init_get_bind_data(info));
  feed->columns = wanted_columns(info);
  duckdb().duckdb_init_set_max_threads(info, 1);
}

void produce_batch(duckdb_function_info info, duckdb_data_chunk chunk) {
  auto& feed = *static_cast<Feed*>(duckdb().duckdb_function_get_bind_data(info));
  EventRows rows(chunk, feed.columns);
  const auto refuse = [&](const std::string& why) {
    feed.bad_line = feed.next;
    duckdb().duckdb_function_set_error(info, why.c_str());
  };
  for (; !rows.is_full() && feed.next < feed.count; ++feed.next) {
    const auto event = feed.decoder.decode((*feed.lines)(feed.next));
    if (!event) return refuse(event.error().message);
    if (rows.add(**event) != (*event)->size() || !(*feed.check)(feed.next, **event))
      return refuse("a line that is not written as others");
  }
  rows.finish();
}

Result<void> add_feed(Connection& connection, Feed& feed) {
  const auto& api = duckdb();
  auto* function = api.duckdb_create_table_function();
  api.duckdb_table_function_set_name(function, "weir_batch");
  api.duckdb_table_function_set_extra_info(function, &feed, nullptr);
  api.duckdb_table_function_set_bind(function, &bind_batch);
  api.duckdb_table_function_set_init(function, &init_batch);
  api.duckdb_table_function_set_function(function, &produce_batch);
  api.duckdb_table_function_supports_projection_pushdown(function, true);
  const auto state = api.duckdb_register_table_function(connection.impl().connection, function);
  api.duckdb_destroy_table_function(&function);
  if (state == DuckDBError) return fail(ErrorCode::kInvalidInput, "weir_batch is taken");
  return {};
}

}  // namespace

struct PartWriter::Impl {
  Feed feed;
  Database database;
  Connection connection;
};

PartWriter::PartWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PartWriter::PartWriter(PartWriter&&) noexcept = default;
PartWriter& PartWriter::operator=(PartWriter&&) noexcept = default;
PartWriter::~PartWriter() = default;

Result<PartWriter> PartWriter::open(std::filesystem::path spill_folder) {
  // One thread keeps the order, and leaves the others' cores alone.
  WEIR_TRY(auto database, Database::open_in_memory({.memory_bytes = kWriterMemory,
                                                    .threads = 1,
                                                    .spill_folder = std::move(spill_folder)}));
  WEIR_TRY(auto connection, database.connect());
  auto impl = std::make_unique<Impl>(Feed(), std::move(database), std::move(connection));
  WEIR_TRY(add_feed(impl->connection, impl->feed));
  return PartWriter(std::move(impl));
}

Result<void> PartWriter::write(const std::filesystem::path& file, const FieldSet& fields,
                               std::size_t count, const Lines& lines, const Check& check) {
  auto& feed = impl_->feed;
  feed.next = 0;
  feed.count = count;
  feed.lines = &lines;
  feed.check = &check;
  feed.bad_line.reset();
  std::string columns;
  for (std::size_t i = 0; i < event::kFieldCount; ++i) {
    const auto field = static_cast<event::Field>(i);
    if (!fields.test(i)) continue;
    columns += (columns.empty() ? "" : ", ") + sql_name(event::info(field).name);
  }
  auto copied =
      impl_->connection.execute("COPY (SELECT " + columns + " FROM weir_batch()) TO " +
                                sql_string(file.string()) + ' ' + std::string(kPartFormat));
  if (!copied) return std::unexpected(of_writing(std::move(copied).error()));
  return copied;
}

std::optional<std::size_t> PartWriter::bad_line() const { return impl_->feed.bad_line; }

}  // namespace weir::store
