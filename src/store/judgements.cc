#include "store/judgements.h"

#include <cstdint>
#include <utility>

#include "store/part_reader.h"

namespace weir::store {
namespace {

enum class JudgementColumn : std::uint8_t { kSaidIn, kTenant, kContent, kAbout };

const std::string* text_in(const std::vector<json::Value>& row, JudgementColumn column) {
  return row[static_cast<std::size_t>(column)].string();
}

/// Of a tenant's content, as the view `artifacts` has it.
std::string judgements_sql(const std::string& events) {
  std::string sql = "WITH judged AS MATERIALIZED (SELECT run_id, tenant_id, artifact_sha256, ";
  sql.append("target_run_id FROM ").append(events);
  sql.append(
      " AS part WHERE event_type = 'artifact_reviewed' AND pipeline_type = 'external'"
      " AND pipeline_id = 'weir' AND artifact_sha256 IS NOT NULL)"
      " SELECT DISTINCT run_id, tenant_id, artifact_sha256, target_run_id FROM judged"
      " UNION SELECT judged.run_id, judged.tenant_id, judged.artifact_sha256, written.run_id"
      " FROM judged JOIN (SELECT run_id, tenant_id, artifact_sha256 FROM ");
  sql.append(events).append(
      " AS part WHERE event_type = 'artifact_written') AS written"
      " ON written.artifact_sha256 = judged.artifact_sha256"
      " AND written.tenant_id IS NOT DISTINCT FROM judged.tenant_id");
  return sql;
}

}  // namespace

Result<std::vector<Judgement>> read_judgements(Connection& connection,
                                               const std::vector<std::filesystem::path>& parts,
                                               const std::string& living) {
  std::vector<Judgement> judgements;
  if (parts.empty()) return judgements;
  WEIR_TRY(auto rows, connection.query(judgements_sql(parts_sql(parts, living))));
  while (const auto* row = rows.next()) {
    const auto said_in = RunId::parse(*text_in(*row, JudgementColumn::kSaidIn));
    if (!said_in) continue;
    Judgement judgement{
        .said_in = *said_in, .tenant = {}, .content = *text_in(*row, JudgementColumn::kContent)};
    const auto* tenant = text_in(*row, JudgementColumn::kTenant);
    const auto* about = text_in(*row, JudgementColumn::kAbout);
    if (tenant != nullptr) judgement.tenant = *tenant;
    if (about != nullptr) judgement.about = RunId::parse(*about);
    judgements.push_back(std::move(judgement));
  }
  return judgements;
}

}  // namespace weir::store
